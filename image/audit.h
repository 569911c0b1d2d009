/* SPDX-License-Identifier: MIT */
#pragma once

struct audit;
struct fault;

/* The audit of an image, by libguestfs, read-only. */

/* A disk image with its seed, if it has one. */
int audit_image(const char *image, struct audit *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
