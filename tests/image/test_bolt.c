/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <endian.h>
#include <errno.h>

#include "image/bolt.h"

/*
 * A file as bolt lays it out: metas in pages 0 and 1, free pages in 2, the root bucket in leaf 3.
 * It holds the bucket "v1", whose branch is page 4 with the leaves 5 and 6, which hold the inline
 * bucket "labels", "createdat" and "size".
 */
enum { PAGE = 4096, N_PAGES = 8, EPOCH = 1767225600 };

struct file {
	unsigned char bytes[PAGE * N_PAGES];
};

static void put(struct file *f, size_t at, uint64_t value, size_t n)
{
	uint64_t le = htole64(value);

	memcpy(f->bytes + at, &le, n);
}

static void put_page(struct file *f, size_t at, uint64_t id, unsigned flags, unsigned count)
{
	put(f, at, id, 8);
	put(f, at + 8, flags, 2);
	put(f, at + 10, count, 2);
	put(f, at + 12, 0, 4);
}

/* The element number i of a leaf at page; its key and value lie at offset data of the page. */
static void put_leaf(struct file *f, size_t page, unsigned i, unsigned flags, size_t data,
		     const char *key, const void *value, size_t len)
{
	size_t at = page + 16 + 16 * i;

	put(f, at, flags, 4);
	put(f, at + 4, page + data - at, 4);
	put(f, at + 8, strlen(key), 4);
	put(f, at + 12, len, 4);
	memcpy(f->bytes + page + data, key, strlen(key));
	memcpy(f->bytes + page + data + strlen(key), value, len);
}

static void put_meta(struct file *f, size_t number, uint64_t transaction)
{
	uint64_t sum = 14695981039346656037U;
	size_t at = number * PAGE + 16, i;

	put_page(f, number * PAGE, number, 4, 0);
	put(f, at, 0xED0CDAED, 4);
	put(f, at + 4, 2, 4);
	put(f, at + 8, PAGE, 4);
	put(f, at + 12, 0, 4);
	put(f, at + 16, 3, 8); /* the root bucket's page */
	put(f, at + 24, 0, 8);
	put(f, at + 32, 2, 8);
	put(f, at + 40, N_PAGES, 8);
	put(f, at + 48, transaction, 8);
	for (i = 0; i < 56; i++)
		sum = (sum ^ f->bytes[at + i]) * 1099511628211U;
	put(f, at + 56, sum, 8);
}

static void put_branch(struct file *f)
{
	static const char *const keys[] = { "createdat", "size" };
	size_t i;

	put_page(f, 4 * PAGE, 4, 1, 2);
	for (i = 0; i < 2; i++) {
		size_t at = 4 * PAGE + 16 + 16 * i;

		put(f, at, 4 * PAGE + 100 + 20 * i - at, 4);
		put(f, at + 4, strlen(keys[i]), 4);
		put(f, at + 8, 5 + i, 8);
		memcpy(f->bytes + 4 * PAGE + 100 + 20 * i, keys[i], strlen(keys[i]));
	}
}

static void make(struct file *f, unsigned char second, unsigned char rubbish)
{
	const unsigned char time[15] = { 1,	 0, 0, 0, 0x0e, 0xdd, 0x31, 0x10,
					 second, 0, 0, 0, 7,	0xff, 0xff };
	unsigned char labels[16 + 16 + 16 + 4] = { 0 };
	unsigned char bucket[16] = { 4, 0, 0, 0, 0, 0, 0, 0, 9 }; /* page 4, sequence 9 */

	memset(f->bytes, rubbish, sizeof(f->bytes));
	put_meta(f, 0, 6);
	put_meta(f, 1, 5);
	put_page(f, 2 * PAGE, 2, 0x10, 0);
	put_page(f, 3 * PAGE, 3, 2, 1);
	put_leaf(f, 3 * PAGE, 0, 1, 64, "v1", bucket, sizeof(bucket));
	put_branch(f);
	put_page(f, 5 * PAGE, 5, 2, 2);
	put_leaf(f, 5 * PAGE, 0, 0, 64, "createdat", time, sizeof(time));
	/* An inline bucket: its page follows the 16 bytes, one element "k" with the value "val". */
	labels[16 + 8] = 2;
	labels[16 + 10] = 1;
	labels[32 + 4] = 16;
	labels[32 + 8] = 1;
	labels[32 + 12] = 3;
	memcpy(labels + 48, "kval", 4);
	put_leaf(f, 5 * PAGE, 1, 1, 128, "labels", labels, sizeof(labels));
	put_page(f, 6 * PAGE, 6, 2, 1);
	put_leaf(f, 6 * PAGE, 0, 0, 64, "size", "\x2a", 1);
}

static struct text settle(const struct file *f)
{
	struct text out = { 0 };
	struct fault why = { 0 };

	if (bolt_settle((const char *)f->bytes, sizeof(f->bytes), EPOCH, &out, &why) < 0)
		fail_msg("%s", why.text);
	return out;
}

static void test_the_same_contents_give_the_same_file(void **state)
{
	static struct file a, b;
	struct text one, two;

	(void)state;
	make(&a, 1, 0);
	make(&b, 2, 0xee);
	one = settle(&a);
	two = settle(&b);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	text_done(&one);
	text_done(&two);
}

static void test_keys_and_values_are_kept_and_times_are_the_epoch(void **state)
{
	static const char time[15] = { 1, 0, 0, 0, 0x0e, (char)0xe0, (char)0xe7, (char)0xb0,
				       0, 0, 0, 0, 0,	 (char)0xff, (char)0xff };
	static struct file a;
	struct text out;
	const char *at;

	(void)state;
	make(&a, 1, 0);
	out = settle(&a);
	/* two metas, free pages, "v1" and the root; the labels are inline */
	assert_int_equal(out.len, 5 * PAGE);
	at = memmem(out.data, out.len, "createdat", 9);
	assert_non_null(at);
	assert_memory_equal(at + 9, time, sizeof(time));
	assert_non_null(memmem(out.data, out.len, "kval", 4));
	assert_non_null(memmem(out.data, out.len, "size\x2a", 5));
	text_done(&out);
}

static void test_what_it_wrote_it_reads_and_leaves_as_it_is(void **state)
{
	static struct file a;
	struct text once, twice = { 0 };
	struct fault why = { 0 };

	(void)state;
	make(&a, 1, 0);
	once = settle(&a);
	assert_int_equal(bolt_settle(once.data, once.len, EPOCH, &twice, &why), 0);
	assert_int_equal(once.len, twice.len);
	assert_memory_equal(once.data, twice.data, once.len);
	text_done(&once);
	text_done(&twice);
}

static void test_survives_any_damaged_byte_and_any_length(void **state)
{
	static struct file a;
	size_t i, n_refused = 0;

	(void)state;
	make(&a, 1, 0);
	for (i = 0; i < sizeof(a.bytes); i += i % PAGE < 256 ? 1 : 512) {
		struct text out = { 0 };
		struct fault why = { 0 };
		int r;

		a.bytes[i] ^= 0xff;
		r = bolt_settle((const char *)a.bytes, sizeof(a.bytes), EPOCH, &out, &why);
		assert_true(r == 0 || r == -EBADMSG || r == -EFBIG);
		n_refused += r < 0;
		a.bytes[i] ^= 0xff;
		text_done(&out);
		r = bolt_settle((const char *)a.bytes, i, EPOCH, &out, &why);
		assert_true(r == -EBADMSG || i > 6 * PAGE);
		text_done(&out);
	}
	assert_true(n_refused > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_contents_give_the_same_file),
		cmocka_unit_test(test_keys_and_values_are_kept_and_times_are_the_epoch),
		cmocka_unit_test(test_what_it_wrote_it_reads_and_leaves_as_it_is),
		cmocka_unit_test(test_survives_any_damaged_byte_and_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
