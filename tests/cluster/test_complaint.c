/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "base/macros.h"
#include "base/yaml.h"
#include "cluster/complaint.h"

static struct model_mark at(unsigned line, unsigned column)
{
	return (struct model_mark){ .line = line, .column = column };
}

static void print(const struct complaints *c, const char *source, struct text *out)
{
	complaints_print(c, "f.yaml", source, strlen(source), out);
}

static void test_printed_as_a_compiler_would(void **state)
{
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(text_done) struct text out = { 0 };

	(void)state;
	complaint_add(&c, COMPLAINT_WARNING, at(2, 4), "mac-zero", NULL, NULL, "odd %d", 7);
	complaint_add(&c, COMPLAINT_ERROR, at(1, 1), "type", "w1", "try this", "bad");
	complaints_sort(&c);
	print(&c, "first\nsecond\n", &out);
	assert_string_equal(text_str(&out), "f.yaml:1:1: error: node 'w1': bad\n"
					    "first\n"
					    "^\n"
					    "hint: try this\n"
					    "f.yaml:2:4: warning: odd 7\n"
					    "second\n"
					    "   ^\n");
	assert_int_equal(c.n_errors, 1);
}

static void test_sorted_by_place_then_severity(void **state)
{
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(text_done) struct text out = { 0 };
	size_t i;

	(void)state;
	complaint_add(&c, COMPLAINT_ERROR, at(3, 1), "type", NULL, NULL, "f");
	complaint_add(&c, COMPLAINT_WARNING, at(2, 5), "type", NULL, NULL, "d");
	complaint_add(&c, COMPLAINT_ERROR, at(2, 5), "type", NULL, NULL, "c");
	complaint_add(&c, COMPLAINT_ERROR, at(2, 5), "alias", NULL, NULL, "b");
	complaint_add(&c, COMPLAINT_ERROR, at(2, 4), "type", NULL, NULL, "a");
	complaint_add(&c, COMPLAINT_WARNING, at(2, 6), "type", NULL, NULL, "e");
	complaints_sort(&c);
	for (i = 0; i < c.n; i++)
		text_add(&out, c.list[i].message);
	assert_string_equal(text_str(&out), "abcdef");
}

static void test_the_same_is_taken_once(void **state)
{
	scoped(complaints_done) struct complaints c = { 0 };

	(void)state;
	complaint_add(&c, COMPLAINT_ERROR, at(1, 1), "type", NULL, NULL, "x");
	complaint_add(&c, COMPLAINT_ERROR, at(1, 1), "type", NULL, NULL, "x");
	complaint_add(&c, COMPLAINT_ERROR, at(1, 1), "type", NULL, NULL, "y");
	complaint_add(&c, COMPLAINT_ERROR, at(1, 2), "type", NULL, NULL, "x");
	assert_int_equal(c.n, 3);
	assert_int_equal(c.n_errors, 3);
}

static void test_list_is_bounded_and_says_so(void **state)
{
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(text_done) struct text out = { 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < COMPLAINTS_MAX + 500; i++)
		complaint_add(&c, COMPLAINT_ERROR, at(i + 1, 1), "type", NULL, NULL, "x");
	assert_int_equal(c.n, COMPLAINTS_MAX);
	assert_int_equal(c.n_errors, COMPLAINTS_MAX + 500);
	assert_true(c.truncated);
	print(&c, "", &out);
	assert_non_null(strstr(text_str(&out),
			       "f.yaml: not every complaint is listed: there are too many\n"));
}

/* Whether the JSON of the list ends in that, and how many objects it has. */
static void assert_last(const struct complaints *c, size_t n, const char *severity,
			const char *message)
{
	scoped(text_done) struct text out = { 0 };
	scoped(yaml_done) struct yaml y = { 0 };
	struct yaml_error error = { 0 };
	const struct yaml *last;

	complaints_json(c, "f.yaml", &out);
	assert_int_equal(yaml_parse(text_str(&out), out.len, &y, &error), 0);
	assert_int_equal(y.n_items, n);
	last = &y.items[n - 1];
	assert_string_equal(yaml_text(yaml_get(last, "code")), "truncated");
	assert_string_equal(yaml_text(yaml_get(last, "severity")), severity);
	assert_string_equal(yaml_text(yaml_get(last, "message")), message);
	assert_string_equal(yaml_text(yaml_get(last, "file")), "f.yaml");
	assert_string_equal(yaml_text(yaml_get(last, "line")), "1");
	assert_int_equal(yaml_get(last, "node")->kind, YAML_NULL);
}

static void test_json_says_that_the_list_is_cut(void **state)
{
	static const char many[] = "not every complaint is listed: there are too many";
	scoped(complaints_done) struct complaints c = { 0 }, none = { 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < COMPLAINTS_MAX + 1; i++)
		complaint_add(&c, COMPLAINT_WARNING, at(i + 1, 1), "type", NULL, NULL, "x");
	assert_last(&c, COMPLAINTS_MAX + 1, "warning", many);
	complaint_add(&c, COMPLAINT_ERROR, at(i + 1, 1), "type", NULL, NULL, "x");
	assert_last(&c, COMPLAINTS_MAX + 1, "error", many);
	complaints_exhausted(&none);
	assert_last(&none, 1, "error", "not every complaint is listed: memory ran out");
}

static void test_running_out_of_memory_counts_as_an_error(void **state)
{
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(text_done) struct text out = { 0 };

	(void)state;
	complaints_exhausted(&c);
	complaints_exhausted(&c);
	assert_int_equal(c.n_errors, 1);
	print(&c, "", &out);
	assert_string_equal(text_str(&out),
			    "f.yaml: not every complaint is listed: memory ran out\n");
}

static void test_long_messages_are_cut_between_characters(void **state)
{
	scoped(complaints_done) struct complaints c = { 0 };
	char x[2001];
	size_t i;

	(void)state;
	for (i = 0; i < 2000; i += 2)
		memcpy(x + i, "\xc3\xa9", 2);
	x[2000] = '\0';
	complaint_add(&c, COMPLAINT_ERROR, at(1, 1), "type", NULL, NULL, "a%s", x);
	complaint_add(&c, COMPLAINT_ERROR, at(1, 1), "type", NULL, NULL, "%.3s!", x);
	assert_true(strlen(c.list[0].message) <= 405);
	assert_string_equal(c.list[0].message + strlen(c.list[0].message) - 5, "\xc3\xa9...");
	assert_string_equal(c.list[1].message, "\xc3\xa9!"); /* half a character is none */
}

static void test_source_lines(void **state)
{
	static const struct {
		const char *source;
		struct model_mark mark;
		const char *want; /* line and caret */
	} cases[] = {
		{ "a\r\nbcd\r\n", { 2, 2 }, "bcd\n ^\n" },
		{ "a\nb", { 2, 1 }, "b\n^\n" },
		{ "a\n", { 2, 1 }, "" }, /* there is no such line */
		{ "a\n", { 9, 1 }, "" },
		{ "", { 1, 1 }, "" },
		{ "a\n\nb\n", { 2, 1 }, "\n^\n" },
		{ "\xef\xbb\xbf"
		  "ab",
		  { 1, 2 },
		  "ab\n ^\n" },
		{ "a\tb", { 1, 3 }, "a b\n  ^\n" },
		{ "\x1b[31m\x07", { 1, 1 }, " [31m \n^\n" },
		{ "\xc3\xa9x", { 1, 2 }, "\xc3\xa9x\n ^\n" },
		{ "a\xff\xc3z", { 1, 4 }, "a??z\n   ^\n" },
		{ "a\xc2\x9b z", { 1, 1 }, "a  z\n^\n" },
		{ "a\xe2\x80\xae\xe2\x81\xa6z", { 1, 1 }, "a  z\n^\n" },
		{ "ab", { 1, 9 }, "ab\n        ^\n" },
	};

	(void)state;
	CASES (c, cases) {
		scoped(complaints_done) struct complaints list = { 0 };
		scoped(text_done) struct text out = { 0 };
		const char *rest;

		complaint_add(&list, COMPLAINT_ERROR, c->mark, "type", NULL, NULL, "x");
		print(&list, c->source, &out);
		rest = strchr(text_str(&out), '\n');
		assert_string_equal(rest + 1, c->want);
	}
}

static void test_long_lines_are_shown_in_part(void **state)
{
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(text_done) struct text source = { 0 }, out = { 0 };
	const char *line, *caret;
	int i;

	(void)state;
	for (i = 0; i < 500; i++)
		text_add(&source, "\xc3\xa9");
	text_add(&source, "X");
	for (i = 0; i < 500; i++)
		text_add(&source, "y");
	complaint_add(&c, COMPLAINT_ERROR, at(1, 501), "type", NULL, NULL, "x");
	print(&c, text_str(&source), &out);
	line = strchr(text_str(&out), '\n') + 1;
	caret = strchr(line, '\n') + 1;
	assert_memory_equal(line, "...\xc3\xa9", 5);
	assert_memory_equal(caret - 4, "...\n", 4);
	/* 3 dots and 59 characters of two bytes are before the X; the caret is below it. */
	assert_int_equal(strcspn(line, "X"), 3 + 2 * 59);
	assert_int_equal(strcspn(caret, "^"), 3 + 59);
}

static void test_messages_cannot_steer_a_terminal(void **state)
{
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(text_done) struct text out = { 0 };

	(void)state;
	complaint_add(&c, COMPLAINT_ERROR, at(1, 1), "type", "n\x1b", "h\x07", "m\n\x1b[2J");
	complaints_print(&c, "f\x1b.yaml", "", 0, &out);
	assert_string_equal(text_str(&out), "f .yaml:1:1: error: node 'n ': m  [2J\nhint: h \n");
}

static void test_json_has_every_field(void **state)
{
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(text_done) struct text out = { 0 };
	scoped(yaml_done) struct yaml y = { 0 };
	struct yaml_error error = { 0 };

	(void)state;
	complaints_json(&c, "f.yaml", &out);
	assert_string_equal(text_str(&out), "[]\n");
	text_done(&out);
	complaint_add(&c, COMPLAINT_ERROR, at(3, 4), "type", "w\"1", "h\\", "m\n");
	complaint_add(&c, COMPLAINT_WARNING, at(5, 6), "alias", NULL, NULL, "x");
	complaints_json(&c, "f \"x\".yaml", &out);
	assert_int_equal(yaml_parse(text_str(&out), out.len, &y, &error), 0);
	assert_int_equal(y.n_items, 2);
	assert_string_equal(yaml_text(yaml_get(&y.items[0], "file")), "f \"x\".yaml");
	assert_string_equal(yaml_text(yaml_get(&y.items[0], "line")), "3");
	assert_string_equal(yaml_text(yaml_get(&y.items[0], "column")), "4");
	assert_string_equal(yaml_text(yaml_get(&y.items[0], "severity")), "error");
	assert_string_equal(yaml_text(yaml_get(&y.items[0], "node")), "w\"1");
	assert_string_equal(yaml_text(yaml_get(&y.items[0], "code")), "type");
	assert_string_equal(yaml_text(yaml_get(&y.items[0], "message")), "m\n");
	assert_string_equal(yaml_text(yaml_get(&y.items[0], "hint")), "h\\");
	assert_string_equal(yaml_text(yaml_get(&y.items[1], "severity")), "warning");
	assert_int_equal(yaml_get(&y.items[1], "node")->kind, YAML_NULL);
	assert_int_equal(yaml_get(&y.items[1], "hint")->kind, YAML_NULL);
}

static void test_guesses(void **state)
{
	static const struct {
		const char *word, *candidates[4], *want;
	} cases[] = {
		{ "memry", { "cpus", "memory", "disk" }, "memory" },
		{ "mca", { "mac", "vm" }, "mac" }, /* neighbours swapped */
		{ "PodSubnet", { "podSubnet", "serviceSubnet" }, "podSubnet" },
		{ "adress", { "address" }, "address" },
		{ "contol-plain", { "worker", "control-plane" }, "control-plane" },
		{ "a", { "b", "c" }, NULL },
		{ "ab", { "cd" }, NULL },
		{ "x", { "xy" }, NULL },
		{ "zebra", { "memory", "disk" }, NULL },
		{ "worker1",
		  { "worker2", "worker11", "worker" },
		  "worker2" }, /* the first of equals */
		{ "", { "mac" }, NULL },
	};

	(void)state;
	CASES (c, cases) {
		struct complaint_guess guess = { .word = c->word };
		size_t i;

		for (i = 0; i < 4 && c->candidates[i]; i++)
			complaint_guess_try(&guess, c->candidates[i]);
		if (c->want)
			assert_string_equal(guess.best, c->want);
		else
			assert_null(guess.best);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printed_as_a_compiler_would),
		cmocka_unit_test(test_sorted_by_place_then_severity),
		cmocka_unit_test(test_the_same_is_taken_once),
		cmocka_unit_test(test_list_is_bounded_and_says_so),
		cmocka_unit_test(test_json_says_that_the_list_is_cut),
		cmocka_unit_test(test_running_out_of_memory_counts_as_an_error),
		cmocka_unit_test(test_long_messages_are_cut_between_characters),
		cmocka_unit_test(test_source_lines),
		cmocka_unit_test(test_long_lines_are_shown_in_part),
		cmocka_unit_test(test_messages_cannot_steer_a_terminal),
		cmocka_unit_test(test_json_has_every_field),
		cmocka_unit_test(test_guesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
