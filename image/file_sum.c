/* SPDX-License-Identifier: MIT */
#include "image/file_sum.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/macros.h"
#include "cluster/hash.h"
#include "image/progress.h"
#include "image/target_probe.h"

enum { PIECE = 1 << 20, STEP = 64 << 20 };

_Static_assert((int)DIGEST_LEN == (int)SEED_DIGEST, "the same text");

static const unsigned char zeros[64 << 10];

void file_sum_done(struct file_sum *s)
{
	hash_free(s->hash);
	free(s->buf);
	*s = (struct file_sum){ .fd = -1 };
}

int file_sum_begin(struct file_sum *s, int fd, struct fault *why)
{
	struct stat st;

	*s = (struct file_sum){ .fd = fd };
	if (fstat(fd, &st) < 0)
		return fault_errno(why, errno, "sum of a file");
	s->size = (uint64_t)st.st_size;
	s->buf = malloc(PIECE);
	if (!s->buf) {
		fault_errno(why, ENOMEM, "sum of a file");
		return -ENOMEM;
	}
	return hash_new(&s->hash, why);
}

int file_sum_take(struct file_sum *s, const void *data, uint64_t n, struct fault *why)
{
	s->at += n;
	return hash_add(s->hash, data, (size_t)n, why);
}

/* From s->at on, whether it is a hole, and where that changes; at most up to end. */
static uint64_t find_change(const struct file_sum *s, uint64_t end, bool *ret_hole)
{
	off_t data = lseek(s->fd, (off_t)s->at, SEEK_DATA);
	off_t change = data;

	*ret_hole = data < 0 ? errno == ENXIO : (uint64_t)data > s->at;
	if (!*ret_hole)
		change = data < 0 ? data : lseek(s->fd, data, SEEK_HOLE);
	/* Without an answer it is data up to the end, or a hole up to there. */
	return change < 0 || (uint64_t)change > end ? end : (uint64_t)change;
}

/* One extent, hole or data, that ends at end. */
static int sum_extent(struct file_sum *s, uint64_t end, bool hole, const atomic_bool *stop,
		      struct fault *why)
{
	int r = 0;

	while (r == 0 && s->at < end) {
		uint64_t n = hole ? sizeof(zeros) : PIECE;

		n = end - s->at < n ? end - s->at : n;
		if (stop && atomic_load(stop))
			return fault_set(why, ECANCELED, "stopped");
		if (!hole)
			r = target_read_fd(&s->fd, s->buf, (size_t)n, s->at, why);
		if (r == 0)
			r = file_sum_take(s, hole ? zeros : s->buf, n, why);
	}
	return r;
}

int file_sum_to(struct file_sum *s, uint64_t end, const atomic_bool *stop, struct fault *why)
{
	int r = 0;

	end = end < s->size ? end : s->size;
	while (r == 0 && s->at < end) {
		bool hole;
		uint64_t change = find_change(s, end, &hole);

		r = sum_extent(s, change, hole, stop, why);
	}
	return r;
}

int file_sum_end(struct file_sum *s, const atomic_bool *stop, char ret_hex[static DIGEST_LEN],
		 struct fault *why)
{
	int r = file_sum_to(s, s->size, stop, why);

	return r < 0 ? r : hash_end(s->hash, ret_hex, why);
}

int file_sum(int fd, struct progress *progress, char ret_hex[static DIGEST_LEN], struct fault *why)
{
	scoped(file_sum_done) struct file_sum s = { 0 };
	int r = file_sum_begin(&s, fd, why);

	while (r == 0 && progress && s.at < s.size) {
		uint64_t before = s.at;

		r = file_sum_to(&s, s.at + STEP, NULL, why);
		progress_add(progress, s.at - before);
	}
	return r < 0 ? r : file_sum_end(&s, NULL, ret_hex, why);
}
