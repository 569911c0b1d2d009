/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "base/macros.h"
#include "cluster/depot_page.h"

/* What asks a real registry is tests/checks/registry; here are the answers alone. */

static void test_names_of_a_page(void **state)
{
	static const struct {
		const char *json, *key, *names;
		int code;
	} cases[] = {
		{ "{\"repositories\":[\"a\",\"b/c\"]}", "repositories", "a b/c ", 0 },
		{ "{\"repositories\":[]}", "repositories", "", 0 },
		{ "{\"name\":\"x\",\"tags\":[\"1\",\"latest\"]}", "tags", "1 latest ", 0 },
		/* All tags of it were deleted. */
		{ "{\"name\":\"x\",\"tags\":null}", "tags", "", 0 },
		{ "{\"tags\":[[\"1\"],{\"a\":\"b\"},\"2\"]}", "tags", "2 ", 0 },
		{ "{\"errors\":[]}", "tags", "", -EPROTO },
		{ "[\"tags\"]", "tags", "", -EPROTO },
		{ "<html>", "tags", "", -EPROTO },
		{ "", "tags", "", -EPROTO },
	};

	(void)state;
	CASES (c, cases) {
		struct depot_names names = { 0 };
		struct fault why = { 0 };
		struct text got = { 0 };
		size_t i;

		assert_int_equal(depot_page_names(c->json, strlen(c->json), c->key, &names, &why),
				 c->code);
		for (i = 0; i < names.n; i++)
			text_addf(&got, "%s ", names.list[i]);
		assert_string_equal(text_str(&got), c->names);
		text_done(&got);
		depot_names_done(&names);
	}
}

static void test_the_next_page_is_of_the_same_server(void **state)
{
	static const struct {
		const char *head, *path;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\nLink: </v2/_catalog?last=b&n=2>; rel=\"next\"\r\n\r\n",
		  "/v2/_catalog?last=b&n=2" },
		{ "HTTP/1.1 200 OK\r\nlink:</v2/x>;rel=next\r\n\r\n", "/v2/x" },
		{ "HTTP/1.1 200 OK\r\n\r\n", NULL },
		{ "HTTP/1.1 200 OK\r\nLink: <https://elsewhere/v2/>; rel=\"next\"\r\n\r\n", NULL },
		{ "HTTP/1.1 200 OK\r\nLink: <//elsewhere/v2/>; rel=\"next\"\r\n\r\n", NULL },
		{ "HTTP/1.1 200 OK\r\nLink: </v2/x>; rel=\"prev\"\r\n\r\n", NULL },
		{ "HTTP/1.1 200 OK\r\nLink: </v2/next\r\n\r\n", NULL },
		{ "Link: ", NULL },
		{ "", NULL },
	};

	(void)state;
	CASES (c, cases) {
		struct text path = { 0 };

		assert_int_equal(depot_page_next(c->head, &path), c->path != NULL);
		assert_string_equal(text_str(&path), c->path ? c->path : "");
		text_done(&path);
	}
}

static void test_a_push_goes_on_where_the_answer_says(void **state)
{
	static const struct {
		const char *head, *path;
	} cases[] = {
		{ "HTTP/1.1 202 Accepted\r\nLocation: https://r:5000/v2/a/uploads/1?_state=x\r\n",
		  "/v2/a/uploads/1?_state=x" },
		{ "HTTP/1.1 202 Accepted\r\nlocation:/v2/a\r\n\r\n", "/v2/a" },
		{ "Location: HTTP://r/v2/a\r\n", "/v2/a" },
		{ "Location: https://r:5000\r\n", NULL },
		{ "Location: https://\r\nX: /v2/a\r\n", NULL },
		{ "Location: //elsewhere/v2/a\r\n", NULL },
		{ "Location: https://r:5000//elsewhere/v2/a\r\n", NULL },
		{ "Location: v2/a\r\n", NULL },
		{ "Location: /\r\n", NULL },
		{ "Location:", NULL },
		{ "", NULL },
	};

	(void)state;
	CASES (c, cases) {
		struct text path = { 0 };

		assert_int_equal(depot_page_location(c->head, &path), c->path != NULL);
		assert_string_equal(text_str(&path), c->path ? c->path : "");
		text_done(&path);
	}
}

static void test_a_token_is_asked_for_in_so_many_words(void **state)
{
	(void)state;
	assert_true(depot_page_wants_token("HTTP/1.1 401 Unauthorized\r\n"
					   "www-authenticate: Bearer realm=\"https://x\"\r\n\r\n"));
	assert_false(depot_page_wants_token("HTTP/1.1 401 Unauthorized\r\n"
					    "Www-Authenticate: Basic realm=\"Bearer \"\r\n\r\n"));
	assert_false(depot_page_wants_token("WWW-Authenticate:Bear"));
	assert_false(depot_page_wants_token(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_a_page),
		cmocka_unit_test(test_the_next_page_is_of_the_same_server),
		cmocka_unit_test(test_a_push_goes_on_where_the_answer_says),
		cmocka_unit_test(test_a_token_is_asked_for_in_so_many_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
