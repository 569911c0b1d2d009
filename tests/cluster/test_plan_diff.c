/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "base/macros.h"
#include "cluster/plan.h"

static struct plan_action file(const char *path, const char *content)
{
	return (struct plan_action){ .step = PLAN_HOSTNAME,
				     .kind = PLAN_FILE,
				     .mode = 0644,
				     .path = (char *)(uintptr_t)path,
				     .content = (char *)(uintptr_t)content };
}

static void assert_diff(const char *before, const char *after, const char *want)
{
	struct plan_action old = file("/f", before), new = file("/f", after);
	const struct plan a = { .actions = &old, .n = before != NULL };
	const struct plan b = { .actions = &new, .n = after != NULL };
	struct text out = { 0 };

	plan_diff(&a, &b, &out);
	assert_string_equal(text_str(&out), want);
	text_done(&out);
}

static void test_only_the_lines_that_differ_are_told(void **state)
{
	static const struct {
		const char *before, *after, *want;
	} cases[] = {
		{ "a\nb\n", "a\nb\n", "" },
		{ NULL, NULL, "" },
		{ NULL, "a\n", "added file /f 0644\n    +a\n" },
		{ "a\nb\n", NULL, "removed file /f 0644\n    -a\n    -b\n" },
		{ "a\nb\nc\n", "a\nx\nc\n", "changed file /f 0644\n    -b\n    +x\n" },
		{ "a\nc\n", "a\nb\nc\n", "changed file /f 0644\n    +b\n" },
		{ "a\nb\nc\n", "a\nc\n", "changed file /f 0644\n    -b\n" },
		{ "a\n", "a\na\n", "changed file /f 0644\n    +a\n" },
		{ "", "a\n", "changed file /f 0644\n    +a\n" },
		{ "b\n", "ab\n", "changed file /f 0644\n    -b\n    +ab\n" },
		{ "ab\n", "b\n", "changed file /f 0644\n    -ab\n    +b\n" },
		{ "xb\nc\n", "yb\nc\n", "changed file /f 0644\n    -xb\n    +yb\n" },
		{ "a\n\nb\n", "a\nb\n", "changed file /f 0644\n    -\n" },
		{ "a", "a\nb", "changed file /f 0644\n    -a\n    +a\n    +b\n" },
		{ "c\n", "b\nc\n", "changed file /f 0644\n    +b\n" },
	};

	(void)state;
	CASES (c, cases) {
		assert_diff(c->before, c->after, c->want);
	}
}

static void test_modes_links_and_kinds_count(void **state)
{
	struct plan_action old[] = { file("/a", "x\n"), file("/b", "x\n"), file("/gone", "") };
	struct plan_action new[] = { file("/b", "x\n"), file("/a", "/dev/null"), file("/c", "") };
	const struct plan a = { .actions = old, .n = COUNT(old) };
	const struct plan b = { .actions = new, .n = COUNT(new) };
	struct text out = { 0 };

	(void)state;
	new[0].mode = 0600;
	new[1].kind = PLAN_LINK;
	new[2].kind = PLAN_ABSENT;
	plan_diff(&a, &b, &out);
	assert_string_equal(text_str(&out), "changed file /b 0600\n"
					    "changed link /a -> /dev/null\n    -x\n"
					    "added absent /c\n"
					    "removed file /gone 0644\n");
	text_done(&out);
}

static void test_a_diff_as_it_is_read(void **state)
{
	struct plan_action old[] = {
		file("/etc/hostname", "w1\n"),
		file("/etc/hosts", "127.0.0.1 localhost\n192.168.10.50 cp1\n192.168.10.60 reg\n"),
		file("/etc/old.conf", "a = 1\nb = 2\n"),
		file("/etc/resolv.conf", "../run/resolv.conf"),
	};
	struct plan_action new[] = {
		file("/etc/hostname", "w1\n"),
		file("/etc/hosts", "127.0.0.1 localhost\n192.168.10.51 cp1\n192.168.10.60 reg\n"
				   "192.168.10.70 w2\n"),
		file("/etc/new.conf", "no end of line"),
		file("/etc/resolv.conf", "../run/other.conf"),
	};
	const struct plan a = { .actions = old, .n = COUNT(old) };
	const struct plan b = { .actions = new, .n = COUNT(new) };
	struct text out = { 0 };

	(void)state;
	old[3].kind = new[3].kind = PLAN_LINK;
	plan_diff(&a, &b, &out);
	assert_golden("plan/diff.txt", text_str(&out));
	text_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_lines_that_differ_are_told),
		cmocka_unit_test(test_modes_links_and_kinds_count),
		cmocka_unit_test(test_a_diff_as_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
