/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include <errno.h>
#include <sys/stat.h>

#include "firstboot/folder.h"

static void test_makes_a_folder_once(void **state)
{
	struct fault why = { 0 };
	struct stat st;
	struct tree t;

	(void)state;
	if (geteuid() != 0)
		skip();
	tree_make(&t);
	assert_int_equal(folder_make(t.fd, "/srv/a/b", 0775, "games:nogroup", &why), FS_CHANGED);
	assert_int_equal(fstatat(t.fd, "srv/a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0775);
	assert_int_equal(st.st_uid, 5);
	assert_int_equal(st.st_gid, 65534);
	assert_int_equal(fstatat(t.fd, "srv/a", &st, 0), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(folder_make(t.fd, "/srv/a/b", 0775, "games:nogroup", &why), FS_SAME);
	assert_int_equal(folder_make(t.fd, "/srv/a/b", 0755, "games:nogroup", &why), FS_CHANGED);
	assert_int_equal(folder_make(t.fd, "/srv/a/b", 0755, "nobody:nogroup", &why), FS_CHANGED);
	tree_done(&t);
}

static void test_refuses_what_is_no_folder(void **state)
{
	struct fault why = { 0 };
	struct tree t;

	(void)state;
	tree_make(&t);
	tree_put(&t, "srv/file", "x");
	assert_int_equal(symlinkat("/etc", t.fd, "srv/link"), 0);
	assert_int_equal(folder_make(t.fd, "/srv/file", 0755, "root:root", &why), -ENOTDIR);
	assert_non_null(strstr(why.text, "/srv/file"));
	assert_true(folder_make(t.fd, "/srv/link", 0755, "root:root", &why) < 0);
	assert_int_equal(folder_make(t.fd, "/srv/a", 0755, "no-such-one:root", &why), -ENOENT);
	assert_non_null(strstr(why.text, "no-such-one"));
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_makes_a_folder_once),
		cmocka_unit_test(test_refuses_what_is_no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
