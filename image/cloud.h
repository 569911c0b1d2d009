/* SPDX-License-Identifier: MIT */
#pragma once

#include "image/digest.h"

struct args;
struct build;
struct fault;
struct release;

/*
 * A distribution's cloud image (os.cloudImage) as the beginning of a root file system: libguestfs
 * tells what it is and hands out its files; mmdebstrap then installs over them what nodes need.
 */

/* Which image it is: the sum of the file, or for a URL that of the document. Fetches nothing. */
int cloud_sum(const struct build *b, char ret_hex[static DIGEST_LEN], struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Puts the image's files into root, an empty folder, as mmdebstrap can take them, and adds the
 * packages that must go: none of those that are wanted. An image that is not of the document's
 * release is a fault.
 */
int cloud_unpack(struct build *b, const char *root, const struct args *wanted,
		 struct args *ret_unwanted, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The last part of it: what of the image's own has no place on a node is taken away. */
int cloud_prepare(const char *root, const struct args *wanted, struct args *ret_unwanted,
		  struct fault *why) __attribute__((nonnull, warn_unused_result));

/* When all packages are installed: puts back what was put aside, and switches cloud-init off. */
int cloud_settle(const char *root, const struct args *unwanted, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* What libguestfs says of an image. */
struct cloud_facts {
	const char *distribution, *arch;
	int major, minor;
};

/* Whether nodes of the release can be made of it. Pure. */
int cloud_judge(const struct cloud_facts *facts, const struct release *release, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Adds what dpkg's status file says is installed and must go, unless it is wanted: kernels that
 * lack the drivers of servers, and what would write boot sectors or change the root partition.
 * Pure.
 */
void cloud_unwanted(const char *status, const struct args *wanted, struct args *out)
	__attribute__((nonnull));
