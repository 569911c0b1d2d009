/* SPDX-License-Identifier: MIT */
#include "tests/memory.h"

#include <libfyaml.h>

#include "base/macros.h"
#include "base/yaml.h"

/*
 * base without memory, and with a libfyaml that has none or counts wrongly: the linker leads its
 * functions here. Its marks have been wrong before, and then it is the text that must not be.
 */

struct fy_diag *__real_fy_diag_create(const struct fy_diag_cfg *cfg);
struct fy_diag *__wrap_fy_diag_create(const struct fy_diag_cfg *cfg);
struct fy_parser *__real_fy_parser_create(const struct fy_parse_cfg *cfg);
struct fy_parser *__wrap_fy_parser_create(const struct fy_parse_cfg *cfg);
int __real_fy_parser_set_input_callback(struct fy_parser *p, void *user,
					ssize_t (*callback)(void *, void *, size_t));
int __wrap_fy_parser_set_input_callback(struct fy_parser *p, void *user,
					ssize_t (*callback)(void *, void *, size_t));
struct fy_event *__real_fy_parser_parse(struct fy_parser *p);
struct fy_event *__wrap_fy_parser_parse(struct fy_parser *p);
struct fy_diag_error *__real_fy_diag_errors_iterate(struct fy_diag *d, void **prev);
struct fy_diag_error *__wrap_fy_diag_errors_iterate(struct fy_diag *d, void **prev);
const struct fy_mark *__real_fy_token_start_mark(struct fy_token *t);
const struct fy_mark *__wrap_fy_token_start_mark(struct fy_token *t);
const struct fy_mark *__real_fy_token_end_mark(struct fy_token *t);
const struct fy_mark *__wrap_fy_token_end_mark(struct fy_token *t);
const struct fy_mark *__real_fy_event_start_mark(struct fy_event *e);
const struct fy_mark *__wrap_fy_event_start_mark(struct fy_event *e);

static struct {
	bool no_diag, no_parser, no_input;
	size_t events; /* how many come before none does; 0: all */
	bool silent;   /* no word of what is wrong, or: */
	const struct fy_diag_error *word;
	const struct fy_mark *start, *end; /* instead of a token's */
	bool no_start, no_end, no_place;
	const struct fy_mark *place; /* instead of an event's */
} lib;

struct fy_diag *__wrap_fy_diag_create(const struct fy_diag_cfg *cfg)
{
	return lib.no_diag ? NULL : __real_fy_diag_create(cfg);
}

struct fy_parser *__wrap_fy_parser_create(const struct fy_parse_cfg *cfg)
{
	return lib.no_parser ? NULL : __real_fy_parser_create(cfg);
}

int __wrap_fy_parser_set_input_callback(struct fy_parser *p, void *user,
					ssize_t (*callback)(void *, void *, size_t))
{
	return lib.no_input ? -1 : __real_fy_parser_set_input_callback(p, user, callback);
}

struct fy_event *__wrap_fy_parser_parse(struct fy_parser *p)
{
	return lib.events && --lib.events == 0 ? NULL : __real_fy_parser_parse(p);
}

struct fy_diag_error *__wrap_fy_diag_errors_iterate(struct fy_diag *d, void **prev)
{
	if (lib.silent)
		return NULL;
	return lib.word ? (struct fy_diag_error *)(uintptr_t)lib.word
			: __real_fy_diag_errors_iterate(d, prev);
}

const struct fy_mark *__wrap_fy_token_start_mark(struct fy_token *t)
{
	if (lib.no_start)
		return NULL;
	return lib.start ? lib.start : __real_fy_token_start_mark(t);
}

const struct fy_mark *__wrap_fy_token_end_mark(struct fy_token *t)
{
	if (lib.no_end)
		return NULL;
	return lib.end ? lib.end : __real_fy_token_end_mark(t);
}

const struct fy_mark *__wrap_fy_event_start_mark(struct fy_event *e)
{
	if (lib.no_place)
		return NULL;
	return lib.place ? lib.place : __real_fy_event_start_mark(e);
}

/* Reads s with the library as it is set up, which is whole again behind it. */
static int read_with_it(const char *s, struct yaml *y, struct yaml_error *error)
{
	int r = yaml_parse(s, strlen(s), y, error);

	memset(&lib, 0, sizeof(lib));
	return r;
}

static int read_and_emit(size_t row, struct text *out)
{
	static const char *const texts[] = {
		"a: [1, \"two\", {b: null}]\nc: |\n  lines\nd: >\n  e\n? f\n: g\r\n",
		"{\"a\": [1, \"\\u00e4\\n\", {\"b\": null}], \"c\": true}",
		"[1, 2, 3, 4, 5, 6, 7, 8, 9, x]",
	};
	struct yaml y = { 0 };
	struct yaml_error error = { 0 };
	int r = yaml_parse(texts[row], strlen(texts[row]), &y, &error);

	if (r == 0)
		yaml_emit(&y, 0, out);
	yaml_done(&y);
	return r;
}

static void count(const struct yaml *again, const struct yaml *first, void *data)
{
	(void)again;
	(void)first;
	++*(size_t *)data;
}

static int find_twice(size_t row, struct text *out)
{
	struct yaml a = { .kind = YAML_SCALAR, .text = (char[]){ "a" } };
	struct yaml items[] = { a, a, a, a };
	const struct yaml y = { .kind = YAML_MAPPING, .items = items, .n_items = COUNT(items) };
	size_t n = 0;
	int r = yaml_twice(&y, row, count, &n);

	if (r == 0)
		text_add(out, n == 1 ? "once" : "not once");
	return r;
}

static void test_a_tree_that_lacks_something_is_none(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_refusals_are_told(read_and_emit, i);
	assert_refusals_are_told(find_twice, 0);
	assert_refusals_are_told(find_twice, 1);
}

static void test_a_library_without_memory_is_no_bad_file(void **state)
{
	bool *const lacks[] = { &lib.no_diag, &lib.no_parser, &lib.no_input };

	(void)state;
	CASES (lack, lacks) {
		struct yaml y = { 0 };
		struct yaml_error error = { 0 };

		**lack = true;
		assert_int_equal(read_with_it("a: 1\n", &y, &error), -ENOMEM);
		assert_null(y.items);
	}
}

static void test_a_library_that_stops_is_told(void **state)
{
	static const struct fy_diag_error nowhere = { .line = 0, .column = 0 };
	struct yaml y = { 0 };
	struct yaml_error error = { 0 };
	size_t n;

	(void)state;
	/* Stream, document, mapping, key, value, and three ends. */
	for (n = 1; n <= 8; n++) {
		lib.events = n;
		lib.silent = true;
		assert_int_equal(read_with_it("a: 1\n", &y, &error), -EBADMSG);
		assert_string_equal(error.message, "this is no YAML");
		assert_null(y.items);
	}
	lib.word = &nowhere;
	assert_int_equal(read_with_it("a: b: c\n", &y, &error), -EBADMSG);
	assert_string_equal(error.message, "this is no YAML: syntax error");
	assert_int_equal(error.line, 1);
	assert_int_equal(error.column, 1);
}

static void test_marks_that_cannot_be_are_not_followed(void **state)
{
	static const struct fy_mark first = { .line = 0, .column = 0 };
	static const struct fy_mark second = { .line = 0, .column = 1 };
	static const struct fy_mark fourth = { .line = 0, .column = 3 };
	static const struct fy_mark wide = { .line = 0, .column = 99 };
	static const struct fy_mark far = { .line = 99, .column = 5 };
	static const struct fy_mark back = { .line = -1, .column = 0 };
	static const struct {
		const char *in;
		const struct fy_mark *start, *end;
		const char *message;
	} cases[] = {
		{ "abc\n", &first, &wide, "this text cannot be found again" },
		{ "abc\n", &first, &far, "this text cannot be found again" },
		{ "abc\n", &far, &first, "this text cannot be found again" },
		{ "abc\n", &wide, &first, "this text cannot be found again" },
		{ "abc\n", &back, &first, "this text cannot be found again" },
		{ "abc\n", &second, &first, "this text cannot be found again" },
		{ "\"a\\tb\"\n", &second, &fourth, "this is no YAML: an escape that is none" },
		{ "[ab,\n cd]\n", &first, &second, "this text cannot be found again" },
		{ "|\n abc\n", &first, &second,
		  "only |, |-, |+, >, >- and >+ are taken before a "
		  "block" },
	};

	(void)state;
	CASES (c, cases) {
		struct yaml y = { 0 };
		struct yaml_error error = { 0 };

		lib.start = c->start;
		lib.end = c->end;
		assert_int_equal(read_with_it(c->in, &y, &error), -EBADMSG);
		assert_string_equal(error.message, c->message);
		assert_null(y.text);
	}
}

static void test_a_text_without_marks_is_empty(void **state)
{
	bool *const lacks[] = { &lib.no_start, &lib.no_end };

	(void)state;
	CASES (lack, lacks) {
		struct yaml y = { 0 };
		struct yaml_error error = { 0 };

		**lack = true;
		assert_int_equal(read_with_it("\"abc\"\n", &y, &error), 0);
		assert_int_equal(y.kind, YAML_SCALAR);
		assert_string_equal(y.text, "");
		yaml_done(&y);
	}
}

static void test_places_that_cannot_be_begin_at_one(void **state)
{
	static const struct fy_mark before = { .line = -1, .column = -1 };
	struct yaml y = { 0 };
	struct yaml_error error = { 0 };

	(void)state;
	lib.place = &before;
	assert_int_equal(read_with_it("\"a\"\n", &y, &error), 0);
	assert_int_equal(y.line, 1);
	assert_int_equal(y.column, 1);
	yaml_done(&y);
	lib.no_place = true;
	assert_int_equal(read_with_it("\n- a\n", &y, &error), 0);
	assert_int_equal(y.line, 1);
	yaml_done(&y);
	lib.no_place = true;
	assert_int_equal(read_with_it("a\n---\nb\n", &y, &error), -EBADMSG);
	assert_string_equal(error.code, "documents");
	assert_int_equal(error.line, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_tree_that_lacks_something_is_none),
		cmocka_unit_test(test_a_library_without_memory_is_no_bad_file),
		cmocka_unit_test(test_a_library_that_stops_is_told),
		cmocka_unit_test(test_marks_that_cannot_be_are_not_followed),
		cmocka_unit_test(test_a_text_without_marks_is_empty),
		cmocka_unit_test(test_places_that_cannot_be_begin_at_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
