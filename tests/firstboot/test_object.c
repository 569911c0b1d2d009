/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "base/yaml.h"
#include "firstboot/mounts.h"
#include "firstboot/object.h"

static void read_tree(const char *json, struct yaml *ret)
{
	struct yaml_error error = { 0 };

	*ret = (struct yaml){ 0 };
	if (yaml_parse(json, strlen(json), ret, &error) < 0)
		fail_msg("%s: %s", json, error.message);
}

#define OURS "\"managedFields\":[{\"manager\":\"rackseed\",\"operation\":\"Apply\",\"fieldsV1\":"
#define MADE "\"labels\":{\"app.kubernetes.io/managed-by\":\"rackseed\"}"
#define TAINTS(list)                                                                               \
	"{\"kind\":\"Node\",\"metadata\":{\"name\":\"w\"},\"spec\":{\"taints\":[" list "]}}"
#define VOLUME "{\"kind\":\"PersistentVolume\",\"metadata\":{\"name\":\"d\"," MADE "}}"

static const struct {
	enum plan_kind kind;
	const char *have, *want;
	enum object_verdict verdict;
} verdicts[] = {
	{ PLAN_FIELDS, "{\"kind\":\"Node\",\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"}}}",
	  "{\"kind\":\"Node\",\"metadata\":{\"labels\":{\"a\":\"1\"}}}", OBJECT_SAME },
	{ PLAN_FIELDS, "{\"kind\":\"Node\",\"metadata\":{\"labels\":{}}}",
	  "{\"kind\":\"Node\",\"metadata\":{\"labels\":{\"a\":\"1\"}}}", OBJECT_APPLY },
	/* It was ours and is not wanted any more. */
	{ PLAN_FIELDS,
	  "{\"kind\":\"Node\",\"metadata\":{\"labels\":{\"a\":\"1\"}," OURS
	  "{\"f:metadata\":{\"f:labels\":{\"f:a\":{}}}}}]}}",
	  "{\"kind\":\"Node\",\"metadata\":{\"labels\":{}}}", OBJECT_APPLY },
	/* A taint that had a value and is to have none; times and others' taints are no matter. */
	{ PLAN_FIELDS, TAINTS("{\"key\":\"a\",\"value\":\"1\",\"effect\":\"E\"}"),
	  TAINTS("{\"key\":\"a\",\"effect\":\"E\"}"), OBJECT_APPLY },
	{ PLAN_FIELDS,
	  TAINTS("{\"key\":\"b\",\"value\":\"1\",\"effect\":\"E\"},"
		 "{\"key\":\"a\",\"effect\":\"E\",\"timeAdded\":\"x\"}"),
	  TAINTS("{\"key\":\"a\",\"effect\":\"E\"}"), OBJECT_SAME },
	{ PLAN_OBJECT, "{\"metadata\":{\"name\":\"d\"}}", VOLUME, OBJECT_FOREIGN },
	{ PLAN_OBJECT, "{\"metadata\":{\"name\":\"d\"," OURS "{}}]}}", VOLUME, OBJECT_APPLY },
	{ PLAN_OBJECT, VOLUME, VOLUME, OBJECT_SAME },
	{ PLAN_OBJECT,
	  "{\"metadata\":{\"name\":\"x\",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"," MADE "}}",
	  VOLUME, OBJECT_SAME },
	{ PLAN_OBJECT,
	  "{\"metadata\":{\"name\":\"d\"," MADE "},\"status\":{\"phase\":\"Released\"}}", VOLUME,
	  OBJECT_RELEASE },
};

static void test_each_object_gets_what_is_right(void **s)
{
	(void)s;
	CASES (c, verdicts) {
		struct yaml have, want;

		read_tree(c->have, &have);
		read_tree(c->want, &want);
		if (object_judge(c->kind, &have, &want, "rackseed") != c->verdict)
			fail_msg("%s and %s", c->have, c->want);
		yaml_done(&have);
		yaml_done(&want);
	}
}

static const struct {
	const char *have, *want, *body;
} bodies[] = {
	{ NULL, VOLUME, VOLUME },
	{ NULL, TAINTS("{\"key\":\"a\",\"effect\":\"E\"}"),
	  TAINTS("{\"key\":\"a\",\"effect\":\"E\"}") },
	/* Others' stay, what was ours goes, what is ours has our value. */
	{ "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"rackseed/"
	  "taints\":\"old:E,a:E\"}},"
	  "\"spec\":{\"taints\":[{\"key\":\"a\",\"value\":\"1\",\"effect\":\"E\"},{\"key\":\"old\","
	  "\"effect\":\"E\"},{\"key\":\"old\",\"effect\":\"F\"},{\"key\":\"b\",\"effect\":\"E\","
	  "\"n\":1}]}}",
	  TAINTS("{\"key\":\"a\",\"value\":\"2\",\"effect\":\"E\"}"),
	  "{\"kind\":\"Node\",\"metadata\":{\"resourceVersion\":\"7\",\"name\":\"w\"},\"spec\":{"
	  "\"taints\":["
	  "{\"key\":\"old\",\"effect\":\"F\"},{\"key\":\"b\",\"effect\":\"E\",\"n\":1},"
	  "{\"key\":\"a\",\"value\":\"2\",\"effect\":\"E\"}]}}" },
	{ "{\"metadata\":{\"resourceVersion\":\"9\",\"annotations\":{\"rackseed/"
	  "image-pull-secrets\":\"x\"}},"
	  "\"imagePullSecrets\":[{\"name\":\"x\"},{\"name\":\"xy\"}]}",
	  "{\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"default\"},\"imagePullSecrets\":[]"
	  "}",
	  "{\"kind\":\"ServiceAccount\",\"metadata\":{\"resourceVersion\":\"9\",\"name\":"
	  "\"default\"},"
	  "\"imagePullSecrets\":[{\"name\":\"xy\"}]}" },
	/* Labels alone: no list, and nothing that could be overwritten. */
	{ "{\"metadata\":{\"resourceVersion\":\"9\"},\"spec\":{\"taints\":[{\"key\":\"a\"}]}}",
	  "{\"kind\":\"Node\",\"metadata\":{\"name\":\"w\",\"labels\":{}}}",
	  "{\"kind\":\"Node\",\"metadata\":{\"name\":\"w\",\"labels\":{}}}" },
};

static void test_what_others_put_into_a_list_stays_in_it(void **s)
{
	(void)s;
	CASES (c, bodies) {
		struct yaml have = { 0 }, want;
		struct text out = { 0 };

		if (c->have)
			read_tree(c->have, &have);
		read_tree(c->want, &want);
		object_body(c->have ? &have : NULL, &want, &out);
		assert_string_equal(text_str(&out), c->body);
		text_done(&out);
		yaml_done(&have);
		yaml_done(&want);
	}
}

/* ---- the taint of GPUs that were not tested ---- */

#define UNTESTED "{\"key\":\"gpu.rackseed/untested\",\"effect\":\"NoSchedule\"}"
#define UNTESTED_ID "gpu.rackseed/untested:NoSchedule"
#define NOTED(note, list)                                                                          \
	"{\"kind\":\"Node\",\"metadata\":{\"name\":\"w\",\"annotations\":{\"rackseed/taints\":"    \
	"\"" note "\"}},\"spec\":{\"taints\":[" list "]}}"
#define STATE(state, list)                                                                         \
	"{\"kind\":\"Node\",\"metadata\":{\"name\":\"w\",\"labels\":{\"gpu.rackseed/state\":"      \
	"\"" state "\"}},\"spec\":{\"taints\":[" list "]}}"

/*
 * It goes when the node says that it tested them, also where kubelet made it when the node joined,
 * so that no note tells whose it is; and it comes back when the node says so no more.
 */
static void test_a_node_that_tested_its_gpus_loses_their_taint(void **s)
{
	static const struct {
		const char *have, *want;
		enum object_verdict verdict;
		const char *body;
	} cases[] = {
		{ STATE("tested", UNTESTED), NOTED(UNTESTED_ID, UNTESTED), OBJECT_APPLY,
		  "{\"kind\":\"Node\",\"metadata\":{\"name\":\"w\",\"annotations\":{}},"
		  "\"spec\":{\"taints\":[]}}" },
		{ STATE("tested", UNTESTED ",{\"key\":\"b\",\"effect\":\"E\"}"),
		  NOTED("a:E," UNTESTED_ID, "{\"key\":\"a\",\"effect\":\"E\"}," UNTESTED),
		  OBJECT_APPLY,
		  NOTED("a:E", "{\"key\":\"b\",\"effect\":\"E\"},"
			       "{\"key\":\"a\",\"effect\":\"E\"}") },
		{ STATE("tested", ""), NOTED(UNTESTED_ID, UNTESTED), OBJECT_SAME, NULL },
		{ STATE("odd", ""), NOTED(UNTESTED_ID, UNTESTED), OBJECT_APPLY,
		  NOTED(UNTESTED_ID, UNTESTED) },
		{ TAINTS(""), NOTED(UNTESTED_ID, UNTESTED), OBJECT_APPLY,
		  NOTED(UNTESTED_ID, UNTESTED) },
		/* gpu: left the file. */
		{ TAINTS(UNTESTED), TAINTS(""), OBJECT_APPLY, TAINTS("") },
		/* What a node says of its labels has no taints and touches none. */
		{ STATE("tested", UNTESTED),
		  "{\"kind\":\"Node\",\"metadata\":{\"name\":\"w\",\"labels\":{}}}", OBJECT_SAME,
		  NULL },
	};

	(void)s;
	CASES (c, cases) {
		struct yaml have, want;
		struct text out = { 0 };

		read_tree(c->have, &have);
		read_tree(c->want, &want);
		object_untaint(&have, &want);
		if (object_judge(PLAN_FIELDS, &have, &want, "rackseed") != c->verdict)
			fail_msg("%s and %s", c->have, c->want);
		object_body(&have, &want, &out);
		if (c->body)
			assert_string_equal(text_str(&out), c->body);
		text_done(&out);
		yaml_done(&have);
		yaml_done(&want);
	}
}

#define CLAIM(kind, size)                                                                          \
	"{\"kind\":\"" kind "\",\"metadata\":{\"name\":\"d\"," MADE "},"                           \
	"\"spec\":{\"resources\":{\"requests\":{\"storage\":\"" size "\"}}}}"
#define PVC "PersistentVolumeClaim"

static void test_a_claim_that_is_there_keeps_its_size(void **s)
{
	static const struct {
		const char *have, *want;
		enum object_verdict verdict;
		const char *body;
	} cases[] = {
		{ CLAIM(PVC, "10Gi"), CLAIM(PVC, "20Gi"), OBJECT_SAME, CLAIM(PVC, "10Gi") },
		{ CLAIM(PVC, "10Gi"), CLAIM(PVC, "5Gi"), OBJECT_SAME, CLAIM(PVC, "10Gi") },
		{ "{\"metadata\":{" MADE "},\"spec\":{}}", CLAIM(PVC, "5Gi"), OBJECT_APPLY,
		  CLAIM(PVC, "5Gi") },
		{ CLAIM("Other", "10Gi"), CLAIM("Other", "20Gi"), OBJECT_APPLY,
		  CLAIM("Other", "20Gi") },
	};

	(void)s;
	CASES (c, cases) {
		struct fault why = { 0 };
		struct text body = { 0 };
		struct yaml have, want;

		read_tree(c->have, &have);
		read_tree(c->want, &want);
		assert_int_equal(object_keep(&have, &want, &why), 0);
		assert_int_equal(object_judge(PLAN_OBJECT, &have, &want, "rackseed"), c->verdict);
		object_body(&have, &want, &body);
		assert_string_equal(text_str(&body), c->body);
		text_done(&body);
		yaml_done(&have);
		yaml_done(&want);
	}
}

static void test_paths_have_titles(void **s)
{
	static const struct {
		const char *path, *title;
	} cases[] = {
		{ "/api/v1/nodes/w1?fieldManager=x", "node 'w1'" },
		{ "/api/v1/namespaces/team", "namespace 'team'" },
		{ "/api/v1/namespaces/team/secrets/a.b", "secret 'a.b' in namespace 'team'" },
		{ "/apis/storage.k8s.io/v1/storageclasses/x", "storage class 'x'" },
		{ "/api/v1/pods/x?a", "/api/v1/pods/x" },
		{ "nothing", "nothing" },
		{ "", "" },
		{ "/", "/" },
	};

	(void)s;
	CASES (c, cases) {
		struct text out = { 0 };

		object_title(c->path, &out);
		assert_string_equal(text_str(&out), c->title);
		text_done(&out);
	}
}

static void test_the_manager_stands_in_the_path(void **s)
{
	char buf[64];

	(void)s;
	object_manager("/x?fieldManager=rackseed-shares&force=true", buf);
	assert_string_equal(buf, "rackseed-shares");
	object_manager("/x", buf);
	assert_string_equal(buf, "");
}

static void test_mounts_are_found_by_their_point(void **s)
{
	static const char info[] = "25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"
				   "30 25 0:31 / /mnt/a\\040b rw shared:2 - cifs //nas/a rw\n"
				   "31 25 0:32 / /mnt/auto rw - autofs systemd-1 rw\n"
				   "32 25 0:33 /sub /mnt/last rw - cifs //nas/b rw";
	static const struct {
		const char *path;
		bool is_mounted;
	} cases[] = {
		{ "/", true },		{ "/mnt/a b", true },  { "/mnt/a", false },
		{ "/mnt/auto", false }, { "/mnt/last", true }, { "/sub", false },
		{ "", false },
	};

	(void)s;
	CASES (c, cases) {
		assert_int_equal(mounts_has(info, c->path), c->is_mounted);
	}
	assert_false(mounts_has("", "/"));
	assert_false(mounts_has("1 2 3", "/"));
	assert_false(mounts_has("1 2 3 4 /x", "/x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_object_gets_what_is_right),
		cmocka_unit_test(test_what_others_put_into_a_list_stays_in_it),
		cmocka_unit_test(test_a_node_that_tested_its_gpus_loses_their_taint),
		cmocka_unit_test(test_a_claim_that_is_there_keeps_its_size),
		cmocka_unit_test(test_paths_have_titles),
		cmocka_unit_test(test_the_manager_stands_in_the_path),
		cmocka_unit_test(test_mounts_are_found_by_their_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
