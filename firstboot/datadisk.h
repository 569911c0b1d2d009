/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct disk;
struct fault;
struct model_disk;
struct text;
struct units_tick;

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

/*
 * Whether nothing but zeros is found on the disk: 1, 0, or negative, -ECANCELED when tick says so.
 * Up to 1 GiB it is read in full; of a larger one the first 64 MiB, the last 16 MiB, and 1024
 * blocks spread evenly between, for the whole of it would take hours.
 */
int datadisk_zeros(int fd, const struct units_tick *tick, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
