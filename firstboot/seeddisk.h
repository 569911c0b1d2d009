/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct fault;
struct seed;

/* The partition that holds the seed: found by its GPT name, read, never kept mounted. */

/*
 * The kernel's name ("vda3") of the partition named RACKSEED, from sys/class/block below root. With
 * several, the one on the disk that bears root_disk ("vda", or "" when that is not known); several
 * that cannot be told apart are -ENOTUNIQ, none is -ENOENT.
 */
int seeddisk_find(int root, const char *root_disk, char *ret_name, size_t size, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The disk that the file system of root lies on, or "" where that is no plain partition. */
void seeddisk_root(int root, char *ret_name, size_t size) __attribute__((nonnull));

/* Finds it, attaches it read-only to no place in the tree, and copies all files to memory. */
int seeddisk_read(int root, struct seed *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
