/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "image/file_sum.h"
#include "tests/image/scratch.h"

enum { MIB = 1 << 20 };

/* Data at some places of a file, holes elsewhere. */
static const struct {
	off_t size;
	struct {
		off_t at;
		size_t n;
	} data[3];
} files[] = {
	{ 0, { { 0 } } },
	{ 1, { { 0, 1 } } },
	{ 5 * MIB, { { 0 } } },
	{ 5 * MIB + 17, { { 0, 4096 }, { 3 * MIB, MIB }, { 5 * MIB, 17 } } },
	{ 9 * MIB, { { MIB + 4096, 2 * MIB + 1 } } },
	{ 3 * MIB, { { 0, 3 * MIB } } },
};

static int make(const struct scratch *s, size_t i)
{
	int fd;
	size_t k;

	scratch_file(s, "file", files[i].size);
	fd = openat(s->fd, "file", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	for (k = 0; k < 3 && files[i].data[k].n; k++) {
		char *bytes = malloc(files[i].data[k].n);

		memset(bytes, (int)(k + 'a'), files[i].data[k].n);
		assert_int_equal(pwrite(fd, bytes, files[i].data[k].n, files[i].data[k].at),
				 (ssize_t)files[i].data[k].n);
		free(bytes);
	}
	return fd;
}

/* As sha256sum(1) has it. */
static void sum_of(const struct scratch *s, char hex[static DIGEST_LEN])
{
	struct fault why = { 0 };
	char path[256];

	if (digest_file(scratch_path(s, "file", path), hex, &why) < 0)
		fail_msg("%s", why.text);
}

static void test_holes_count_as_sha256sum_counts_them(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct scratch s = scratch_open();
		struct fault why = { 0 };
		char got[DIGEST_LEN], want[DIGEST_LEN];
		int fd = make(&s, i);

		sum_of(&s, want);
		assert_int_equal(file_sum(fd, NULL, got, &why), 0);
		assert_string_equal(got, want);
		close(fd);
		scratch_close(&s);
	}
}

static void test_what_was_read_anyway_is_not_read_again(void **state)
{
	struct scratch s = scratch_open();
	struct fault why = { 0 };
	struct file_sum sum;
	char got[DIGEST_LEN], want[DIGEST_LEN];
	char *bytes = malloc(MIB), other = 'x';
	int fd = make(&s, 3);

	(void)state;
	sum_of(&s, want);
	memset(bytes, 'b', MIB);
	assert_int_equal(file_sum_begin(&sum, fd, &why), 0);
	assert_int_equal(file_sum_to(&sum, 3 * MIB, NULL, &why), 0);
	/* The file is another one by then, which is not seen: the bytes that were given count. */
	assert_int_equal(pwrite(fd, &other, 1, 3 * MIB + 5), 1);
	assert_int_equal(file_sum_take(&sum, bytes, MIB, &why), 0);
	assert_int_equal(sum.at, 4 * MIB);
	assert_int_equal(file_sum_end(&sum, NULL, got, &why), 0);
	assert_string_equal(got, want);
	file_sum_done(&sum);
	free(bytes);
	close(fd);
	scratch_close(&s);
}

static void test_it_can_be_stopped(void **state)
{
	struct scratch s = scratch_open();
	struct fault why = { 0 };
	struct file_sum sum;
	char hex[DIGEST_LEN];
	atomic_bool stop = true;
	int fd = make(&s, 4);

	(void)state;
	assert_int_equal(file_sum_begin(&sum, fd, &why), 0);
	assert_int_equal(file_sum_end(&sum, &stop, hex, &why), -ECANCELED);
	file_sum_done(&sum);
	close(fd);
	scratch_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holes_count_as_sha256sum_counts_them),
		cmocka_unit_test(test_what_was_read_anyway_is_not_read_again),
		cmocka_unit_test(test_it_can_be_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
