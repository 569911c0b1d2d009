/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "image/sums.h"

#define A "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define B "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void test_lines_are_sorted_by_name(void **state)
{
	static const char *const names[] = { "worker.qcow2", "build.json",
					     "golden-0123456789abcdef.raw", "master.qcow2",
					     "golden-0123456789abcdef.spdx.json" };
	struct sums s = { 0 }, again = { 0 };
	struct text out = { 0 }, out2 = { 0 };
	struct fault why = { 0 };

	(void)state;
	CASES (name, names)
		assert_int_equal(sums_put(&s, *name, A), 0);
	assert_int_equal(sums_put(&s, "master.qcow2", B), 0);
	sums_render(&s, &out);
	assert_golden("image/SHA256SUMS", text_str(&out));
	assert_int_equal(sums_parse(text_str(&out), out.len, &again, &why), 0);
	sums_render(&again, &out2);
	assert_string_equal(text_str(&out), text_str(&out2));
	text_done(&out);
	text_done(&out2);
	sums_done(&s);
	sums_done(&again);
}

static void test_a_file_is_found_and_forgotten(void **state)
{
	struct sums s = { 0 };

	(void)state;
	assert_null(sums_find(&s, "a"));
	sums_drop(&s, "a");
	assert_int_equal(sums_put(&s, "b", A), 0);
	assert_int_equal(sums_put(&s, "a", B), 0);
	assert_int_equal(sums_put(&s, "c", B), 0);
	assert_string_equal(sums_find(&s, "b")->hex, A);
	assert_null(sums_find(&s, "bb"));
	sums_drop(&s, "b");
	sums_drop(&s, "b");
	assert_null(sums_find(&s, "b"));
	assert_string_equal(sums_find(&s, "a")->hex, B);
	assert_string_equal(sums_find(&s, "c")->hex, B);
	assert_int_equal(s.n, 2);
	sums_done(&s);
}

static const struct {
	const char *text;
	int r;
	const char *says;
} texts[] = {
	{ "", 0, NULL },
	{ A "  a.raw\n" B " *b.raw\n", 0, NULL },
	{ A "  a.raw", -EBADMSG, "line 1: ends in the middle" },
	{ A "  a.raw\n\n", -EBADMSG, "line 2: not a sum" },
	{ A "  a.raw\n" B "  a.raw\n", -EBADMSG, "line 2: 'a.raw' a second time" },
	{ A "  ../a.raw\n", -EBADMSG, "line 1: not a sum" },
	{ A "  sub/a.raw\n", -EBADMSG, "line 1: not a sum" },
	{ A "  .hidden\n", -EBADMSG, "line 1: not a sum" },
	{ A "  a\\nb\n", -EBADMSG, "line 1: not a sum" },
	{ A "  a\033[2J\n", -EBADMSG, "line 1: not a sum" },
	{ A "  \n", -EBADMSG, "line 1: not a sum" },
	{ A " a.raw\n", -EBADMSG, "line 1: not a sum" },
	{ "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD  a\n", -EBADMSG,
	  "line 1: not a sum" },
	{ "# a remark\n", -EBADMSG, "line 1: not a sum" },
};

static void test_what_is_no_line_is_refused(void **state)
{
	(void)state;
	CASES (t, texts) {
		struct sums s = { 0 };
		struct fault why = { 0 };

		assert_int_equal(sums_parse(t->text, strlen(t->text), &s, &why), t->r);
		if (t->says && !strstr(why.text, t->says))
			fail_msg("'%s' is not in '%s'", t->says, why.text);
		sums_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_sorted_by_name),
		cmocka_unit_test(test_a_file_is_found_and_forgotten),
		cmocka_unit_test(test_what_is_no_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
