/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/target.h"

struct fault;
struct model;
struct text;

/* What `rackseed flash --list` shows: every whole disk, and whether it may be written. */

struct flash_row {
	char path[TARGET_WORD]; /* "/dev/sda" */
	struct target_facts facts;
	struct target_verdict verdict;
	char trouble[256]; /* it could not be opened, why; or "" */
};

struct flash_list {
	struct flash_row *rows;
	size_t n, room;
};

/* Looks at the disks of /sys/block below root, for want; those without a medium are left out. */
int flash_list_look(int root, const struct target_want *want, struct flash_list *ret,
		    struct fault *why) __attribute__((nonnull, warn_unused_result));
void flash_list_done(struct flash_list *list);

/* Pure. m may be NULL; else it is said which node the file wants on a disk. */
void flash_list_text(const struct flash_list *list, const struct model *m, struct text *out)
	__attribute__((nonnull(1, 3)));
void flash_list_json(const struct flash_list *list, const struct model *m, struct text *out)
	__attribute__((nonnull(1, 3)));

/* The facts and reasons of one disk as members of a JSON object, without its braces. */
void flash_facts_json(const char *path, const struct target_facts *f,
		      const struct target_verdict *verdict, struct text *out)
	__attribute__((nonnull));
