/* SPDX-License-Identifier: MIT */
#include "image/flash_ring.h"

#include <errno.h>
#include <stdlib.h>

#include "image/flash_proof.h"
#include "image/flash_source.h"

enum { ALIGNMENT = 4096 };

/* The next free piece, or NULL when the taker is gone. */
static struct flash_piece *wait_free(struct flash_ring *ring)
{
	struct flash_piece *piece = NULL;

	pthread_mutex_lock(&ring->lock);
	while (ring->n == FLASH_RING && !ring->stopped)
		pthread_cond_wait(&ring->changed, &ring->lock);
	if (!ring->stopped)
		piece = &ring->pieces[(ring->first + ring->n) % FLASH_RING];
	pthread_mutex_unlock(&ring->lock);
	return piece;
}

static void hand_over(struct flash_ring *ring)
{
	pthread_mutex_lock(&ring->lock);
	ring->n++;
	pthread_cond_broadcast(&ring->changed);
	pthread_mutex_unlock(&ring->lock);
}

/* 1: go on, 0: the taker is gone, or a fault. */
static int fill(struct flash_ring *ring, const struct flash_run *run, uint64_t at)
{
	struct flash_piece *piece = wait_free(ring);
	uint64_t left = run->length - at;
	int r = 0;

	if (!piece)
		return 0;
	piece->start = run->start + at;
	piece->length = left < FLASH_PIECE ? (size_t)left : FLASH_PIECE;
	piece->kind = run->kind;
	if (run->kind == FLASH_DATA)
		r = flash_source_read(ring->source, piece->data, piece->length, piece->start,
				      &ring->why);
	if (r == 0 && run->kind == FLASH_DATA && ring->proof)
		r = flash_proof_follow(ring->proof, ring->source, piece, &ring->why);
	if (r < 0)
		return r;
	hand_over(ring);
	return 1;
}

static void *read_ahead(void *data)
{
	struct flash_ring *ring = data;
	uint64_t at;
	size_t i;
	int r = 1;

	for (i = 0; r == 1 && i < ring->map->n; i++)
		for (at = 0; r == 1 && at < ring->map->runs[i].length; at += FLASH_PIECE)
			r = fill(ring, &ring->map->runs[i], at);
	pthread_mutex_lock(&ring->lock);
	ring->ended = true;
	ring->error = r < 0 ? r : 0;
	pthread_cond_broadcast(&ring->changed);
	pthread_mutex_unlock(&ring->lock);
	return NULL;
}

int flash_ring_start(struct flash_ring *ring, const struct flash_source *source,
		     const struct flash_map *map, struct flash_proof *proof, struct fault *why)
{
	void *data;
	size_t i;
	int r = 0;

	*ring = (struct flash_ring){ .source = source,
				     .map = map,
				     .proof = proof,
				     .lock = PTHREAD_MUTEX_INITIALIZER,
				     .changed = PTHREAD_COND_INITIALIZER };
	for (i = 0; r == 0 && i < FLASH_RING; i++) {
		r = posix_memalign(&data, ALIGNMENT, FLASH_PIECE);
		if (r == 0)
			ring->pieces[i].data = data;
	}
	if (r == 0)
		r = pthread_create(&ring->thread, NULL, read_ahead, ring);
	ring->runs = r == 0;
	if (r == 0)
		return 0;
	flash_ring_done(ring);
	return fault_errno(why, r, "starting to read the image");
}

int flash_ring_next(struct flash_ring *ring, const struct flash_piece **ret, struct fault *why)
{
	int r;

	pthread_mutex_lock(&ring->lock);
	while (ring->n == 0 && !ring->ended)
		pthread_cond_wait(&ring->changed, &ring->lock);
	if (ring->n)
		*ret = &ring->pieces[ring->first];
	r = ring->n ? 1 : ring->error;
	pthread_mutex_unlock(&ring->lock);
	if (r < 0)
		*why = ring->why;
	return r;
}

void flash_ring_release(struct flash_ring *ring)
{
	pthread_mutex_lock(&ring->lock);
	ring->first = (ring->first + 1) % FLASH_RING;
	ring->n--;
	pthread_cond_broadcast(&ring->changed);
	pthread_mutex_unlock(&ring->lock);
}

void flash_ring_done(struct flash_ring *ring)
{
	size_t i;

	if (ring->runs) {
		pthread_mutex_lock(&ring->lock);
		ring->stopped = true;
		pthread_cond_broadcast(&ring->changed);
		pthread_mutex_unlock(&ring->lock);
		pthread_join(ring->thread, NULL);
		ring->runs = false;
	}
	for (i = 0; i < FLASH_RING; i++) {
		free(ring->pieces[i].data);
		ring->pieces[i].data = NULL;
	}
}
