/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <unistd.h>

#include "base/macros.h"
#include "firstboot/announce.h"

/* stderr goes to a file from begin to end; it is read back line by line. */
struct ear {
	FILE *file;
	int stderr_fd;
};

static void begin(struct ear *ear)
{
	fflush(stderr);
	ear->file = tmpfile();
	assert_non_null(ear->file);
	ear->stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_true(ear->stderr_fd >= 0);
	assert_true(dup2(fileno(ear->file), STDERR_FILENO) >= 0);
}

static void end(struct ear *ear, struct text *out)
{
	char buf[4096];
	ssize_t n;

	fflush(stderr);
	(void)dup2(ear->stderr_fd, STDERR_FILENO);
	close(ear->stderr_fd);
	(void)lseek(fileno(ear->file), 0, SEEK_SET);
	while ((n = read(fileno(ear->file), buf, sizeof(buf))) > 0)
		text_add_n(out, buf, (size_t)n);
	fclose(ear->file);
}

struct row {
	int64_t at_s;
	struct step_event event;
	const char *want; /* the line, or "": nothing */
};

/* One announcer hears all rows in turn. */
static void walk(const struct row *rows, size_t n)
{
	struct announcer to = { .under_systemd = false };
	size_t i;

	for (i = 0; i < n; i++) {
		scoped(text_done) struct text got = { 0 };
		scoped(text_done) struct text want = { 0 };
		struct ear ear;

		begin(&ear);
		announce(&to, &rows[i].event, rows[i].at_s * 1000);
		end(&ear, &got);
		if (*rows[i].want)
			text_addf(&want, "rackseed: %s\n", rows[i].want);
		if (strcmp(text_str(&got), text_str(&want)) != 0)
			fail_msg("row %zu: '%s', not '%s'", i, text_str(&got), text_str(&want));
	}
}

static void test_each_state_in_its_words(void **s)
{
	static const struct row rows[] = {
		{ 1, { "swap", STEP_PENDING, "", false }, "" },
		{ 1, { "swap", STEP_RUNNING, "", false }, "" },
		{ 1, { "swap", STEP_RUNNING, "turning it off", false }, "swap: turning it off" },
		{ 1, { "swap", STEP_FAILED, "no memory", false }, "swap: failed: no memory" },
		{ 2, { "swap", STEP_DONE, "changed", false }, "swap: changed" },
		{ 2, { "images", STEP_DONE, "", false }, "images: done" },
		{ 3, { "join", STEP_WAITING, "waiting for 10.0.0.1:6443, 0 s: refused", false },
		  "join: waiting for 10.0.0.1:6443, 0 s: refused" },
		{ 4, { "join", STEP_FAILED, "rub\377bish\033[2J", false },
		  "join: failed: rub?bish?[2J" },
	};

	(void)s;
	walk(rows, COUNT(rows));
}

static void test_repetition_is_told_once_a_minute(void **s)
{
	static const struct row rows[] = {
		{ 5, { "join", STEP_WAITING, "0 s", false }, "join: 0 s" },
		{ 15, { "join", STEP_WAITING, "10 s", true }, "" },
		{ 64, { "join", STEP_WAITING, "59 s", true }, "" },
		{ 65, { "join", STEP_WAITING, "60 s", true }, "join: 60 s" },
		{ 70, { "join", STEP_WAITING, "65 s", true }, "" },
		{ 124, { "join", STEP_WAITING, "119 s", true }, "" },
		{ 140, { "join", STEP_WAITING, "135 s", true }, "join: 135 s" },
		/* Another cause is news, and its minute begins with it. */
		{ 150, { "join", STEP_FAILED, "denied", false }, "join: failed: denied" },
		{ 201, { "join", STEP_FAILED, "denied", true }, "" },
		{ 210, { "join", STEP_FAILED, "denied", true }, "join: failed: denied" },
		{ 211, { "join", STEP_DONE, "changed", false }, "join: changed" },
		/* That a later look finds it so is never news. */
		{ 900, { "join", STEP_DONE, "as it must be", true }, "" },
		{ 901, { "shares", STEP_DONE, "as it must be", true }, "" },
	};

	(void)s;
	walk(rows, COUNT(rows));
}

static void test_other_lines_do_not_put_it_off(void **s)
{
	static const struct row rows[] = {
		{ 0, { "join", STEP_WAITING, "0 s", false }, "join: 0 s" },
		{ 30, { "clock", STEP_RUNNING, "asking", false }, "clock: asking" },
		{ 40, { "clock", STEP_DONE, "changed", false }, "clock: changed" },
		{ 45, { "shares", STEP_FAILED, "one", false }, "shares: failed: one" },
		{ 55, { "shares", STEP_FAILED, "two", false }, "shares: failed: two" },
		{ 60, { "join", STEP_WAITING, "60 s", true }, "join: 60 s" },
		{ 60, { "shares", STEP_FAILED, "two", true }, "" },
		{ 115, { "shares", STEP_FAILED, "two", true }, "shares: failed: two" },
		{ 119, { "join", STEP_WAITING, "119 s", true }, "" },
		{ 120, { "join", STEP_WAITING, "120 s", true }, "join: 120 s" },
	};

	(void)s;
	walk(rows, COUNT(rows));
}

/* The one that comes first in each round once took the minute of the one behind it. */
static void test_two_in_trouble_are_both_told(void **s)
{
	static const struct row rows[] = {
		{ 1, { "a", STEP_FAILED, "x", false }, "a: failed: x" },
		{ 1, { "b", STEP_FAILED, "y", false }, "b: failed: y" },
		{ 31, { "a", STEP_FAILED, "x", true }, "" },
		{ 31, { "b", STEP_FAILED, "y", true }, "" },
		{ 61, { "a", STEP_FAILED, "x", true }, "a: failed: x" },
		{ 61, { "b", STEP_FAILED, "y", true }, "b: failed: y" },
		{ 91, { "a", STEP_FAILED, "x", true }, "" },
		{ 91, { "b", STEP_FAILED, "y", true }, "" },
		{ 121, { "a", STEP_FAILED, "x", true }, "a: failed: x" },
		{ 121, { "b", STEP_FAILED, "y", true }, "b: failed: y" },
	};

	(void)s;
	walk(rows, COUNT(rows));
}

/* More names than a table of steps can hold: nothing is lost, at worst one is told too often. */
static void test_more_steps_than_rows_are_all_told(void **s)
{
	char names[STEPS_MAX + 4][8];
	struct announcer to = { .under_systemd = false };
	scoped(text_done) struct text got = { 0 };
	struct ear ear;
	size_t i, round, lines = 0;

	(void)s;
	begin(&ear);
	for (round = 0; round < 2; round++)
		for (i = 0; i < COUNT(names); i++) {
			struct step_event event = { names[i], STEP_FAILED, "x", round > 0 };

			snprintf(names[i], sizeof(names[i]), "s%zu", i);
			announce(&to, &event, (int64_t)(round * 60000 + i));
		}
	end(&ear, &got);
	for (i = 0; i < got.len; i++)
		lines += got.data[i] == '\n';
	assert_int_equal(lines, 2 * COUNT(names));
}

static void test_a_block_is_told_line_by_line(void **s)
{
	static const struct {
		const char *block, *want;
	} cases[] = {
		{ "", "" },	       { "one", "one\n" },	  { "one\n", "one\n" },
		{ "a\nb", "a\nb\n" },  { "a\n\nb\n", "a\n\nb\n" }, { "100%s\n", "100%s\n" },
	};

	(void)s;
	CASES (c, cases) {
		const struct announcer to = { .under_systemd = false };
		scoped(text_done) struct text got = { 0 };
		struct ear ear;

		begin(&ear);
		announce_block(&to, c->block);
		end(&ear, &got);
		assert_string_equal(text_str(&got), c->want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_state_in_its_words),
		cmocka_unit_test(test_repetition_is_told_once_a_minute),
		cmocka_unit_test(test_other_lines_do_not_put_it_off),
		cmocka_unit_test(test_two_in_trouble_are_both_told),
		cmocka_unit_test(test_more_steps_than_rows_are_all_told),
		cmocka_unit_test(test_a_block_is_told_line_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
