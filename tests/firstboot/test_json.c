/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "base/yaml.h"
#include "firstboot/json.h"

static const struct {
	const char *have, *want;
	bool contains;
} cases[] = {
	{ "{\"a\":\"1\",\"b\":\"2\"}", "{\"a\":\"1\"}", true },
	{ "{\"a\":\"1\"}", "{\"a\":\"2\"}", false },
	{ "{\"a\":\"1\"}", "{\"b\":\"1\"}", false },
	/* A role is a label with an empty value: it has to be there. */
	{ "{\"labels\":{}}", "{\"labels\":{\"node-role.kubernetes.io/worker\":\"\"}}", false },
	{ "{\"labels\":{\"node-role.kubernetes.io/worker\":\"\"}}",
	  "{\"labels\":{\"node-role.kubernetes.io/worker\":\"\"}}", true },
	{ "{}", "{\"labels\":{}}", true },
	{ "{\"spec\":{\"taints\":[{\"key\":\"x\",\"effect\":\"NoSchedule\",\"timeAdded\":null},"
	  "{\"key\":\"k\",\"value\":\"v\",\"effect\":\"NoExecute\"}]}}",
	  "{\"spec\":{\"taints\":[{\"key\":\"k\",\"value\":\"v\",\"effect\":\"NoExecute\"}]}}",
	  true },
	{ "{\"spec\":{\"taints\":[{\"key\":\"k\",\"effect\":\"NoSchedule\"}]}}",
	  "{\"spec\":{\"taints\":[{\"key\":\"k\",\"effect\":\"NoExecute\"}]}}", false },
	{ "{\"spec\":{}}", "{\"spec\":{\"taints\":[{\"key\":\"k\"}]}}", false },
	{ "{\"spec\":{}}", "{\"spec\":{\"taints\":[]}}", true },
	{ "{\"a\":\"1\"}", "{\"a\":{\"b\":\"1\"}}", false },
	{ "{\"a\":{\"b\":\"1\"}}", "{\"a\":\"1\"}", false },
};

static void test_contains(void **s)
{
	(void)s;
	CASES (c, cases) {
		struct yaml have = { 0 }, want = { 0 };
		struct yaml_error error = { 0 };

		assert_int_equal(yaml_parse(c->have, strlen(c->have), &have, &error), 0);
		assert_int_equal(yaml_parse(c->want, strlen(c->want), &want, &error), 0);
		if (json_contains(&have, &want) != c->contains)
			fail_msg("%s in %s", c->want, c->have);
		yaml_done(&have);
		yaml_done(&want);
	}
}

static const struct {
	const char *fields, *want;
	bool all;
} fields_cases[] = {
	{ "{\"f:metadata\":{\"f:labels\":{\"f:tier\":{}}}}",
	  "{\"metadata\":{\"labels\":{\"tier\":\"gpu\"}}}", true },
	{ "{\"f:metadata\":{\"f:labels\":{\"f:tier\":{},\"f:zone\":{}}}}",
	  "{\"metadata\":{\"labels\":{\"tier\":\"gpu\"}}}", false },
	{ "{\"f:metadata\":{\"f:annotations\":{\".\":{},\"f:a\":{}}}}", "{\"metadata\":{}}",
	  false },
	{ "{\"f:metadata\":{\"f:labels\":{\".\":{}}}}", "{\"metadata\":{\"labels\":{}}}", true },
	{ "{\"f:spec\":{\"f:taints\":{}}}", "{\"spec\":{\"taints\":[]}}", true },
	{ "{\"f:l\":{\"k:{\\\"name\\\":\\\"x\\\"}\":{\".\":{},\"f:name\":{}}}}",
	  "{\"l\":[{\"name\":\"y\"},{\"name\":\"x\"}]}", true },
	{ "{\"f:l\":{\"k:{\\\"name\\\":\\\"x\\\"}\":{\".\":{}}}}", "{\"l\":[{\"name\":\"y\"}]}",
	  false },
	{ "{\"f:l\":{\"v:\\\"x\\\"\":{}}}", "{\"l\":[\"x\"]}", true },
	{ "{\"f:l\":{\"v:\\\"x\\\"\":{}}}", "{\"l\":[\"y\"]}", false },
	{ "{\"f:l\":{\"k:{broken\":{}}}", "{\"l\":[]}", false },
	{ "null", "{}", true },
};

static void test_owned_fields_are_all_wanted(void **s)
{
	(void)s;
	CASES (c, fields_cases) {
		struct yaml fields = { 0 }, want = { 0 };
		struct yaml_error error = { 0 };

		assert_int_equal(yaml_parse(c->fields, strlen(c->fields), &fields, &error), 0);
		assert_int_equal(yaml_parse(c->want, strlen(c->want), &want, &error), 0);
		if (json_owned(&fields, &want) != c->all)
			fail_msg("%s of %s", c->fields, c->want);
		yaml_done(&fields);
		yaml_done(&want);
	}
}

static void test_a_manager_is_found_by_what_it_applied(void **s)
{
	static const char json[] =
		"{\"metadata\":{\"managedFields\":["
		"{\"manager\":\"rackseed\",\"operation\":\"Update\",\"fieldsV1\":{\"f:a\":{}}},"
		"{\"manager\":\"rackseed\",\"operation\":\"Apply\",\"fieldsV1\":{\"f:b\":{}}}]}}";
	struct yaml tree = { 0 };
	struct yaml_error error = { 0 };

	(void)s;
	assert_int_equal(yaml_parse(json, strlen(json), &tree, &error), 0);
	assert_non_null(yaml_get(json_managed(&tree, "rackseed"), "f:b"));
	assert_null(json_managed(&tree, "kubectl"));
	assert_null(json_managed(yaml_get(&tree, "metadata"), "rackseed"));
	yaml_done(&tree);
}

static void test_json_is_written_as_it_was_read(void **s)
{
	static const char *const texts[] = {
		"{\"a\":[1,true,null,\"1\",\"\",{}],\"b\":{\"c\":-0.5e3,\"q\\\"\":\"\\\\\\n\"}}",
		"[]",
		"{}",
		"[[],[[]]]",
	};

	(void)s;
	CASES (t, texts) {
		struct yaml tree = { 0 };
		struct yaml_error error = { 0 };
		struct text out = { 0 };

		assert_int_equal(yaml_parse(*t, strlen(*t), &tree, &error), 0);
		json_write(&tree, &out);
		assert_string_equal(text_str(&out), *t);
		text_done(&out);
		yaml_done(&tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_owned_fields_are_all_wanted),
		cmocka_unit_test(test_a_manager_is_found_by_what_it_applied),
		cmocka_unit_test(test_json_is_written_as_it_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
