/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/run.h"
#include "image/ext4.h"
#include "image/render.h"
#include "tests/image/scratch.h"

enum { OFFSET = 3 << 20, EPOCH = 1767225600 };

static void make_tree(const struct scratch *s, const char *root)
{
	char name[256], other[256];

	snprintf(name, sizeof(name), "%s/etc/hosts", root);
	scratch_write(s, name, 0644, "127.0.0.1 localhost\n");
	snprintf(name, sizeof(name), "%s/etc/secret", root);
	scratch_write(s, name, 0600, "x");
	snprintf(other, sizeof(other), "%s/etc/linked", root);
	assert_int_equal(linkat(s->fd, name, s->fd, other, 0), 0);
	snprintf(name, sizeof(name), "%s/link", root);
	assert_int_equal(symlinkat("etc/hosts", s->fd, name), 0);
}

static void make_disk(const struct scratch *s, const char *root, const char *disk)
{
	char disk_path[256], root_path[256], conf[256];
	struct ext4 what = { .disk = scratch_path(s, disk, disk_path),
			     .offset = OFFSET,
			     .root = scratch_path(s, root, root_path),
			     .uuid = "11111111-1111-8111-a111-111111111111",
			     .hash_seed = "22222222-2222-8222-a222-222222222222",
			     .mke2fs_conf = scratch_path(s, "conf", conf),
			     .epoch = EPOCH };
	struct fault why = { 0 };

	scratch_write(s, "conf", 0644, render_mke2fs_conf);
	assert_int_equal(ext4_measure(what.root, &what.size, &why), 0);
	assert_int_equal(what.size % (1 << 20), 0);
	scratch_file(s, disk, (off_t)(OFFSET + what.size));
	if (ext4_make(&what, &why) < 0)
		fail_msg("%s", why.text);
}

static void ask(const struct scratch *s, const char *request, struct text *out)
{
	const char *const argv[] = { "debugfs", "-R", request, "disk?offset=3145728", NULL };
	struct fault why = { 0 };

	if (run(&(struct run){ .argv = argv, .out = out, .dir = s->path }, &why) < 0)
		fail_msg("%s", why.text);
}

static void test_the_file_system_is_sound_and_holds_the_tree(void **state)
{
	static const char *const argv[] = { "e2fsck", "-f", "-n", "disk?offset=3145728", NULL };
	struct scratch s = scratch_open();
	struct text hosts = { 0 }, stat = { 0 };
	struct fault why = { 0 };

	(void)state;
	make_tree(&s, "root");
	make_disk(&s, "root", "disk");
	if (run(&(struct run){ .argv = argv, .dir = s.path }, &why) < 0)
		fail_msg("%s", why.text);
	ask(&s, "cat /etc/hosts", &hosts);
	assert_string_equal(text_str(&hosts), "127.0.0.1 localhost\n");
	ask(&s, "stat /etc/secret", &stat);
	assert_non_null(strstr(text_str(&stat), "Mode:  0600"));
	assert_non_null(strstr(text_str(&stat), "Links: 2"));
	text_done(&hosts);
	text_done(&stat);
	scratch_close(&s);
}

static void test_no_time_of_it_is_later_than_the_epoch(void **state)
{
	static const char *const times[] = { "ctime", "atime", "mtime", "crtime" };
	struct scratch s = scratch_open();
	struct text stat = { 0 };

	(void)state;
	make_tree(&s, "root");
	make_disk(&s, "root", "disk");
	ask(&s, "stat /etc/hosts", &stat);
	CASES (t, times) {
		const char *at = strstr(text_str(&stat), *t);

		assert_non_null(at);
		assert_memory_equal(strchr(at, ':'), ": 0x6955b900:00000000", 21);
	}
	text_done(&stat);
	scratch_close(&s);
}

/* A folder that once held many files stays large. */
static void make_large(const struct scratch *s, const char *root)
{
	char name[512];
	int i, fd;

	for (i = 0; i < 6000; i++) {
		snprintf(name, sizeof(name), "%s/etc/%0200d", root, i);
		fd = openat(s->fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		close(fd);
	}
	for (i = 0; i < 6000; i++) {
		snprintf(name, sizeof(name), "%s/etc/%0200d", root, i);
		assert_int_equal(unlinkat(s->fd, name, 0), 0);
	}
}

static void test_two_trees_of_the_same_files_give_the_same_bytes(void **state)
{
	const struct timespec pause = { .tv_sec = 1, .tv_nsec = 100000000 };
	static const char *const argv[] = { "cmp", "disk", "disk2", NULL };
	struct scratch s = scratch_open();
	struct fault why = { 0 };

	(void)state;
	make_tree(&s, "root");
	make_disk(&s, "root", "disk");
	nanosleep(&pause, NULL);
	make_tree(&s, "root2");
	make_large(&s, "root2");
	make_disk(&s, "root2", "disk2");
	if (run(&(struct run){ .argv = argv, .dir = s.path }, &why) < 0)
		fail_msg("%s", why.text);
	scratch_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_file_system_is_sound_and_holds_the_tree),
		cmocka_unit_test(test_no_time_of_it_is_later_than_the_epoch),
		cmocka_unit_test(test_two_trees_of_the_same_files_give_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
