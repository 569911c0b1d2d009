/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct disk;
struct fault;
struct model_disk;
struct text;

/* The disk that a node has for its data: which it is, and what is on it. Nothing is written. */

/*
 * The one disk below root's sysfs that the file means, which is never the one of the system;
 * -EAGAIN when there is none (yet), -ENOTUNIQ when several are like that.
 */
int datadisk_find(int root, const struct model_disk *want, struct disk *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Adds "serial 'X'", "WWN 'Y'", "64 MiB" as far as they are given, for messages. */
void datadisk_print(const struct model_disk *want, struct text *out) __attribute__((nonnull));

/* What the kernel has made of it, "partition sdb1", "dm-0 on it"; nothing when it is free. */
void datadisk_held(int root, const struct disk *disk, struct text *out) __attribute__((nonnull));

enum { DATADISK_EDGE = 1 << 20 };

/* Whether the first and the last MiB of the file hold nothing but zeros: 1, 0, or negative. */
int datadisk_zeros(int fd, struct fault *why) __attribute__((nonnull, warn_unused_result));
