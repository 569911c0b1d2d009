/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "cluster/model.h"
#include "image/vm_data.h"

static const struct model_node node = { .name = (char *)"storage",
					.vm = { .data_bytes = 64 << 20 } };

static void test_makes_a_disk_once_and_never_again(void **state)
{
	char folder[] = "/tmp/rackseed-vm-data-XXXXXX";
	struct text path = { 0 };
	struct fault why = { 0 };
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(vm_data_make(folder, &node, &path, &why), 1);
	assert_int_equal(stat(text_str(&path), &st), 0);
	assert_true(st.st_size > 0);
	assert_int_equal(truncate(text_str(&path), 3), 0); /* stands for what a node wrote */
	text_done(&path);
	assert_int_equal(vm_data_make(folder, &node, &path, &why), 0);
	assert_string_equal(strrchr(text_str(&path), '/'), "/storage.data.qcow2");
	assert_int_equal(stat(text_str(&path), &st), 0);
	assert_int_equal(st.st_size, 3);
	text_done(&path);
	assert_int_equal(fs_remove_tree(AT_FDCWD, folder, &why), FS_CHANGED);
}

static void test_a_machine_without_one_gets_none(void **state)
{
	static const struct model_node plain = { .name = (char *)"w1" };
	struct text path = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(vm_data_make("/nowhere", &plain, &path, &why), 0);
	assert_int_equal(path.len, 0);
}

static void test_a_folder_that_is_not_there_is_a_fault(void **state)
{
	struct text path = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_true(vm_data_make("/nowhere", &node, &path, &why) < 0);
	assert_true(why.text[0]);
	text_done(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_makes_a_disk_once_and_never_again),
		cmocka_unit_test(test_a_machine_without_one_gets_none),
		cmocka_unit_test(test_a_folder_that_is_not_there_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
