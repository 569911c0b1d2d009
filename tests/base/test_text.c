/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <stdint.h>
#include <wchar.h>

#include "base/macros.h"
#include "base/text.h"

/*
 * Stands in for libc's: counts, and notes whether the secret was in what it was given. The second
 * is what _FORTIFY_SOURCE makes of it.
 */
void __explicit_bzero_chk(void *p, size_t n, size_t room);

static struct {
	size_t calls, bytes, secrets;
} wiped;

#define SECRET "correct horse"

void explicit_bzero(void *p, size_t n)
{
	volatile char *bytes = p;
	size_t i;

	wiped.calls++;
	wiped.bytes += n;
	wiped.secrets += memmem(p, n, SECRET, strlen(SECRET)) != NULL;
	for (i = 0; i < n; i++)
		bytes[i] = 0;
}

void __explicit_bzero_chk(void *p, size_t n, size_t room)
{
	(void)room;
	explicit_bzero(p, n);
}

static void test_zeroed_is_empty(void **s)
{
	struct text t = { 0 };

	(void)s;
	assert_string_equal(text_str(&t), "");
	assert_int_equal(text_error(&t), 0);
	text_done(&t);
	text_done(&t);
	text_wipe(&t);
	assert_null(t.data);
}

static void test_adds_in_every_way(void **s)
{
	scoped(text_done) struct text t = { 0 };

	(void)s;
	text_add(&t, "");
	assert_string_equal(text_str(&t), "");
	text_add(&t, "one");
	text_addf(&t, " %s %d", "two", 3);
	text_addf(&t, "%s", "");
	text_add_n(&t, "\0x", 2);
	text_add_n(&t, NULL, 0);
	assert_int_equal(t.len, 11);
	assert_memory_equal(t.data, "one two 3\0x", 12);
	assert_int_equal(text_error(&t), 0);
}

static void test_grows_over_every_edge(void **s)
{
	scoped(text_done) struct text one = { 0 };
	size_t n;

	(void)s;
	for (n = 0; n < 5000; n++) {
		text_addf(&one, "%c", (char)('a' + n % 26));
		assert_int_equal(one.len, n + 1);
		assert_int_equal(strlen(text_str(&one)), n + 1);
	}
	for (n = 0; n < 5000; n++)
		assert_int_equal(one.data[n], 'a' + (int)(n % 26));
	for (n = 250; n < 262; n++) {
		scoped(text_done) struct text t = { 0 };

		text_add_n(&t, one.data, n);
		text_add(&t, "!");
		assert_int_equal(t.len, n + 1);
		assert_int_equal(strlen(t.data), n + 1);
	}
}

static void add_endless(struct text *t)
{
	text_add_n(t, "x", SIZE_MAX);
}

static void add_half(struct text *t)
{
	text_add_n(t, "x", SIZE_MAX / 2);
}

static void add_what_printf_cannot(struct text *t)
{
	static const wchar_t euro[] = { 0x20ac, 0 }; /* none of the C locale's characters */

	text_addf(t, "%ls", euro);
}

static void test_error_sticks_until_it_is_emptied(void **s)
{
	static void (*const ways[])(struct text *) = { add_endless, add_half,
						       add_what_printf_cannot };

	(void)s;
	CASES (way, ways) {
		struct text t = { 0 };

		text_add(&t, "kept");
		(*way)(&t);
		assert_int_equal(text_error(&t), -ENOMEM);
		(*way)(&t);
		text_add(&t, "more");
		text_addf(&t, "%d", 1);
		assert_string_equal(text_str(&t), "kept");
		assert_int_equal(text_error(&t), -ENOMEM);
		assert_null(text_take(&t));
		text_done(&t);
		assert_int_equal(text_error(&t), 0);
		text_add(&t, "again");
		assert_string_equal(text_str(&t), "again");
		text_done(&t);
	}
}

static void test_take_hands_over_and_leaves_empty(void **s)
{
	struct text t = { 0 };
	char *got = text_take(&t);

	(void)s;
	assert_string_equal(got, "");
	free(got);
	text_add(&t, "yours");
	got = text_take(&t);
	assert_string_equal(got, "yours");
	free(got);
	assert_null(t.data);
	assert_int_equal(t.len, 0);
	assert_int_equal(t.size, 0);
}

static void test_wipe_overwrites_all_that_was_held(void **s)
{
	struct text t = { 0 };
	size_t i;

	(void)s;
	memset(&wiped, 0, sizeof(wiped));
	text_add(&t, SECRET);
	text_wipe(&t);
	assert_int_equal(wiped.calls, 1);
	assert_int_equal(wiped.secrets, 1);
	assert_true(wiped.bytes > strlen(SECRET));
	assert_null(t.data);
	assert_int_equal(t.len, 0);

	/* Each place that it lived in while it grew. */
	memset(&wiped, 0, sizeof(wiped));
	text_add(&t, SECRET);
	for (i = 0; i < 3000; i++)
		text_add(&t, "x");
	assert_true(wiped.secrets >= 3);
	assert_int_equal(wiped.secrets, wiped.calls);
	text_wipe(&t);
	assert_int_equal(wiped.secrets, wiped.calls);
}

static void test_utf8_lengths(void **s)
{
	static const struct {
		const char *bytes;
		size_t n, want;
	} cases[] = {
		{ "a", 1, 1 },
		{ "", 1, 1 }, /* the NUL itself */
		{ "\x7f", 1, 1 },
		{ "\x80", 1, 0 },
		{ "\xbf", 1, 0 },
		{ "\xc1\xbf", 2, 0 },
		{ "\xc2\x80", 2, 2 },
		{ "\xc2", 1, 0 },
		{ "\xc2\x7f", 2, 0 },
		{ "\xc2\xc0", 2, 0 },
		{ "\xdf\xbf", 2, 2 },
		{ "\xe0\x9f\xbf", 3, 0 },
		{ "\xe0\xa0\x80", 3, 3 },
		{ "\xe2\x82\xac", 2, 0 },
		{ "\xe2\x82\xac", 3, 3 },
		{ "\xe2\x82\x2c", 3, 0 },
		{ "\xed\x9f\xbf", 3, 3 },
		{ "\xed\xa0\x80", 3, 0 },
		{ "\xef\xbf\xbf", 3, 3 },
		{ "\xf0\x8f\xbf\xbf", 4, 0 },
		{ "\xf0\x90\x80\x80", 4, 4 },
		{ "\xf0\x9f\x98\x80", 3, 0 },
		{ "\xf4\x8f\xbf\xbf", 4, 4 },
		{ "\xf4\x90\x80\x80", 4, 0 },
		{ "\xf5\x80\x80\x80", 4, 0 },
		{ "\xff", 1, 0 },
	};

	(void)s;
	CASES (c, cases) {
		/* An exact copy, so that reading on is seen. */
		char *copy = malloc(c->n);

		assert_non_null(copy);
		memcpy(copy, c->bytes, c->n);
		if (text_utf8(copy, c->n) != c->want)
			fail_msg("row %td: %zu", c - cases, text_utf8(copy, c->n));
		free(copy);
	}
}

static void test_what_a_terminal_would_obey(void **s)
{
	static const struct {
		const char *bytes;
		bool want;
	} cases[] = {
		{ "a", false },		    { "\x1f", true },	       { " ", false },
		{ "\x7f", true },	    { "\xc2\x80", true },	       { "\xc2\x9f", true },
		{ "\xc2\xa0", false },	    { "\xc3\x80", false },     { "\xe2\x80\x8d", false },
		{ "\xe2\x80\x8e", true },  { "\xe2\x80\x8f", true },   { "\xe2\x80\x90", false },
		{ "\xe2\x80\xa9", false }, { "\xe2\x80\xaa", true },   { "\xe2\x80\xae", true },
		{ "\xe2\x80\xaf", false }, { "\xe2\x81\xa5", false },  { "\xe2\x81\xa6", true },
		{ "\xe2\x81\xa9", true },  { "\xe2\x81\xaa", false },  { "\xe2\x82\x8e", false },
		{ "\xe3\x80\x8e", false }, { "\xf0\x9f\x98\x80", false },
	};

	(void)s;
	CASES (c, cases)
		if (text_is_control(c->bytes, strlen(c->bytes)) != c->want)
			fail_msg("row %td", c - cases);
}

static void test_what_a_program_said_can_be_shown(void **s)
{
	static const struct {
		const char *said, *want;
	} cases[] = {
		{ "", "" },
		{ "plain,\ttabbed\n", "plain, tabbed " },
		{ "\033[2J\a\rx\x7f", "?[2J??x?" },
		{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		  "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "rub\377bish", "rub?bish" },
		{ "cut \xe2\x82", "cut ??" },
		{ "\302\2332J\xc2\xa0", "?2J\xc2\xa0" }, /* a terminal's command in one character */
		{ "\xe2\x80\xae" "abc\xe2\x80\xa8", "?abc\xe2\x80\xa8" }, /* written backwards */
		{ "\xed\xa0\x80", "???" }, /* surrogate */
		{ "\xef\xb7\x8f\xef\xb7\x90\xef\xb7\xaf\xef\xb7\xb0",
		  "\xef\xb7\x8f??\xef\xb7\xb0" },
		{ "\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbd??" },
		{ "\xf0\x9f\xbf\xbd\xf0\x9f\xbf\xbf", "\xf0\x9f\xbf\xbd?" },
	};

	(void)s;
	CASES (c, cases) {
		char *copy = strdup(c->said);

		assert_non_null(copy);
		assert_ptr_equal(text_tame(copy), copy);
		assert_string_equal(copy, c->want);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_is_empty),
		cmocka_unit_test(test_adds_in_every_way),
		cmocka_unit_test(test_grows_over_every_edge),
		cmocka_unit_test(test_error_sticks_until_it_is_emptied),
		cmocka_unit_test(test_take_hands_over_and_leaves_empty),
		cmocka_unit_test(test_wipe_overwrites_all_that_was_held),
		cmocka_unit_test(test_utf8_lengths),
		cmocka_unit_test(test_what_a_terminal_would_obey),
		cmocka_unit_test(test_what_a_program_said_can_be_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
