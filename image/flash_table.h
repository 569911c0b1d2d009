/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct fault;
struct flash_source;

/*
 * The partition table as it will stand on a target: the image's own, its backup moved to the end
 * of the target. No partition moves or grows; that is the first boot's business.
 */

enum { FLASH_HEAD = 1 << 20 };

struct flash_table {
	int fd; /* a sparse memory file of the target's size: head and tail are as on the target */
	unsigned char *head; /* the first FLASH_HEAD bytes: the table, and GRUB's first sector */
	unsigned char *tail; /* the backup table: the last tail_bytes of the target */
	size_t tail_bytes;
	uint64_t target_bytes, image_end; /* where the image's own backup table begins */
};

int flash_table_make(const struct flash_source *source, uint64_t target_bytes,
		     struct flash_table *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void flash_table_done(struct flash_table *t);
