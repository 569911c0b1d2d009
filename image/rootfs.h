/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "image/cache.h"
#include "image/digest.h"

struct build;
struct fault;

/* Where the files lie that a golden disk is made of, in the cache. */
#define ROOTFS_TREE CACHE_UNFINISHED "root"

/* The root file system of a release with its packages, made by mmdebstrap: rootfs-KEY.tar. */
struct rootfs {
	char key[DIGEST_LEN];
	struct text path; /* absolute */
	bool unpacked; /* it was made just now, and its files still lie in ROOTFS_TREE */
};

/* Finds it in the cache by the key of its inputs, or makes it. For scoped(): rootfs_done. */
int rootfs_get(struct build *b, unsigned uses, struct rootfs *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void rootfs_done(struct rootfs *r);

/* How far mmdebstrap is after this line of its, in permille; 0: the line does not tell. Pure. */
unsigned rootfs_permille(const char *line) __attribute__((nonnull));

/* What to do about a complaint of apt, or NULL. Pure. */
const char *rootfs_remedy(const char *line) __attribute__((nonnull));
