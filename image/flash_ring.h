/* SPDX-License-Identifier: MIT */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "image/flash_map.h"

struct flash_proof;
struct flash_source;

/*
 * A thread that reads the runs of a map ahead of whoever writes or compares them, in pieces, into a
 * ring of buffers. One reader, one taker.
 */

enum { FLASH_PIECE = 4 << 20, FLASH_RING = 4 };

struct flash_piece {
	uint64_t start;
	size_t length;
	enum flash_kind kind;
	unsigned char *data; /* aligned; not filled for FLASH_ZERO */
};

struct flash_ring {
	const struct flash_source *source;
	const struct flash_map *map;
	struct flash_proof *proof; /* or NULL */
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct flash_piece pieces[FLASH_RING];
	size_t first, n; /* the pieces that are filled */
	bool ended, stopped;
	int error;
	struct fault why; /* the reader's */
};

/*
 * source and map must live until flash_ring_done(), and so must proof, which may be NULL: the
 * reader takes it through all that it reads.
 */
int flash_ring_start(struct flash_ring *ring, const struct flash_source *source,
		     const struct flash_map *map, struct flash_proof *proof, struct fault *why)
	__attribute__((nonnull(1, 2, 3, 5), warn_unused_result));

/* Waits for the next piece: 1, 0 at the end, or the reader's fault. The taker gives it back. */
int flash_ring_next(struct flash_ring *ring, const struct flash_piece **ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void flash_ring_release(struct flash_ring *ring) __attribute__((nonnull));

/* Ends the thread, wherever it is, and frees. Accepts a zeroed one. */
void flash_ring_done(struct flash_ring *ring);
