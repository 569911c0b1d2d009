/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "base/macros.h"
#include "firstboot/journal.h"

/* The error comes last, and once was cut off where what went before it was long. */
static void test_the_newest_words_are_kept(void **s)
{
	static const char *const lines[] = { "newest", "older", "oldest" };
	static const struct {
		size_t n, room;
		const char *want;
	} cases[] = {
		{ 0, 100, "" },
		{ 1, 100, "newest" },
		{ 3, 100, "oldest | older | newest" },
		{ 3, 26, "oldest | older | newest" },
		{ 3, 25, "older | newest" },
		{ 3, 16, "newest" },
		{ 3, 1, "newest" },
	};

	(void)s;
	CASES (c, cases) {
		scoped(text_done) struct text out = { 0 };

		journal_join(lines, c->n, c->room, &out);
		assert_string_equal(text_str(&out), c->want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_newest_words_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
