/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "image/flash_map.h"

struct flash_source;
struct target_partition;

struct flash_ranges {
	struct flash_range *list;
	size_t n, room;
};

/*
 * The free blocks of an ext4 file system in the image, as ranges of the image, added to *list.
 * Nothing is added for what is no ext4, is damaged, or has a journal to replay: then every zero
 * counts, which costs time and no safety. -ENOMEM, or 0.
 */
int flash_ext4_unused(const struct flash_source *source, const struct target_partition *partition,
		      struct flash_ranges *list, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
/* Adds a range at the end. -ENOMEM, or 0. */
int flash_ranges_add(struct flash_ranges *list, uint64_t start, uint64_t length)
	__attribute__((nonnull, warn_unused_result));
void flash_ranges_done(struct flash_ranges *list);
