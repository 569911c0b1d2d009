/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "cluster/model.h"
#include "image/flash_map.h"
#include "image/flash_proof.h"
#include "image/flash_ring.h"
#include "image/progress.h"
#include "image/sums_file.h"
#include "tests/image/scratch.h"

/* An image that is large enough to be summed on its way: data at 2 and 40 MiB, holes elsewhere. */

enum { MIB = 1 << 20, LARGE = 66 * MIB, SMALL = 4 * MIB };

struct setting {
	struct scratch s;
	struct flash_source source;
	struct flash_proof proof;
	char path[256];
};

static void put(const struct setting *t, off_t at, size_t n, int byte)
{
	int fd = openat(t->s.fd, "w1.raw", O_WRONLY | O_CLOEXEC);
	char *data = malloc(n);

	memset(data, byte, n);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, n, at), (ssize_t)n);
	free(data);
	close(fd);
}

static void set_up(struct setting *t, off_t size)
{
	struct fault why = { 0 };
	struct text sums = { 0 };
	char hex[DIGEST_LEN];

	*t = (struct setting){ .s = scratch_open() };
	scratch_path(&t->s, "w1.raw", t->path);
	scratch_file(&t->s, "w1.raw", size);
	put(t, 2 * MIB, MIB + 5, 'a');
	if (size == LARGE)
		put(t, 40 * MIB, 9 * MIB, 'b');
	assert_int_equal(digest_file(t->path, hex, &why), 0);
	text_addf(&sums, "%s  w1.raw\n", hex);
	scratch_write(&t->s, SUMS_NAME, 0644, text_str(&sums));
	text_done(&sums);
}

static void tear_down(struct setting *t)
{
	flash_proof_done(&t->proof);
	flash_source_done(&t->source);
	scratch_close(&t->s);
}

static int open_proof(struct setting *t, const struct sums_key *key, struct fault *why)
{
	struct progress progress;
	const struct flash_claim claim = { t->path, "w1", key, &progress };

	progress_init(&progress, true);
	flash_proof_done(&t->proof);
	flash_source_done(&t->source);
	if (flash_source_open(t->path, &t->source, why) < 0)
		fail_msg("%s", why->text);
	return flash_proof_open(&t->proof, &t->source, &claim, why);
}

/* As flash_write() reads it. */
static int read_all(struct setting *t, struct fault *why)
{
	const struct flash_piece *piece;
	struct flash_ring ring = { 0 };
	struct flash_map map = { 0 };
	int r = flash_map_make(&t->source, NULL, 0, FLASH_BLOCK, LARGE - FLASH_BLOCK, &map, why);

	if (r == 0)
		r = flash_ring_start(&ring, &t->source, &map, &t->proof, why);
	while (r == 0) {
		r = flash_ring_next(&ring, &piece, why);
		if (r <= 0)
			break;
		flash_ring_release(&ring);
		r = 0;
	}
	flash_ring_done(&ring);
	flash_map_done(&map);
	return r < 0 ? r : flash_proof_end(&t->proof, why);
}

static const struct {
	off_t at; /* where one byte is another; -1: nowhere */
	int r;
} changes[] = {
	{ -1, 0 },
	{ 0, -EBADMSG },	     /* before all that is read */
	{ 2 * MIB + 7, -EBADMSG },   /* in data */
	{ 3 * MIB + 4, -EBADMSG },   /* at its end */
	{ 20 * MIB, -EBADMSG },	     /* where a hole was */
	{ 48 * MIB + 1, -EBADMSG },  /* in the last data */
	{ LARGE - 1, -EBADMSG },     /* behind all that is read */
};

static void test_a_large_image_is_judged_when_it_was_read(void **state)
{
	(void)state;
	CASES (c, changes) {
		struct fault why = { 0 };
		struct setting t;

		set_up(&t, LARGE);
		if (c->at >= 0)
			put(&t, c->at, 1, 'x');
		assert_int_equal(open_proof(&t, NULL, &why), 0);
		assert_int_equal(t.proof.by, FLASH_BY_SUMS);
		assert_int_equal(read_all(&t, &why), c->r);
		if (c->r < 0)
			assert_non_null(strstr(why.text, "rackseed build --force w1"));
		tear_down(&t);
	}
}

static void test_the_bytes_that_were_read_are_what_is_judged(void **state)
{
	struct flash_piece piece = { .start = 2 * MIB, .length = 64 << 10, .kind = FLASH_DATA };
	struct fault why = { 0 };
	struct setting t;

	(void)state;
	set_up(&t, LARGE);
	assert_int_equal(open_proof(&t, NULL, &why), 0);
	piece.data = malloc(piece.length);
	memset(piece.data, 'x', piece.length); /* the file has another by now */
	assert_int_equal(flash_proof_follow(&t.proof, &t.source, &piece, &why), 0);
	assert_int_equal(flash_proof_end(&t.proof, &why), -EBADMSG);
	free(piece.data);
	tear_down(&t);
}

static void test_a_small_image_is_judged_at_once(void **state)
{
	struct fault why = { 0 };
	struct setting t;

	(void)state;
	set_up(&t, SMALL);
	assert_int_equal(open_proof(&t, NULL, &why), 0);
	assert_int_equal(flash_proof_end(&t.proof, &why), 0);
	put(&t, 5, 1, 'x');
	assert_int_equal(open_proof(&t, NULL, &why), -EBADMSG);
	assert_int_equal(t.proof.by, FLASH_BY_NOBODY);
	tear_down(&t);
}

static void test_without_sums_nobody_vouches(void **state)
{
	const struct sums_key key = { .name = "secrets/signing.key" };
	struct fault why = { 0 };
	struct setting t;

	(void)state;
	set_up(&t, LARGE);
	assert_int_equal(open_proof(&t, &key, &why), -EKEYREJECTED);
	scratch_write(&t.s, SUMS_NAME, 0644, "");
	assert_int_equal(open_proof(&t, NULL, &why), 0);
	assert_int_equal(t.proof.by, FLASH_BY_NOBODY);
	assert_int_equal(unlinkat(t.s.fd, SUMS_NAME, 0), 0);
	assert_int_equal(open_proof(&t, NULL, &why), 0);
	assert_int_equal(t.proof.by, FLASH_BY_NOBODY);
	assert_int_equal(open_proof(&t, &key, &why), -ENOENT);
	assert_non_null(strstr(why.text, "--unsigned"));
	tear_down(&t);
}

static void test_it_stops_when_told_to(void **state)
{
	struct fault why = { 0 };
	struct setting t;
	atomic_bool stop = true;

	(void)state;
	set_up(&t, LARGE);
	assert_int_equal(open_proof(&t, NULL, &why), 0);
	t.proof.stop = &stop;
	assert_int_equal(read_all(&t, &why), -ECANCELED);
	tear_down(&t);
}

static void test_each_word_is_one(void **state)
{
	enum flash_vouched by;

	(void)state;
	for (by = 0; by < FLASH_N_VOUCHED; by++)
		assert_true(flash_vouched_name(by)[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_large_image_is_judged_when_it_was_read),
		cmocka_unit_test(test_the_bytes_that_were_read_are_what_is_judged),
		cmocka_unit_test(test_a_small_image_is_judged_at_once),
		cmocka_unit_test(test_without_sums_nobody_vouches),
		cmocka_unit_test(test_it_stops_when_told_to),
		cmocka_unit_test(test_each_word_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
