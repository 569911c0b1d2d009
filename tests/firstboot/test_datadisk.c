/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include <errno.h>

#include "firstboot/datadisk.h"
#include "firstboot/units.h"

#define MIB ((off_t)1 << 20)
#define GIB ((off_t)1 << 30)

static bool goes_on(void *data)
{
	int *left = data;

	return !left || (*left)-- > 0;
}

/* A file without blocks, as a disk; left: how many pieces may be read. */
static int zeros(off_t size, off_t at, const char *bytes, size_t n, int *left)
{
	const struct units_tick tick = { .alive = goes_on, .data = left };
	struct fault why = { 0 };
	struct tree t;
	int fd, r;

	tree_make(&t);
	fd = openat(t.fd, "disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	if (n > 0)
		assert_int_equal(pwrite(fd, bytes, n, at), n);
	r = datadisk_zeros(fd, &tick, &why);
	assert_int_equal(why.code, r < 0 ? -r : 0);
	drop_fd(&fd);
	tree_done(&t);
	return r;
}

/* A partition at 1 MiB that holds ext4, under a first MiB that was zeroed: nobody's to format. */
static void test_a_file_system_is_found_though_the_partition_table_is_gone(void **state)
{
	static const char magic[] = { 0x53, (char)0xef };

	(void)state;
	assert_int_equal(zeros(64 * MIB, MIB + 1024 + 56, magic, sizeof(magic), NULL), 0);
	assert_int_equal(zeros(200 * GIB, MIB + 1024 + 56, magic, sizeof(magic), NULL), 0);
}

static void test_one_byte_makes_a_disk_somebodys(void **state)
{
	static const struct {
		off_t size, at;
	} cases[] = {
		{ 1, 0 },
		{ 77 * MIB, 0 },
		{ 77 * MIB, 700000 },
		{ 77 * MIB, 38 * MIB + 12345 },
		{ 77 * MIB, 77 * MIB - 1 },
		{ 77 * MIB + 512, 77 * MIB + 511 },
		{ GIB, GIB / 2 + 1 }, /* the largest that is read in full */
		{ 500 * GIB, 0 },
		{ 500 * GIB, 64 * MIB - 1 },
		{ 500 * GIB, 500 * GIB - 16 * MIB },
		{ 500 * GIB, 500 * GIB - 1 },
	};

	(void)state;
	CASES (c, cases) {
		assert_int_equal(zeros(c->size, 0, NULL, 0, NULL), 1);
		assert_int_equal(zeros(c->size, c->at, "x", 1, NULL), 0);
	}
}

/* What lies far from both ends of a large disk is found when there is more of it than a gap. */
static void test_a_large_disk_is_sampled_all_over(void **state)
{
	static char data[8 << 20];
	off_t at;

	(void)state;
	memset(data, 'x', sizeof(data));
	for (at = GIB / 2; at < 7 * GIB; at += GIB)
		assert_int_equal(zeros(8 * GIB, at, data, sizeof(data), NULL), 0);
}

static void test_it_ends_when_it_is_to(void **state)
{
	int left[] = { 0, 3, 100 };

	(void)state;
	CASES (l, left)
		assert_int_equal(zeros(8 * GIB, 0, NULL, 0, l), -ECANCELED);
}

static void test_what_has_no_size_is_no_disk(void **state)
{
	(void)state;
	assert_int_equal(zeros(0, 0, NULL, 0, NULL), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_system_is_found_though_the_partition_table_is_gone),
		cmocka_unit_test(test_one_byte_makes_a_disk_somebodys),
		cmocka_unit_test(test_a_large_disk_is_sampled_all_over),
		cmocka_unit_test(test_it_ends_when_it_is_to),
		cmocka_unit_test(test_what_has_no_size_is_no_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
