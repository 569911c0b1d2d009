/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "image/digest.h"

struct fault;
struct hash;
struct progress;

/*
 * The SHA-256 of a large file, as far as it goes: holes are not read, though their zeros count, and
 * bytes that somebody has read anyway need not be read again.
 */

struct file_sum {
	int fd; /* borrowed */
	uint64_t size, at;
	struct hash *hash;
	unsigned char *buf;
};

int file_sum_begin(struct file_sum *s, int fd, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void file_sum_done(struct file_sum *s);

/* Sums what lies before end, from the file. -ECANCELED once *stop, which may be NULL, is true. */
int file_sum_to(struct file_sum *s, uint64_t end, const atomic_bool *stop, struct fault *why)
	__attribute__((nonnull(1, 4), warn_unused_result));

/* Takes n bytes that are what the file has at s->at. */
int file_sum_take(struct file_sum *s, const void *data, uint64_t n, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The rest of the file, and its sum. */
int file_sum_end(struct file_sum *s, const atomic_bool *stop, char ret_hex[static DIGEST_LEN],
		 struct fault *why) __attribute__((nonnull(1, 3, 4), warn_unused_result));

/* All of it; tells progress how far it is, unless that is NULL. */
int file_sum(int fd, struct progress *progress, char ret_hex[static DIGEST_LEN], struct fault *why)
	__attribute__((nonnull(3, 4), warn_unused_result));
