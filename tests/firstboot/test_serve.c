/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include <sys/stat.h>
#include <time.h>

#include "base/yaml.h"
#include "firstboot/serve.h"

/* What is told; how it is told is tested with the endpoint. */

static void assert_phase(const struct text *json, const char *phase)
{
	struct yaml tree = { 0 };
	struct yaml_error error = { 0 };

	assert_int_equal(yaml_parse(text_str(json), json->len, &tree, &error), 0);
	assert_string_equal(yaml_text(yaml_get(&tree, "phase")), phase);
	yaml_done(&tree);
}

static void test_a_fresh_report_is_told_as_it_is(void **state)
{
	struct text out = { 0 };
	struct tree t;

	(void)state;
	tree_make(&t);
	tree_put(&t, SERVE_REPORT, "{\"phase\": \"ready\"}");
	serve_report(t.fd, &out);
	assert_string_equal(text_str(&out), "{\"phase\": \"ready\"}");
	text_done(&out);
	tree_done(&t);
}

static void test_an_old_report_is_no_news(void **state)
{
	struct timespec old[2];
	struct text out = { 0 };
	struct tree t;

	(void)state;
	tree_make(&t);
	tree_put(&t, SERVE_REPORT, "{\"phase\": \"ready\"}");
	clock_gettime(CLOCK_REALTIME, &old[0]);
	old[0].tv_sec -= 100;
	old[1] = old[0];
	assert_int_equal(utimensat(t.fd, SERVE_REPORT, old, 0), 0);
	serve_report(t.fd, &out);
	assert_phase(&out, "failing");
	assert_non_null(strstr(text_str(&out), "has not said anything for 100 s"));
	/* What may be there is said to be: nobody shall begin a cluster anew for want of news. */
	assert_non_null(strstr(text_str(&out), "\"etcdData\":true"));
	text_done(&out);
	tree_done(&t);
}

static void test_without_a_report_the_service_is_silent(void **state)
{
	struct text out = { 0 };
	struct tree t;

	(void)state;
	tree_make(&t);
	serve_report(t.fd, &out);
	assert_phase(&out, "failing");
	text_done(&out);
	tree_done(&t);
}

static void test_without_credentials_nothing_is_served(void **state)
{
	struct fault why = { 0 };
	struct tree t;

	(void)state;
	tree_make(&t);
	assert_true(serve(t.path, t.path, &why) < 0);
	assert_non_null(strstr(why.text, SERVE_CRT));
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_fresh_report_is_told_as_it_is),
		cmocka_unit_test(test_an_old_report_is_no_news),
		cmocka_unit_test(test_without_a_report_the_service_is_silent),
		cmocka_unit_test(test_without_credentials_nothing_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
