/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "base/macros.h"
#include "base/yaml.h"

static struct yaml parse(const char *s)
{
	struct yaml y = { 0 };
	struct yaml_error error = { 0 };

	if (yaml_parse(s, strlen(s), &y, &error) < 0)
		fail_msg("%s: %u:%u: %s", s, error.line, error.column, error.message);
	return y;
}

static bool same(const struct yaml *a, const struct yaml *b)
{
	size_t i;

	if (a->kind != b->kind || a->n_items != b->n_items || !a->text != !b->text ||
	    (a->text && strcmp(a->text, b->text) != 0))
		return false;
	for (i = 0; i < a->n_items; i++)
		if (!same(&a->items[i], &b->items[i]))
			return false;
	return true;
}

static void test_values_have_kind_and_place(void **state)
{
	scoped(yaml_done) struct yaml y = parse("# remark\n"
						"a: 1\n"
						"\xc3\xa9: [x, \"y\"]\n"
						"c:\n"
						"  d: ~\n"
						"  e: {}\n");
	const struct yaml *list = yaml_get(&y, "\xc3\xa9"), *c = yaml_get(&y, "c");

	(void)state;
	assert_int_equal(y.kind, YAML_MAPPING);
	assert_int_equal(y.n_items, 6);
	assert_int_equal(y.line, 2);
	assert_string_equal(yaml_text(yaml_get(&y, "a")), "1");
	assert_true(yaml_get(&y, "a")->plain);
	assert_int_equal(list->kind, YAML_SEQUENCE);
	assert_int_equal(list->line, 3);
	assert_int_equal(list->column, 4);
	assert_int_equal(list->items[1].column, 8); /* of the quote itself */
	assert_false(list->items[1].plain);
	assert_int_equal(yaml_get(c, "d")->kind, YAML_NULL);
	assert_int_equal(yaml_get(c, "d")->line, 5);
	assert_int_equal(yaml_get(c, "e")->kind, YAML_MAPPING);
	assert_int_equal(yaml_get(c, "e")->n_items, 0);
}

static void test_looking_up_can_be_chained(void **state)
{
	scoped(yaml_done) struct yaml y = parse("a: {b: x}\n");

	(void)state;
	assert_string_equal(yaml_text(yaml_get(yaml_get(&y, "a"), "b")), "x");
	assert_null(yaml_get(yaml_get(&y, "no"), "b"));
	assert_null(yaml_get(yaml_get(yaml_get(&y, "a"), "b"), "c"));
	assert_null(yaml_text(yaml_get(&y, "a")));
	assert_null(yaml_text(NULL));
}

/* Each is one scalar; libfyaml 0.7.12 by itself gets several of them wrong. */
static void test_texts_of_scalars(void **state)
{
	static const struct {
		const char *in, *want; /* NULL: no scalar but null */
	} cases[] = {
		{ "a b", "a b" },
		{ "a\n b\n\n c", "a b\nc" },
		{ "~", NULL },
		{ "null", NULL },
		{ "Null", NULL },
		{ "NULL", NULL },
		{ "nULL", "nULL" },
		{ "\"null\"", "null" },
		{ "''", "" },
		{ "'a''b'", "a'b" },
		{ "'a''''b'", "a''b" },
		{ "'''''''ULL'", "'''ULL" },
		{ "'x  \n\n  y'", "x\ny" },
		{ "' a '", " a " },
		{ "\"a\\tb\\n\\\"\\\\\\/\\x41\\u00e9\\U0001F600\"",
		  "a\tb\n\"\\/A\xc3\xa9\xf0\x9f\x98\x80" },
		{ "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" },
		{ "\"a  \n  b\"", "a b" },
		{ "\"a\\\n  b\"", "ab" },
		{ "\"a\\t\n  b\"", "a\t b" },
		{ "\"a\n\n\n\n\n\n\n\n\n\nb\"", "a\n\n\n\n\n\n\n\n\nb" },
		{ "|\n  a\n   b\n\n  c\n", "a\n b\n\nc\n" },
		{ "|-\n  a\n\n\n", "a" },
		{ "|+\n  a\n\n\n", "a\n\n\n" },
		{ "| # |-\n  a\n", "a\n" },
		{ "|\n\n  a", "\na\n" },
		{ "# x\n\n|\n  a", "a\n" },
		{ ">\n  a\n  b\n\n  c\n", "a b\nc\n" },
		{ ">\n a\n\n  b\n", "a\n\n b\n" },
		{ ">\n a\n  b\n  c\n d\n", "a\n b\n c\nd\n" },
		{ ">-\n 1\n\n\n\n\n", "1" },
		{ ">\n", "" },
		{ "a\r\nb\r\n", "a b" },
		{ "|\r\n  a\r\n  b\r\n", "a\nb\n" },
	};

	(void)state;
	CASES (c, cases) {
		scoped(yaml_done) struct yaml y = parse(c->in);

		assert_int_equal(y.kind, c->want ? YAML_SCALAR : YAML_NULL);
		if (c->want)
			assert_string_equal(y.text, c->want);
	}
}

static void test_what_is_no_document_is_refused_by_name(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *code;
		unsigned line, column;
	} cases[] = {
#define IN(s) s, sizeof(s) - 1
		{ IN(""), "empty", 1, 1 },
		{ IN("\n# x\n"), "empty", 1, 1 },
		{ IN("\xef\xbb\xbf"), "empty", 1, 1 },
		{ IN("a: b: c"), "not-yaml", 1, 5 },
		{ IN("a: \"x"), "not-yaml", 1, 5 },
		{ IN("{a: [}"), "not-yaml", 1, 6 },
		{ IN("\"\\q\""), "not-yaml", 1, 0 },
		{ IN("\"\\ud800\""), "not-yaml", 1, 2 },
		{ IN("a: |2\n   x\n"), "not-yaml", 2, 1 },
		{ IN("a: 1\n---\nb: 2\n"), "documents", 2, 1 },
		{ IN("a: &x 1\n"), "alias", 1, 0 },
		{ IN("a: *x\n"), "alias", 1, 0 },
		{ IN("a: !!str 1\n"), "tag", 1, 0 },
		{ IN("[a]: b\n"), "key-form", 1, 1 },
		{ IN("? \n: b\n"), "key-form", 1, 0 },
		{ IN("a\0b"), "binary", 1, 2 },
		{ IN("\"\\0\""), "binary", 1, 1 },
		{ IN("a\n\x1b[31m"), "binary", 2, 1 },
		{ IN("a\rb"), "binary", 1, 2 },
		{ IN("\xc3\xa9\xff"), "not-utf8", 1, 2 },
		{ IN("a: \xed\xa0\x80"), "not-utf8", 1, 4 },
		{ IN("\xff\xfe"
		     "a\0"),
		  "not-utf8", 1, 1 },
		{ IN("%A\n%B\n%C\n%D\n%E\n--- a\n"), "not-yaml", 5, 1 },
#undef IN
	};

	(void)state;
	CASES (c, cases) {
		struct yaml y = { 0 };
		struct yaml_error error = { 0 };

		assert_int_equal(yaml_parse(c->in, c->len, &y, &error), -EBADMSG);
		assert_string_equal(error.code, c->code);
		assert_int_equal(error.line, c->line);
		if (c->column)
			assert_int_equal(error.column, c->column);
		assert_true(error.message[0] != '\0');
		assert_null(y.items);
	}
}

/* So many times the text, with something in front and behind. */
static void repeat(struct text *t, const char *front, const char *s, size_t n, const char *behind)
{
	text_add(t, front);
	while (n-- > 0)
		text_add(t, s);
	text_add(t, behind);
}

static void test_hostile_shapes_are_refused_soon(void **state)
{
	static const struct {
		const char *front, *s;
		size_t n;
		const char *behind, *code;
	} cases[] = {
		{ "", "[", 10000, "", "too-deep" },
		{ "", "[", 100000, "", "long-line" },
		{ "", "{a: ", 10000, "", "too-deep" },
		{ "", "- ", 10000, "", "too-deep" },
		{ "", "[a,\n", 300000, "", "too-long" },
		{ "a: |\n", "\n", 1000000, "  x", "blank-lines" },
		{ "a: \"", "x\n  ", 300000, "\"", "too-long" },
		{ "", "#\n", 1000000, "a", "too-long" },
		{ "[", "1, ", 1000000, "1", "long-line" },
		{ "", "- 1\n", 2200000, "", "too-many" },
		{ "\xef\xbb\xbf? a:", "\t?", 1, "", "not-yaml" },
		{ "? a:\t", ":\t", 1, "u[", "not-yaml" },
		{ "- ? a:\n", "    b:\t- ", 1, "c", "not-yaml" },
	};

	(void)state;
	CASES (c, cases) {
		scoped(text_done) struct text t = { 0 };
		struct yaml y = { 0 };
		struct yaml_error error = { 0 };

		repeat(&t, c->front, c->s, c->n, c->behind);
		assert_int_equal(yaml_parse(text_str(&t), t.len, &y, &error), -EBADMSG);
		assert_string_equal(error.code, c->code);
	}
}

static void test_depth_is_allowed_up_to_its_bound(void **state)
{
	scoped(text_done) struct text t = { 0 };
	scoped(yaml_done) struct yaml y = { 0 };

	(void)state;
	repeat(&t, "", "[", YAML_MAX_DEPTH, "");
	repeat(&t, "", "]", YAML_MAX_DEPTH, "");
	y = parse(text_str(&t));
	assert_int_equal(y.kind, YAML_SEQUENCE);
}

/* JSON on one line of megabytes, as an API server answers. */
static void test_json_may_have_long_lines(void **state)
{
	scoped(text_done) struct text t = { 0 };
	scoped(yaml_done) struct yaml y = { 0 };

	(void)state;
	repeat(&t, "{\"items\":[", "{\"a\":\"b\",\"n\":-1.5e3,\"t\":true,\"z\":null},", 50000,
	       "{}],\"\\u00e9\":\"\\ud83d\\ude00\\/\"}");
	y = parse(text_str(&t));
	assert_int_equal(yaml_get(&y, "items")->n_items, 50001);
	assert_string_equal(yaml_text(yaml_get(&yaml_get(&y, "items")->items[49999], "n")),
			    "-1.5e3");
	assert_string_equal(yaml_text(yaml_get(&y, "\xc3\xa9")), "\xf0\x9f\x98\x80/");
	assert_int_equal(yaml_get(&y, "items")->items[1].column, 50);
}

/* Offsets in libfyaml's marks go wrong in large files; texts are found by line and column. */
static void test_texts_are_right_in_large_files(void **state)
{
	scoped(text_done) struct text t = { 0 };
	scoped(yaml_done) struct yaml y = { 0 };
	char want[32];
	size_t i;

	(void)state;
	for (i = 0; i < 200000; i++)
		text_addf(&t, "key%zu: {\xc3\xa9: 'it''s %zu', b: [x]}\n", i, i);
	y = parse(text_str(&t));
	assert_int_equal(y.n_items, 400000);
	for (i = 0; i < 200000; i += 997) {
		snprintf(want, sizeof(want), "key%zu", i);
		assert_string_equal(y.items[2 * i].text, want);
		snprintf(want, sizeof(want), "it's %zu", i);
		assert_string_equal(yaml_text(yaml_get(&y.items[2 * i + 1], "\xc3\xa9")), want);
		assert_int_equal(y.items[2 * i].line, i + 1);
	}
}

static void test_flow_style_that_is_no_json_is_yaml(void **state)
{
	static const char *const cases[] = { "{a: 1}",	    "{\"a\": 1,}", "{\"a\": 1} # x",
					     "{\"a\": 01}", "[1, 2,\n 3]", "{\"a\": 'b'}" };

	(void)state;
	CASES (c, cases) {
		scoped(yaml_done) struct yaml y = parse(*c);

		assert_true(y.kind == YAML_MAPPING || y.kind == YAML_SEQUENCE);
	}
}

struct seen {
	char text[64];
};

static void note(const struct yaml *again, const struct yaml *first, void *data)
{
	struct seen *seen = data;
	size_t n = strlen(seen->text);

	snprintf(seen->text + n, sizeof(seen->text) - n, "%s@%u-%u ", again->text, first->line,
		 again->line);
}

static void test_keys_given_twice_are_found(void **state)
{
	scoped(yaml_done) struct yaml y = parse("b: 1\na: 1\nB: 2\nb: 3\nc: 1\na: 2\n");
	struct seen exact = { "" }, fold = { "" };

	(void)state;
	assert_int_equal(yaml_twice(&y, false, note, &exact), 0);
	assert_string_equal(exact.text, "a@2-6 b@1-4 ");
	assert_int_equal(yaml_twice(&y, true, note, &fold), 0);
	assert_string_equal(fold.text, "a@2-6 B@1-3 b@1-4 ");
	assert_string_equal(yaml_text(yaml_get(&y, "b")), "1");
	exact.text[0] = '\0';
	assert_int_equal(yaml_twice(yaml_get(&y, "b"), false, note, &exact), 0);
	y.n_items = 2;
	assert_int_equal(yaml_twice(&y, false, note, &exact), 0);
	y.n_items = 12;
	assert_string_equal(exact.text, "");
}

static void test_emitted_text(void **state)
{
	scoped(yaml_done) struct yaml y = parse(
		"ethernets: {eth0: {dhcp4: true, mtu: 9000, addresses: [10.0.0.1/24, \"x y\"]}}\n"
		"empty: {}\nnone: []\n\"null\": ~\nlist: [[1, 2], {a: b}]\n\"no\": \"true\"\n");
	scoped(text_done) struct text t = { 0 };

	(void)state;
	yaml_emit(&y, 2, &t);
	assert_string_equal(text_str(&t), "  ethernets:\n"
					  "    eth0:\n"
					  "      dhcp4: true\n"
					  "      mtu: 9000\n"
					  "      addresses:\n"
					  "        - 10.0.0.1/24\n"
					  "        - \"x y\"\n"
					  "  empty: {}\n"
					  "  none: []\n"
					  "  \"null\": null\n"
					  "  list:\n"
					  "    -\n"
					  "      - 1\n"
					  "      - 2\n"
					  "    -\n"
					  "      a: b\n"
					  "  \"no\": \"true\"\n");
}

/* A small generator, the same numbers at every run. */
static unsigned next(unsigned *seed, unsigned below)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) % below;
}

static void random_text(unsigned *seed, struct text *t)
{
	static const char *const parts[] = {
		"a",  "null", "~",  "true", "- ",	    ": ",	"#",
		" ",  "\n",   "\t", "'",    "\"",	    "\\",	"{",
		"]",  ",",    "|",  "---",  "...",	    "\xc3\xa9", "%",
		"&x", "*",    "!",  "@",    "\xe2\x80\xa8", "1.5",	"?"
	};
	unsigned n = next(seed, 8) == 0 ? 400 : next(seed, 5);

	while (n-- > 0)
		text_add(t, parts[next(seed, COUNT(parts))]);
}

static void random_value(unsigned *seed, struct yaml *y, unsigned depth)
{
	unsigned n = next(seed, 4), i;

	y->kind = (enum yaml_kind)next(seed, depth > 4 ? 2 : 4);
	if (y->kind == YAML_SCALAR) {
		scoped(text_done) struct text t = { 0 };

		random_text(seed, &t);
		y->text = text_take(&t);
		/* Only what a plain scalar can be is one. */
		y->plain = strspn(y->text, "abcdefghijklmnopqrstuvwxyz0123456789.") ==
				   strlen(y->text) &&
			   *y->text && strcmp(y->text, "null") != 0 && *y->text != '.';
	}
	if (y->kind == YAML_NULL || y->kind == YAML_SCALAR)
		return;
	y->n_items = y->kind == YAML_MAPPING ? 2 * (size_t)n : n;
	y->items = calloc(y->n_items + 1, sizeof(*y->items));
	for (i = 0; i < y->n_items; i++)
		do {
			yaml_done(&y->items[i]);
			random_value(seed, &y->items[i], depth + 1);
		} while (y->kind == YAML_MAPPING && i % 2 == 0 && y->items[i].kind != YAML_SCALAR);
}

static void test_what_is_emitted_is_read_back(void **state)
{
	unsigned seed = 1;
	int i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		scoped(yaml_done) struct yaml y = { 0 };
		scoped(yaml_done) struct yaml back = { 0 };
		scoped(text_done) struct text t = { 0 };

		random_value(&seed, &y, 0);
		yaml_emit(&y, next(&seed, 3), &t);
		if (y.kind == YAML_NULL)
			continue;
		back = parse(text_str(&t));
		if (!same(&y, &back))
			fail_msg("not read back: %s", text_str(&t));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_have_kind_and_place),
		cmocka_unit_test(test_looking_up_can_be_chained),
		cmocka_unit_test(test_texts_of_scalars),
		cmocka_unit_test(test_what_is_no_document_is_refused_by_name),
		cmocka_unit_test(test_hostile_shapes_are_refused_soon),
		cmocka_unit_test(test_depth_is_allowed_up_to_its_bound),
		cmocka_unit_test(test_json_may_have_long_lines),
		cmocka_unit_test(test_texts_are_right_in_large_files),
		cmocka_unit_test(test_flow_style_that_is_no_json_is_yaml),
		cmocka_unit_test(test_keys_given_twice_are_found),
		cmocka_unit_test(test_emitted_text),
		cmocka_unit_test(test_what_is_emitted_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
