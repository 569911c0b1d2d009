/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "base/macros.h"
#include "base/yaml_inside.h"

/* The parts of base/yaml each by itself, with what libfyaml would not let through to them too. */

static void test_json_is_taken_strictly(void **state)
{
	static const struct {
		const char *in, *want; /* the text of the first item; NULL: it is none */
	} cases[] = {
		{ "[\"a\"]", "a" },
		{ " \t\r\n[ \t\r\n\"a\" \t\r\n] \t\r\n", "a" },
		{ "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "\"\\/\b\f\n\r\t" },
		{ "[\"\\u0041\\u00e9\\ud7ff\\ue000\"]", "A\xc3\xa9\xed\x9f\xbf\xee\x80\x80" },
		{ "[\"\\ud83d\\ude00\"]", "\xf0\x9f\x98\x80" },
		{ "[\"\\u0000\"]", NULL },
		{ "[\"\\u00\"]", NULL },
		{ "[\"\\u00zz\"]", NULL },
		{ "[\"\\u00", NULL },
		{ "[\"\\udc00\"]", NULL },
		{ "[\"\\ud83d\"]", NULL },
		{ "[\"\\ud83dx\"]", NULL },
		{ "[\"\\ud83d\\n\"]", NULL },
		{ "[\"\\ud83d\\u0041\"]", NULL },
		{ "[\"\\ud83d\\ue000\"]", NULL },
		{ "[\"\\ud83d\\u00zz\"]", NULL },
		{ "[\"\\q\"]", NULL },
		{ "[\"\\", NULL },
		{ "[\"a\nb\"]", NULL },
		{ "[\"a", NULL },
		{ "[0]", "0" },
		{ "[-10.25e+3]", "-10.25e+3" },
		{ "[1E-5]", "1E-5" },
		{ "[1e5]", "1e5" },
		{ "[1.]", NULL },
		{ "[1.x]", NULL },
		{ "[01]", NULL },
		{ "[-]", NULL },
		{ "[1e]", NULL },
		{ "[1e+]", NULL },
		{ "1e", NULL },
		{ "1e+", NULL },
		{ "1.", NULL },
		{ "-", NULL },
		{ "[true]", "true" },
		{ "[tru", NULL },
		{ "[nul]", NULL },
		{ "[1", NULL },
		{ "[1 2]", NULL },
		{ "[1,]", NULL },
		{ "[1] x", NULL },
		{ "[", NULL },
		{ "", NULL },
		{ "{\"a\": 1}", "a" },
		{ "{\"a\" 1}", NULL },
		{ "{\"a\\q\": 1}", NULL },
		{ "{a: 1}", NULL },
		{ "{\"a\"", NULL },
		{ "{", NULL },
	};

	(void)state;
	CASES (c, cases) {
		scoped(yaml_done) struct yaml y = { 0 };
		int r = yaml_read_json(c->in, strlen(c->in), &y);

		if (r != (c->want ? 0 : -EBADMSG))
			fail_msg("'%s': %d", c->in, r);
		if (c->want)
			assert_string_equal(yaml_text(&y.items[0]), c->want);
	}
}

static void test_json_has_its_bounds(void **state)
{
	enum { TOO_MANY = YAML_MAX_VALUES };
	char *many = malloc(2 * TOO_MANY + 2);
	char deep[2 * YAML_MAX_DEPTH + 2];
	struct yaml y = { 0 };
	size_t i;

	(void)state;
	memset(deep, '[', YAML_MAX_DEPTH + 1);
	memset(deep + YAML_MAX_DEPTH + 1, ']', YAML_MAX_DEPTH + 1);
	assert_int_equal(yaml_read_json(deep, sizeof(deep), &y), -EBADMSG);
	yaml_done(&y);
	assert_int_equal(yaml_read_json(deep + 1, sizeof(deep) - 2, &y), 0);
	yaml_done(&y);
	/* The list itself is one of them. */
	assert_non_null(many);
	for (i = 0; i < TOO_MANY; i++)
		memcpy(many + 1 + 2 * i, "1,", 2);
	many[0] = '[';
	many[2 * TOO_MANY] = ']';
	assert_int_equal(yaml_read_json(many, 2 * TOO_MANY + 1, &y), -EBADMSG);
	yaml_done(&y);
	many[2 * TOO_MANY - 2] = ']';
	assert_int_equal(yaml_read_json(many, 2 * TOO_MANY - 1, &y), 0);
	assert_int_equal(y.n_items, TOO_MANY - 1);
	yaml_done(&y);
	free(many);
}

static void test_what_looks_like_json(void **state)
{
	(void)state;
	assert_true(yaml_looks_json(" \t\r\n{", 5));
	assert_true(yaml_looks_json("[", 1));
	assert_false(yaml_looks_json(" \t\r\n", 4));
	assert_false(yaml_looks_json("a: {}", 5));
	assert_false(yaml_looks_json("", 0));
}

static void test_hex_digits(void **state)
{
	(void)state;
	assert_int_equal(yaml_hex("00Af", 4, 4), 0xaf);
	assert_int_equal(yaml_hex("00Af", 3, 4), -EBADMSG);
	assert_int_equal(yaml_hex("00g0", 4, 4), -EBADMSG);
	assert_int_equal(yaml_hex("0010FFFF", 8, 8), 0x10ffff);
	assert_int_equal(yaml_hex("FFFFFFFF", 8, 8), -EBADMSG);
}

static void test_flow_texts(void **state)
{
	static const struct {
		char quote;
		const char *in, *want; /* NULL: refused */
	} cases[] = {
		{ '\0', "a", "a" },
		{ '\0', "a\t\n\t b", "a b" },
		{ '\0', "a\n", "a " },
		{ '\0', "a\\q", "a\\q" },
		{ '\'', "a''b", "a'b" },
		{ '"', "a''b", "a''b" },
		{ '"', "\\ud83d\\ude00", "\xf0\x9f\x98\x80" },
		{ '"', "\\ud7ff\\ue000", "\xed\x9f\xbf\xee\x80\x80" },
		{ '"', "\\ud83d", NULL },
		{ '"', "\\ud83dabcdef", NULL },
		{ '"', "\\ud83d\\n12345", NULL },
		{ '"', "\\ud83d\\u0041", NULL },
		{ '"', "\\ud83d\\ue000", NULL },
		{ '"', "\\udc00", NULL },
		{ '"', "\\U0010FFFF", "\xf4\x8f\xbf\xbf" },
		{ '"', "\\U00110000", NULL },
		{ '"', "\\xzz", NULL },
		{ '"', "\\x4", NULL },
		{ '"', "\\q", NULL },
		{ '"', "a\\", NULL },
		{ '"', "a\\\n", "a" },
		{ '"', "a\\ \n b", "a  b" },
	};

	(void)state;
	CASES (c, cases) {
		scoped(text_done) struct text t = { 0 };
		int r = yaml_flow_text(c->in, strlen(c->in), c->quote, &t);

		if (r != (c->want ? 0 : -EBADMSG) || (c->want && strcmp(text_str(&t), c->want)))
			fail_msg("'%s': %d, '%s'", c->in, r, text_str(&t));
	}
}

static void test_headers_of_blocks(void **state)
{
	static const struct {
		const char *in;
		char chomp; /* '\0': none */
	} cases[] = {
		{ "|", ' ' },	  { "|\n", ' ' },    { "a: |-\n", '-' }, { "- |+", '+' },
		{ "|  ", ' ' },	  { "|\t\n", ' ' },  { "|- # x", '-' },	 { "|-\t# x\n", '-' },
		{ "|# x", '\0' }, { "|2", '\0' },    { "|-2\n", '\0' },	 { "| x", '\0' },
		{ "", '\0' },	  { "a | b", '\0' }, { ">", '\0' },	 { "a| : |-\n", '-' },
	};

	(void)state;
	CASES (c, cases) {
		char chomp = '\0';
		bool is = yaml_block_header(c->in, strlen(c->in), '|', &chomp);

		if (is != (c->chomp != '\0') || (is && chomp != c->chomp))
			fail_msg("'%s': %d, '%c'", c->in, is, chomp);
	}
}

static void test_texts_of_blocks(void **state)
{
	static const struct {
		char style, chomp;
		const char *in, *want;
	} cases[] = {
		{ '|', ' ', "  a\n", "a\n" },
		{ '|', ' ', "  a", "a\n" }, /* the last line may lack its end */
		{ '|', '-', "  a\n  ", "a" },
		{ '|', ' ', "  a\n# remark\n", "a\n" },
		{ '|', ' ', "  a\n   \n  b\n", "a\n \nb\n" },
		{ '|', ' ', "\n  ", "" },
		{ '|', '+', "\n\n", "\n\n" },
		{ '|', '+', "  a\n\n", "a\n\n" },
		{ '>', ' ', "  a\n\tb\n", "a\n" },
		{ '>', ' ', "  a\n  \tb\n  c\n", "a\n\tb\nc\n" },
		{ '>', '-', "  a\n\n\n  b", "a\n\nb" },
	};

	(void)state;
	CASES (c, cases) {
		scoped(text_done) struct text t = { 0 };

		assert_int_equal(yaml_block_text(c->in, strlen(c->in), c->style, c->chomp, &t), 0);
		if (strcmp(text_str(&t), c->want) != 0)
			fail_msg("'%s': '%s'", c->in, text_str(&t));
	}
}

static void test_what_scanning_refuses(void **state)
{
	static const struct {
		const char *in, *code; /* NULL: nothing */
	} cases[] = {
		{ "a\r", "binary" },	    { "a\r\n", NULL },		{ "\xff\xfe", "not-utf8" },
		{ "\xfe\xff", "not-utf8" }, { "\xff", "not-utf8" },	{ "\xfe", "not-utf8" },
		{ "\xff\xff", "not-utf8" }, { "\xfe\xfe", "not-utf8" },
	};

	(void)state;
	CASES (c, cases) {
		struct yaml_error error = { 0 };
		int r = yaml_scan_bytes(c->in, strlen(c->in), &error);

		assert_int_equal(r, c->code ? -EBADMSG : 0);
		if (c->code)
			assert_string_equal(error.code, c->code);
	}
}

static void test_a_tab_behind_an_explicit_key(void **state)
{
	static const struct {
		const char *in;
		int want;
	} cases[] = {
		{ "? a\n:\tb\n", -EBADMSG }, { "\t- ? a\n", -EBADMSG }, { "?\n:\tb\n", -EBADMSG },
		{ "?\r\n:\tb\n", -EBADMSG }, { "?\t", -EBADMSG },	{ "?a: \tb\n", 0 },
		{ "- -\n\tb\n", 0 },	     { " \t\r\n", 0 },		{ "?", 0 },
	};

	(void)state;
	CASES (c, cases) {
		struct yaml_error error = { 0 };
		int r = yaml_scan_lines(c->in, strlen(c->in), &error);

		if (r != c->want)
			fail_msg("row %td: %d", c - cases, r);
	}
}

static void test_what_stands_without_quotes(void **state)
{
	static char longest[201];
	static const struct {
		const char *text;
		bool plain, bare;
	} cases[] = {
		{ "a-b.c/d_e+f:0", true, true }, { "a", false, false },	 { "", true, false },
		{ "a b", true, false },		 { ":a", true, false },	 { "-a", true, false },
		{ "a:", true, false },		 { "...", true, false }, { longest, true, false },
		{ longest + 1, true, true },
	};

	(void)state;
	memset(longest, 'x', 200);
	CASES (c, cases) {
		char copy[201];
		const struct yaml y = { .kind = YAML_SCALAR, .plain = c->plain, .text = copy };
		struct text out = { 0 };

		snprintf(copy, sizeof(copy), "%s", c->text);
		yaml_emit(&y, 0, &out);
		if ((text_str(&out)[0] != '"') != c->bare)
			fail_msg("'%s': %s", c->text, text_str(&out));
		text_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_is_taken_strictly),
		cmocka_unit_test(test_json_has_its_bounds),
		cmocka_unit_test(test_what_looks_like_json),
		cmocka_unit_test(test_hex_digits),
		cmocka_unit_test(test_flow_texts),
		cmocka_unit_test(test_headers_of_blocks),
		cmocka_unit_test(test_texts_of_blocks),
		cmocka_unit_test(test_what_scanning_refuses),
		cmocka_unit_test(test_a_tab_behind_an_explicit_key),
		cmocka_unit_test(test_what_stands_without_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
