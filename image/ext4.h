/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct fault;

/* A tree of files as an ext4 file system at a place within a disk image. */

struct ext4 {
	const char *disk;      /* the image file */
	uint64_t offset, size; /* of the partition, in bytes */
	const char *root;      /* the tree */
	const char *uuid, *hash_seed;
	const char *mke2fs_conf; /* a file */
	int64_t epoch;		 /* no time in it is later */
};

/* Bytes that a file system for the tree needs, with room to boot and grow in; whole MiB. */
int ext4_measure(const char *root, uint64_t *ret_bytes, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Makes it with mke2fs and gives every inode the same times, so that the bytes repeat. */
int ext4_make(const struct ext4 *what, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
