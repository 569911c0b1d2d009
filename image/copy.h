/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct fault;
struct progress;

/* Large files: room for them, and copies that keep their holes. */

/* 0 when the file system of dirfd has that many bytes free; else -ENOSPC that names both sizes. */
int copy_room(int dirfd, const char *name, uint64_t bytes, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Copies the file to an empty one: shares its blocks where the file system can (reflink), else
 * copies the data and leaves the holes. Tells progress how far it is, unless that is NULL.
 */
int copy_sparse(int from, int to, struct progress *progress, struct fault *why)
	__attribute__((nonnull(4), warn_unused_result));

/* The bytes a file takes on disk. */
uint64_t copy_size(int fd);
