/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct fault;
struct flash_source;

/* What of an image is written, what is made zero, what may stay on the target. Pure. */

enum flash_kind {
	FLASH_DATA,
	FLASH_ZERO, /* must read as zeros: file systems rely on it (FAT's table, inode tables) */
};

struct flash_range {
	uint64_t start, length;
};

struct flash_run {
	uint64_t start, length;
	enum flash_kind kind;
};

struct flash_map {
	struct flash_run *runs; /* in order; what lies between them is not touched */
	size_t n, room;
	uint64_t data_bytes, zero_bytes;
};

/* Everything counts in blocks of this size: a page of O_DIRECT on any disk. */
enum { FLASH_BLOCK = 4096 };

/*
 * Runs for [first, end) of the image. unused: sorted ranges whose zeros nobody reads, such as the
 * free blocks of a file system; data in them is written all the same.
 */
int flash_map_make(const struct flash_source *source, const struct flash_range *unused,
		   size_t n_unused, uint64_t first, uint64_t end, struct flash_map *ret,
		   struct fault *why) __attribute__((nonnull(1, 6, 7), warn_unused_result));
void flash_map_done(struct flash_map *map);
