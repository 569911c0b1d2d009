/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "base/macros.h"
#include "base/quote.h"
#include "base/yaml.h"

typedef void quote_fn(struct text *, const char *);

static quote_fn *const quoters[] = { quote_yaml, quote_json, quote_toml };

/* As a value, a key and an item, in block and in flow style, with others behind it. */
static void reads_back(quote_fn *quote, const char *want)
{
	static const struct {
		const char *before, *behind;
	} shapes[] = { { "", "" },
		       { "k: ", "\nl: 1\n" },
		       { "{\"k\": ", ", \"l\": 1}" },
		       { "- ", "\n- x\n" },
		       { "", ": 1\n" } };

	CASES (shape, shapes) {
		scoped(text_done) struct text whole = { 0 };
		scoped(yaml_done) struct yaml tree = { 0 };
		struct yaml_error error = { 0 };
		const struct yaml *got = &tree;

		text_add(&whole, shape->before);
		quote(&whole, want);
		text_add(&whole, shape->behind);
		if (yaml_parse(text_str(&whole), whole.len, &tree, &error) < 0)
			fail_msg("%s: %s", text_str(&whole), error.message);
		if (tree.kind != YAML_SCALAR)
			got = *shape->before ? yaml_get(&tree, "k") : &tree.items[0];
		if (tree.kind == YAML_SEQUENCE)
			got = &tree.items[0];
		assert_non_null(got);
		assert_false(got->plain);
		assert_non_null(yaml_text(got));
		assert_string_equal(yaml_text(got), want);
	}
}

static void test_each_byte_comes_back(void **s)
{
	int c;

	(void)s;
	for (c = 1; c < 128; c++) {
		char alone[] = { (char)c, '\0' };
		char between[] = { 'a', (char)c, 'b', '\0' };
		char doubled[] = { ' ', (char)c, (char)c, ' ', '\0' };

		CASES (quote, quoters) {
			reads_back(*quote, alone);
			reads_back(*quote, between);
			reads_back(*quote, doubled);
		}
	}
}

static void test_each_text_comes_back(void **s)
{
	static const char *const cases[] = {
		"",
		" ",
		"  two  spaces  ",
		"null",
		"~",
		"yes",
		"1.20",
		"0x10",
		"# no comment",
		"a: b",
		"- a",
		"{}",
		"*alias",
		"&anchor",
		"!tag",
		"%TAG",
		"---",
		"...",
		"<<",
		"\"",
		"\\",
		"\\n",
		"\\\"",
		"\\u0041",
		"it's",
		"line\nline\n",
		"\n\n  indented\n",
		"cr\r\nlf",
		"tab\there",
		"M\xc3\xbcnchen",
		"\xe6\x97\xa5\xe6\x9c\xac",
		"\xf0\x9f\x98\x80",
		"\xc2\x80\xc2\x85\xc2\x9f", /* C1, NEL among them */
		"\xc2\xa0", /* no-break space */
		"\xe2\x80\xa8|\xe2\x80\xa9", /* line and paragraph separator */
		"\xef\xbb\xbf_bom",
		"\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf",
		"\xed\x9f\xbf\xee\x80\x80",
		"\xf4\x8f\xbf\xbf",
	};

	(void)s;
	CASES (text, cases)
		CASES (quote, quoters)
			reads_back(*quote, *text);
}

static void test_forms(void **s)
{
	static const struct {
		const char *from, *want;
	} cases[] = {
		{ "", "\"\"" },
		{ "registry:5000", "\"registry:5000\"" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "\n\t\r", "\"\\n\\t\\r\"" },
		{ "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
		{ "\x08\x0c", "\"\\u0008\\u000c\"" },
		{ "'/ $", "\"'/ $\"" },
		{ "\xc3\xbc", "\"\xc3\xbc\"" },
		{ "\xc2\x85", "\"\\u0085\"" },
		{ "\xc2\xa0", "\"\xc2\xa0\"" },
		{ "\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa",
		  "\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\"" },
		{ "\xef\xbb\xbf", "\"\\ufeff\"" },
		{ "\xef\xbb\xbe\xef\xbc\xbf", "\"\xef\xbb\xbe\xef\xbc\xbf\"" },
		{ "\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf", "\"\xef\xbf\xbd\\ufffe\\uffff\"" },
	};

	(void)s;
	CASES (c, cases)
		CASES (quote, quoters) {
			scoped(text_done) struct text got = { 0 };

			(*quote)(&got, c->from);
			assert_string_equal(text_str(&got), c->want);
		}
}

/* A character cut at the string's end is no reason to read behind it. */
static void test_cut_characters_are_passed_on(void **s)
{
	static const char *const cases[] = { "\xc2", "\xe2", "\xe2\x80", "\xef", "\xef\xbf" };

	(void)s;
	CASES (text, cases) {
		scoped(text_done) struct text got = { 0 };
		char *copy = strdup(*text);

		assert_non_null(copy);
		quote_json(&got, copy);
		assert_int_equal(got.len, strlen(copy) + 2);
		assert_memory_equal(got.data + 1, copy, strlen(copy));
		free(copy);
	}
}

static void test_unit_values(void **s)
{
	static const struct {
		const char *from, *want;
	} cases[] = {
		{ "", "" },
		{ "/mnt/share", "/mnt/share" },
		{ "100%", "100%%" },
		{ "%h%%", "%%h%%%%" },
		{ "a\\b", "a\\\\b" },
		{ "\\x41", "\\\\x41" },
		{ "a\nExecStart=/bin/evil", "a\\x0aExecStart=/bin/evil" },
		{ "\t\r\x01\x7f", "\\x09\\x0d\\x01\\x7f" },
		{ "ends in \\", "ends in \\\\" },
		{ "\"quoted\" 'so'", "\"quoted\" 'so'" },
		{ "M\xc3\xbcnchen", "M\xc3\xbcnchen" },
	};

	(void)s;
	CASES (c, cases) {
		scoped(text_done) struct text got = { 0 };

		quote_unit(&got, c->from);
		assert_string_equal(text_str(&got), c->want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_byte_comes_back),
		cmocka_unit_test(test_each_text_comes_back),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_cut_characters_are_passed_on),
		cmocka_unit_test(test_unit_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
