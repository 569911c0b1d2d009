/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "cluster/plan.h"
#include "cluster/seed.h"

#define PLACE(spec) PLAN_PLACE spec PLAN_PLACE

static const struct {
	const char *path, *data;
} files[] = {
	{ "secrets/token", "abcdef.0123456789abcdef\n" },
	{ "secrets/odd", "two words\n" },
	{ "secrets/empty", "" },
	{ "secrets/one", "f" },
	{ "secrets/two", "fo" },
	{ "secrets/three", "foo" },
	{ "secrets/registry", "pa:ss\"word\n" },
	{ "secrets/lines", "one\ntwo\n" },
	{ "secrets/pki/ca.crt", "-----BEGIN CERTIFICATE-----\nAA==\n" },
};

static void make_seed(struct seed *seed)
{
	struct fault why = { 0 };

	CASES (f, files) {
		assert_int_equal(seed_add(seed, f->path, f->data, strlen(f->data), &why), 0);
	}
}

static void test_places_are_filled_from_the_seed(void **state)
{
	static const struct {
		const char *content, *filled, *veiled;
	} cases[] = {
		{ "", "", "" },
		{ "nothing <here> @secret@", "nothing <here> @secret@", "nothing <here> @secret@" },
		{ "password=" PLACE("line:registry") "\n", "password=pa:ss\"word\n",
		  "password=<secrets/registry>\n" },
		{ "token: \"" PLACE("word:token") "\"\n", "token: \"abcdef.0123456789abcdef\"\n",
		  "token: \"<secrets/token>\"\n" },
		{ PLACE("base64:empty"), "", "<base64 of secrets/empty>" },
		{ PLACE("base64:one") " " PLACE("base64:two") " " PLACE("base64:three"),
		  "Zg== Zm8= Zm9v",
		  "<base64 of secrets/one> <base64 of secrets/two> <base64 of secrets/three>" },
		{ PLACE("base64:pki/ca.crt"), "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBPT0K",
		  "<base64 of secrets/pki/ca.crt>" },
		{ "Basic " PLACE("basic:puller:registry") "!", "Basic cHVsbGVyOnBhOnNzIndvcmQ=!",
		  "Basic <base64 of puller:secrets/registry>!" },
		/* {"auths":{"reg:5000":{"username":"puller","password":"pa:ss\"word","auth":…}}} */
		{ PLACE("pull:reg:5000/puller:registry"),
		  "eyJhdXRocyI6eyJyZWc6NTAwMCI6eyJ1c2VybmFtZSI6InB1bGxlciIsInBhc3N3b3JkIjoicGE6"
		  "c3NcIndvcmQiLCJhdXRoIjoiY0hWc2JHVnlPbkJoT25OekluZHZjbVE9In19fQ==",
		  "<base64 of reg:5000/puller:secrets/registry>" },
		{ "password: " PLACE("yaml:registry") "\n", "password: \"pa:ss\\\"word\"\n",
		  "password: <secrets/registry>\n" },
	};
	struct seed seed = { 0 };

	(void)state;
	make_seed(&seed);
	CASES (c, cases) {
		struct text out = { 0 };
		struct fault why = { 0 };

		assert_int_equal(plan_fill(c->content, &seed, &out, &why), 0);
		assert_string_equal(text_str(&out), c->filled);
		text_done(&out);
		plan_veil(c->content, &out);
		assert_string_equal(text_str(&out), c->veiled);
		text_done(&out);
	}
	seed_done(&seed);
}

static void test_a_place_that_cannot_be_filled_is_a_fault(void **state)
{
	static const struct {
		const char *content;
		int code;
		const char *text;
	} cases[] = {
		{ PLACE("word:pki/ca.key"), -ENOENT, "the seed holds no secrets/pki/ca.key" },
		{ PLACE("word:odd"), -EBADMSG, "secrets/odd must hold one plain word" },
		{ PLACE("word:empty"), -EBADMSG, "secrets/empty must hold one plain word" },
		{ PLACE("word:registry"), -EBADMSG, "secrets/registry must hold one plain word" },
		{ PLACE("line:lines"), -EBADMSG, "secrets/lines holds a control character" },
		{ PLACE("line:empty"), -EBADMSG, "secrets/empty is empty" },
		{ PLACE("rot13:token"), -EINVAL, "unknown form 'rot13'" },
		{ PLACE("token"), -EINVAL, "unknown form" },
		{ PLAN_PLACE "word:token", -EINVAL, "has no end" },
		{ PLAN_PLACE, -EINVAL, "has no end" },
	};
	struct seed seed = { 0 };

	(void)state;
	make_seed(&seed);
	CASES (c, cases) {
		struct text out = { 0 };
		struct fault why = { 0 };

		assert_int_equal(plan_fill(c->content, &seed, &out, &why), c->code);
		if (!strstr(why.text, c->text))
			fail_msg("'%s' instead of '%s'", why.text, c->text);
		text_done(&out);
	}
	seed_done(&seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_are_filled_from_the_seed),
		cmocka_unit_test(test_a_place_that_cannot_be_filled_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
