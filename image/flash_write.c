/* SPDX-License-Identifier: MIT */
#include "image/flash_write.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/macros.h"
#include "image/flash_io.h"
#include "image/flash_map.h"
#include "image/flash_proof.h"
#include "image/flash_ring.h"
#include "image/flash_table.h"
#include "image/target.h"

/* Zeros are looked for in steps of GRAIN; a target is discarded in steps, to stop in between. */
enum { GRAIN = 64 << 10, DISCARD_STEP = 1 << 30 };

struct writer {
	struct flash_io io;
	const struct flash_order *order;
	struct flash_progress *progress;
	struct flash_result *result;
	bool bare; /* no partition table is on it, neither an old one nor ours */
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int check_stop(const struct writer *w, struct fault *why)
{
	return atomic_load(&w->progress->stop) ? fault_set(why, ECANCELED, "stopped") : 0;
}

static bool is_zero(const unsigned char *data, size_t n)
{
	return data[0] == 0 && memcmp(data, data + 1, n - 1) == 0;
}

/* ---- preparing ------------------------------------------------------------------------------ */

/* The old tables and what else has its mark there: gone before the first byte of the new. */
static int erase_ends(struct writer *w, struct fault *why)
{
	uint64_t size = w->order->table->target_bytes;
	int r = flash_io_erase(&w->io, 0, FLASH_HEAD, why);

	if (r == 0)
		r = flash_io_erase(&w->io, size - FLASH_HEAD, FLASH_HEAD, why);
	if (r == 0)
		r = flash_io_sync(&w->io, why);
	w->bare = r == 0;
	return r;
}

static int grow(struct writer *w, struct fault *why)
{
	uint64_t size = w->order->table->target_bytes;
	struct stat st;

	if (w->io.block || fstat(w->io.fd, &st) < 0 || (uint64_t)st.st_size >= size)
		return 0;
	return ftruncate(w->io.fd, (off_t)size) < 0 ? fault_errno(why, errno, "growing it") : 0;
}

static int prepare(struct writer *w, struct fault *why)
{
	uint64_t size = w->order->table->target_bytes, at;
	int r = grow(w, why);

	atomic_store(&w->progress->total, size);
	if (r == 0)
		r = erase_ends(w, why);
	for (at = 0; r == 0 && at < size; at += DISCARD_STEP) {
		flash_io_discard(&w->io, at, size - at < DISCARD_STEP ? size - at : DISCARD_STEP);
		atomic_store(&w->progress->done, at);
		r = check_stop(w, why);
	}
	/* A discard may bring anything back, the old table too. */
	return r == 0 ? erase_ends(w, why) : r;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* A piece of data is written but for the zeros in it, which an image without holes is full of. */
static int write_data(struct writer *w, const struct flash_piece *p, struct fault *why)
{
	size_t at, n, end;
	int r = 0;

	for (at = 0; r == 0 && at < p->length; at = end) {
		bool zero;

		end = p->length - at < GRAIN ? p->length : at + GRAIN;
		zero = is_zero(p->data + at, end - at);
		for (; end < p->length; end += n) {
			n = p->length - end < GRAIN ? p->length - end : GRAIN;
			if (is_zero(p->data + end, n) != zero)
				break;
		}
		if (zero) {
			r = flash_io_zero(&w->io, p->start + at, end - at, why);
			w->result->zero_bytes += end - at;
		} else {
			r = flash_io_write(&w->io, p->data + at, end - at, p->start + at, why);
			w->result->data_bytes += end - at;
		}
	}
	return r;
}

static int write_piece(struct writer *w, const struct flash_piece *p, struct fault *why)
{
	if (p->kind == FLASH_DATA)
		return write_data(w, p, why);
	w->result->zero_bytes += p->length;
	return flash_io_zero(&w->io, p->start, p->length, why);
}

static int differs(uint64_t offset, struct fault *why)
{
	char at[TARGET_SIZE_LEN];

	return fault_set(why, EIO,
			 "what was read back at %s (byte %llu) is not what was written: this disk "
			 "cannot be trusted",
			 target_size(offset, at), (unsigned long long)offset);
}

static int compare_piece(struct writer *w, const struct flash_piece *p, struct fault *why)
{
	const unsigned char *got = w->io.spare;
	int r = flash_io_read(&w->io, w->io.spare, p->length, p->start, why);

	if (r < 0)
		return r;
	if (p->kind == FLASH_ZERO ? !is_zero(got, p->length) : memcmp(got, p->data, p->length) != 0)
		return differs(p->start, why);
	w->result->verified_bytes += p->length;
	return 0;
}

/* Takes every piece of the map through fn, and what was read for them through the proof. */
static int each_piece(struct writer *w, struct flash_proof *proof,
		      int (*fn)(struct writer *, const struct flash_piece *, struct fault *),
		      struct fault *why)
{
	scoped(flash_ring_done) struct flash_ring ring = { 0 };
	const struct flash_piece *piece = NULL;
	int r = flash_ring_start(&ring, w->order->source, w->order->map, proof, why);

	atomic_store(&w->progress->total, w->order->map->data_bytes + w->order->map->zero_bytes);
	while (r == 0) {
		r = check_stop(w, why);
		if (r == 0)
			r = flash_ring_next(&ring, &piece, why);
		if (r <= 0)
			return r;
		assert(piece);
		r = fn(w, piece, why);
		atomic_fetch_add(&w->progress->done, piece->length);
		flash_ring_release(&ring);
	}
	return r;
}

static int write_pieces(struct writer *w, struct fault *why)
{
	struct flash_proof *proof = w->order->proof;
	int r = each_piece(w, proof, write_piece, why);

	if (r == 0 && proof)
		r = flash_proof_end(proof, why);
	return r == 0 ? flash_io_sync(&w->io, why) : r;
}

static int compare_pieces(struct writer *w, struct fault *why)
{
	return w->order->verify ? each_piece(w, NULL, compare_piece, why) : 0;
}

/* ---- finishing ------------------------------------------------------------------------------ */

static int compare_table(struct writer *w, const unsigned char *data, size_t n, uint64_t offset,
			 struct fault *why)
{
	int r = flash_io_read(&w->io, w->io.spare, n, offset, why);

	if (r == 0 && memcmp(w->io.spare, data, n) != 0)
		r = differs(offset, why);
	return r;
}

static int write_tables(struct writer *w, struct fault *why)
{
	const struct flash_table *t = w->order->table;
	uint64_t tail = t->target_bytes - t->tail_bytes;
	int r;

	w->bare = false;
	r = flash_io_write(&w->io, t->tail, t->tail_bytes, tail, why);
	if (r == 0)
		r = flash_io_sync(&w->io, why);
	if (r == 0)
		r = flash_io_write(&w->io, t->head, FLASH_HEAD, 0, why);
	if (r == 0)
		r = flash_io_sync(&w->io, why);
	if (r == 0 && w->order->verify)
		r = compare_table(w, t->tail, t->tail_bytes, tail, why);
	if (r == 0 && w->order->verify)
		r = compare_table(w, t->head, FLASH_HEAD, 0, why);
	return r;
}

static int finish(struct writer *w, struct fault *why)
{
	const struct flash_table *t = w->order->table;
	struct fault ignored;
	int r = check_stop(w, why);

	if (r == 0)
		r = write_tables(w, why);
	if (r < 0 && !w->bare) /* half a table must not look like one */
		(void)!erase_ends(w, &ignored);
	if (r < 0)
		return r;
	w->result->data_bytes += FLASH_HEAD + t->tail_bytes;
	w->result->verified_bytes += w->order->verify ? FLASH_HEAD + t->tail_bytes : 0;
	return 0;
}

static const struct {
	enum flash_phase phase;
	int (*run)(struct writer *, struct fault *);
} steps[] = {
	{ FLASH_PREPARING, prepare },
	{ FLASH_WRITING, write_pieces },
	{ FLASH_VERIFYING, compare_pieces },
	{ FLASH_FINISHING, finish },
};

static int run_steps(struct writer *w, struct fault *why)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < COUNT(steps); i++) {
		uint64_t start = now_ms();

		atomic_store(&w->progress->done, 0);
		atomic_store(&w->progress->total, 0);
		atomic_store(&w->progress->phase, (int)steps[i].phase);
		r = steps[i].run(w, why);
		w->result->ms[steps[i].phase] = now_ms() - start;
	}
	return r;
}

static int unfinished(const struct writer *w, struct fault *why)
{
	const struct fault was = *why;

	return fault_set(why, was.code, "%s; %s", was.text,
			 w->bare ? "it is unfinished: it has no partition table and boots nothing "
				   "until it is flashed again"
				 : "what is on it now is not known, and not to be relied on");
}

int flash_write(int fd, const struct flash_order *order, struct flash_progress *progress,
		struct flash_result *ret, struct fault *why)
{
	struct flash_result result = { 0 };
	struct writer w = { .order = order, .progress = progress, .result = &result };
	struct fault unflushed;
	int r = flash_io_open(&w.io, fd, why);

	if (r < 0)
		return r;
	r = run_steps(&w, why);
	if (r < 0)
		(void)!flash_io_sync(&w.io, &unflushed);
	flash_io_done(&w.io);
	if (r < 0)
		return unfinished(&w, why);
	atomic_store(&progress->phase, FLASH_FINISHED);
	*ret = result;
	return 0;
}
