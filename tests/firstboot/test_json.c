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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_contains) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
