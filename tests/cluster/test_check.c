/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <dirent.h>

#include "base/macros.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"

/*
 * Each tests/golden/check/NAME.yaml is parsed and checked; what is said of it stands in NAME.txt,
 * and for some as JSON in NAME.json.
 */

#define FOLDER "tests/golden/check"

enum { FILES_MAX = 200 };

struct files {
	char *names[FILES_MAX]; /* without ".yaml" */
	size_t n;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_files(struct files *files)
{
	DIR *dir = opendir(FOLDER);
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".yaml") != 0)
			continue;
		assert_true(files->n < FILES_MAX);
		files->names[files->n++] = strndup(entry->d_name, (size_t)(dot - entry->d_name));
	}
	closedir(dir);
	qsort(files->names, files->n, sizeof(char *), compare);
	assert_true(files->n > 50);
}

static void files_done(struct files *files)
{
	while (files->n > 0)
		free(files->names[--files->n]);
}

static void load(const char *name, struct model *m, struct complaints *c, struct text *source)
{
	struct fault why = { 0 };
	char path[256];

	snprintf(path, sizeof(path), FOLDER "/%s.yaml", name);
	if (document_load(AT_FDCWD, path, m, c, source, &why) < 0)
		fail_msg("%s", why.text);
}

static void test_complaints_are_as_expected(void **state)
{
	scoped(files_done) struct files files = { 0 };
	size_t i;

	(void)state;
	list_files(&files);
	for (i = 0; i < files.n; i++) {
		scoped(model_done) struct model m = { 0 };
		scoped(complaints_done) struct complaints c = { 0 };
		scoped(text_done) struct text source = { 0 };
		scoped(text_done) struct text shown = { 0 };
		char file[128], golden[128];

		load(files.names[i], &m, &c, &source);
		snprintf(file, sizeof(file), "%.100s.yaml", files.names[i]);
		snprintf(golden, sizeof(golden), "check/%.100s.txt", files.names[i]);
		complaints_print(&c, file, text_str(&source), source.len, &shown);
		assert_int_equal(text_error(&shown), 0);
		assert_golden(golden, text_str(&shown));
	}
}

static void test_json_is_as_expected(void **state)
{
	static const char *const names[] = { "good", "twice", "wide" };

	(void)state;
	CASES (name, names) {
		scoped(model_done) struct model m = { 0 };
		scoped(complaints_done) struct complaints c = { 0 };
		scoped(text_done) struct text source = { 0 };
		scoped(text_done) struct text json = { 0 };
		char golden[128];

		load(*name, &m, &c, &source);
		snprintf(golden, sizeof(golden), "check/%s.json", *name);
		complaints_json(&c, "cluster.yaml", &json);
		assert_golden(golden, text_str(&json));
	}
}

static void mark_shown(const struct complaints *c, bool *shown)
{
	size_t i, k;

	for (i = 0; i < c->n; i++)
		for (k = 0; complaint_codes[k]; k++)
			if (strcmp(complaint_codes[k], c->list[i].code) == 0)
				shown[k] = true;
}

/* What needs a file of megabytes, or files beside it, is shown by other tests. */
static bool shown_elsewhere(const char *code)
{
	static const char *const codes[] = { "too-large",	"too-long",	"too-many",
					     "long-line",	"file-missing", "secret-form",
					     "secret-readable", "not-file",	"truncated" };

	CASES (c, codes)
		if (strcmp(*c, code) == 0)
			return true;
	return false;
}

static void test_every_code_has_a_file_that_shows_it(void **state)
{
	scoped(files_done) struct files files = { 0 };
	bool shown[256] = { false };
	size_t i, k;

	(void)state;
	list_files(&files);
	for (i = 0; i < files.n; i++) {
		scoped(model_done) struct model m = { 0 };
		scoped(complaints_done) struct complaints c = { 0 };
		scoped(text_done) struct text source = { 0 };

		load(files.names[i], &m, &c, &source);
		mark_shown(&c, shown);
	}
	for (k = 0; complaint_codes[k]; k++) {
		assert_true(k < 256);
		if (!shown[k] && !shown_elsewhere(complaint_codes[k]))
			fail_msg("no file in " FOLDER " shows %s", complaint_codes[k]);
	}
}

static void test_codes_are_sorted(void **state)
{
	size_t k;

	(void)state;
	for (k = 1; complaint_codes[k]; k++)
		assert_true(strcmp(complaint_codes[k - 1], complaint_codes[k]) < 0);
}

static void test_complaints_are_in_order_and_none_twice(void **state)
{
	scoped(files_done) struct files files = { 0 };
	size_t i, k;

	(void)state;
	list_files(&files);
	for (i = 0; i < files.n; i++) {
		scoped(model_done) struct model m = { 0 };
		scoped(complaints_done) struct complaints c = { 0 };
		scoped(text_done) struct text source = { 0 };

		load(files.names[i], &m, &c, &source);
		for (k = 1; k < c.n; k++) {
			const struct complaint *a = &c.list[k - 1], *b = &c.list[k];

			assert_true(
				a->mark.line < b->mark.line ||
				(a->mark.line == b->mark.line && a->mark.column <= b->mark.column));
			assert_false(a->mark.line == b->mark.line &&
				     a->mark.column == b->mark.column &&
				     strcmp(a->code, b->code) == 0 &&
				     strcmp(a->message, b->message) == 0);
			assert_true(a->mark.line > 0 && a->mark.column > 0);
		}
	}
}

/* An address that is no node's: of three control planes, in 10.0.0.0/24. */
static void test_endpoints_that_cannot_answer(void **state)
{
	static const struct {
		const char *endpoint, *want; /* of the message; NULL: good */
	} cases[] = {
		{ "10.0.0.77", NULL },
		{ "127.0.0.1", "no machine can have" },
		{ "0.0.0.0:6443", "no machine can have" },
		{ "224.0.0.7", "no machine can have" },
		{ "\"[::1]:6443\"", "no machine can have" },
		{ "\"ff02::1\"", "no machine can have" },
		{ "10.244.7.1", "lies in podSubnet" },
		{ "10.96.0.1:443", "lies in serviceSubnet" },
		{ "\"[fd00::50]:6443\"", "not of the family" },
	};

	(void)state;
	CASES (k, cases) {
		scoped(text_done) struct text t = { 0 };
		scoped(model_done) struct model m = { 0 };
		scoped(complaints_done) struct complaints c = { 0 };
		struct fault why = { 0 };
		unsigned i;

		text_addf(&t,
			  "apiVersion: rackseed/v1\n"
			  "cluster: {name: lab, kubernetes: {version: 1.30.1}, endpoint: %s}\n"
			  "os: {distribution: debian, release: bookworm}\n"
			  "network: {subnet: 10.0.0.0/24}\n"
			  "nodes:\n",
			  k->endpoint);
		for (i = 1; i <= 3; i++)
			text_addf(&t,
				  "  m%u: {role: control-plane, address: 10.0.0.1%u,"
				  " mac: \"52:54:00:00:00:1%u\"}\n",
				  i, i, i);
		assert_int_equal(document_parse("f", text_str(&t), t.len, &m, &c, &why), 0);
		document_check(&m, &c);
		if (c.n != (k->want != NULL))
			fail_msg("%s: %zu complaints", k->endpoint, c.n);
		if (!k->want)
			continue;
		assert_string_equal(c.list[0].code, "endpoint-nobody");
		assert_int_equal(c.list[0].severity, COMPLAINT_ERROR);
		if (!strstr(c.list[0].message, k->want))
			fail_msg("%s: %s", k->endpoint, c.list[0].message);
	}
}

static void test_example_is_accepted_as_it_is(void **state)
{
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(document_parse("cluster.yaml", document_example, strlen(document_example),
					&m, &c, &why),
			 0);
	document_check(&m, &c);
	assert_int_equal(c.n, 0);
	assert_int_equal(m.n_nodes, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complaints_are_as_expected),
		cmocka_unit_test(test_json_is_as_expected),
		cmocka_unit_test(test_every_code_has_a_file_that_shows_it),
		cmocka_unit_test(test_codes_are_sorted),
		cmocka_unit_test(test_complaints_are_in_order_and_none_twice),
		cmocka_unit_test(test_endpoints_that_cannot_answer),
		cmocka_unit_test(test_example_is_accepted_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
