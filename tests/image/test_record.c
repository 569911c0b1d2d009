/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "cluster/model.h"
#include "image/record.h"

static struct record_node node(const char *name, const char *golden)
{
	static char disk[64];

	snprintf(disk, sizeof(disk), "%s.qcow2", name);
	return (struct record_node){ .name = (char *)(uintptr_t)name,
				     .disk = disk,
				     .format = (char *)"qcow2",
				     .bytes = 40ULL << 30,
				     .golden = (char *)(uintptr_t)golden,
				     .seed_sha256 = (char *)"0123" };
}

static struct record sample(void)
{
	struct record r = { .distribution = strdup("debian"),
			    .release = strdup("bookworm"),
			    .facts = { "1.20.2", "1.6.20", "k8s.gcr.io/pause:3.2" } };
	struct record_node a = node("master", "golden-a.raw");

	assert_int_equal(record_put(&r, &a), 0);
	a = node("worker", "golden-a.raw");
	assert_int_equal(record_put(&r, &a), 0);
	a = node("storage", "golden-b.raw");
	assert_int_equal(record_put(&r, &a), 0);
	return r;
}

static void test_what_is_written_is_read_again(void **state)
{
	struct record r = sample(), again = { 0 };
	struct text out = { 0 }, out2 = { 0 };
	struct fault why = { 0 };

	(void)state;
	record_render(&r, &out);
	assert_golden("image/build.json", text_str(&out));
	assert_int_equal(record_parse(text_str(&out), out.len, &again, &why), 0);
	record_render(&again, &out2);
	assert_string_equal(text_str(&out), text_str(&out2));
	text_done(&out);
	text_done(&out2);
	record_done(&r);
	record_done(&again);
}

static void test_a_node_built_again_takes_its_old_place(void **state)
{
	struct record r = sample();
	struct record_node again = node("worker", "golden-c.raw");

	(void)state;
	assert_int_equal(record_put(&r, &again), 0);
	assert_int_equal(r.n_nodes, 3);
	assert_string_equal(r.nodes[1].golden, "golden-c.raw");
	record_done(&r);
}

static void test_forgets_nodes_that_are_gone(void **state)
{
	struct model_node nodes[] = { { .name = (char *)"worker" } };
	struct model m = { .nodes = nodes, .n_nodes = 1 };
	struct record r = sample();

	(void)state;
	record_keep(&r, &m);
	assert_int_equal(r.n_nodes, 1);
	assert_non_null(record_find(&r, "worker"));
	assert_null(record_find(&r, "master"));
	record_done(&r);
}

static void test_takes_what_it_understands_of_a_damaged_record(void **state)
{
	static const struct {
		const char *json;
		int r;
		size_t n_nodes;
	} cases[] = {
		{ "{}", 0, 0 },
		{ "{\"nodes\": 7, \"facts\": []}", 0, 0 },
		{ "{\"nodes\": [{\"name\": \"a\"}, 5, null]}", 0, 0 },
		{ "{\"nodes\": [{\"name\": \"a\", \"disk\": \"a.raw\", \"format\": \"raw\", "
		  "\"golden\": \"g\", \"seed_sha256\": \"0\"}]}",
		  0, 1 },
		{ "{\"nodes\": [", -EBADMSG, 0 },
	};

	(void)state;
	CASES (c, cases) {
		struct record r = { 0 };
		struct fault why = { 0 };

		assert_int_equal(record_parse(c->json, strlen(c->json), &r, &why), c->r);
		assert_int_equal(r.n_nodes, c->n_nodes);
		record_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read_again),
		cmocka_unit_test(test_a_node_built_again_takes_its_old_place),
		cmocka_unit_test(test_forgets_nodes_that_are_gone),
		cmocka_unit_test(test_takes_what_it_understands_of_a_damaged_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
