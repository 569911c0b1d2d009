/* SPDX-License-Identifier: MIT */
#pragma once

struct audit;
struct fault;

/* The trees that an audit looks at: a folder, or an image by libguestfs; both read-only. */

/* A root file system below dir; seed: a folder that holds its seed, or NULL. */
int audit_folder(const char *dir, const char *seed, struct audit *ret, struct fault *why)
	__attribute__((nonnull(1, 3, 4), warn_unused_result));

/* A disk image with its seed, if it has one. */
int audit_image(const char *image, struct audit *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
