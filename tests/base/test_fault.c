/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "base/fault.h"

static void test_a_failure_without_a_code_is_none_of_success(void **s)
{
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(fault_set(&why, 0, "x"), -EIO);
	assert_int_equal(fault_errno(&why, 0, "x"), -EIO);
	assert_int_equal(why.code, EIO);
}

static void test_code_is_taken_with_either_sign(void **s)
{
	static const int codes[] = { ENOENT, -ENOENT };

	(void)s;
	CASES (code, codes) {
		struct fault why = { 0 };

		assert_int_equal(fault_set(&why, *code, "file '%s'", "x"), -ENOENT);
		assert_int_equal(why.code, ENOENT);
		assert_string_equal(why.text, "file 'x'");
		assert_int_equal(fault_errno(&why, *code, "file '%s'", "y"), -ENOENT);
		assert_int_equal(why.code, ENOENT);
		assert_string_equal(why.text, "file 'y': No such file or directory");
	}
}

static void test_setting_replaces_and_wrapping_puts_in_front(void **s)
{
	struct fault why = { 0 };

	(void)s;
	fault_set(&why, EIO, "old");
	fault_set(&why, EINVAL, "line %d", 41);
	assert_int_equal(fault_wrap(&why, "node '%s'", "w1"), -EINVAL);
	assert_int_equal(fault_wrap(&why, "%s", "cluster.yaml"), -EINVAL);
	assert_string_equal(why.text, "cluster.yaml: node 'w1': line 41");
}

static void test_text_is_cut_and_terminated(void **s)
{
	char line[3000];
	struct fault why = { 0 };

	(void)s;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(fault_set(&why, EIO, "%s", line), -EIO);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
	assert_int_equal(fault_errno(&why, EIO, "%s", line), -EIO);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
	assert_int_equal(fault_wrap(&why, "front"), -EIO);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
	assert_memory_equal(why.text, "front: xxx", 10);
	assert_int_equal(fault_wrap(&why, "%s", line), -EIO);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
}

static void test_a_percent_sign_in_the_text_means_nothing(void **s)
{
	struct fault why = { 0 };

	(void)s;
	fault_set(&why, EIO, "%s", "100%s sure");
	assert_int_equal(fault_wrap(&why, "a"), -EIO);
	assert_string_equal(why.text, "a: 100%s sure");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_failure_without_a_code_is_none_of_success),
		cmocka_unit_test(test_code_is_taken_with_either_sign),
		cmocka_unit_test(test_setting_replaces_and_wrapping_puts_in_front),
		cmocka_unit_test(test_text_is_cut_and_terminated),
		cmocka_unit_test(test_a_percent_sign_in_the_text_means_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
