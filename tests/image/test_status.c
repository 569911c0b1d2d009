/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <sys/socket.h>

#include "cluster/api.h"
#include "cluster/model.h"
#include "image/lease.h"
#include "image/status.h"
#include "image/survey.h"

enum { MASTER, WORKER, STORE, METAL, N_NODES };

static struct model_node nodes[N_NODES] = {
	[MASTER] = { .name = (char *)"master",
		     .roles = MODEL_CONTROL_PLANE,
		     .address = { AF_INET, { 192, 168, 10, 50 } },
		     .vm = { .cpus = 2, .mark = { 3, 1 } } },
	[WORKER] = { .name = (char *)"worker",
		     .roles = MODEL_WORKER,
		     .address = { AF_INET, { 192, 168, 10, 101 } },
		     .vm = { .cpus = 2, .mark = { 4, 1 } } },
	[STORE] = { .name = (char *)"store",
		    .roles = MODEL_STORAGE | MODEL_REGISTRY,
		    .address = { AF_INET, { 192, 168, 10, 40 } },
		    .vm = { .cpus = 2, .mark = { 5, 1 } } },
	[METAL] = { .name = (char *)"metal",
		    .roles = MODEL_CONTROL_PLANE | MODEL_WORKER,
		    .address = { AF_INET, { 192, 168, 10, 30 } } },
};

static const struct model model = { .name = (char *)"lab", .nodes = nodes, .n_nodes = N_NODES };

#define SEEN(n, a, r, why)                                                                         \
	{                                                                                          \
		.name = (char *)(n), .version = (char *)"v1.20.2", .address = (char *)(a),         \
		.ready = (r), .reason = (char *)(uintptr_t)(why)                                   \
	}

static const struct api_node all_ready[] = {
	SEEN("metal", "192.168.10.30", true, NULL),
	SEEN("worker", "192.168.10.101", true, NULL),
	SEEN("master", "192.168.10.50", true, NULL),
	SEEN("stranger", "192.168.10.99", false, "not in the file"),
};

static const struct api_node one_joined[] = {
	SEEN("master", "192.168.10.50", true, NULL),
	SEEN("worker", "192.168.10.101", false, "KubeletNotReady: no CNI configuration"),
};

static const struct api_node elsewhere[] = {
	SEEN("master", "192.168.10.77", true, NULL),
	SEEN("worker", "192.168.10.101", true, NULL),
	SEEN("metal", "192.168.10.30", true, NULL),
};

static const struct domain_facts running[N_NODES] = {
	{ .state = DOMAIN_RUNNING }, { .state = DOMAIN_RUNNING }, { .state = DOMAIN_RUNNING }, { 0 }
};

static const struct domain_facts mixed[N_NODES] = {
	{ .state = DOMAIN_RUNNING }, { .state = DOMAIN_OFF }, { .state = DOMAIN_ABSENT }, { 0 }
};

/* The worker has not been heard of since before the others came back. */
static struct lease beats[] = {
	{ (char *)"master", 1000000 },
	{ (char *)"worker", 1000000 - 61 },
	{ (char *)"metal", 1000000 - 40 },
};
static const struct leases leases = { beats, 3, 1000000 };

#define ARRAY(a) .nodes = (a), .n_nodes = sizeof(a) / sizeof((a)[0])

static const struct {
	const char *golden;
	struct status_facts facts;
	bool is_ready;
} cases[] = {
	{ "status/ready", { ARRAY(all_ready), .domains = running }, true },
	{ "status/ready-no-libvirt", { ARRAY(all_ready) }, true },
	{ "status/joining", { ARRAY(one_joined), .domains = running }, false },
	{ "status/worker-off", { ARRAY(one_joined), .domains = mixed }, false },
	{ "status/api-silent",
	  { .api_silent = "192.168.10.50:6443: connection refused", .domains = running },
	  false },
	{ "status/all-silent", { .api_silent = "192.168.10.50:6443: no answer in 5 s" }, false },
	{ "status/stale", { ARRAY(all_ready), .leases = &leases, .domains = running }, false },
	{ "status/stale-and-off",
	  { ARRAY(all_ready), .leases = &leases, .domains = mixed },
	  false },
	{ "status/other-address", { ARRAY(elsewhere), .domains = running }, true },
};

static void test_facts_become_rows(void **state)
{
	struct status_row rows[N_NODES];
	char name[64];

	(void)state;
	CASES (c, cases) {
		struct text table = { 0 };

		assert_int_equal(status_merge(&model, &c->facts, rows), c->is_ready);
		status_table(rows, N_NODES, &table);
		assert_int_equal(text_error(&table), 0);
		snprintf(name, sizeof(name), "%s.txt", c->golden);
		assert_golden(name, text_str(&table));
		text_done(&table);
	}
}

static void test_rows_are_json_too(void **state)
{
	struct status_row rows[N_NODES];
	struct text json = { 0 };

	(void)state;
	status_merge(&model, &cases[2].facts, rows);
	status_json(rows, N_NODES, &json);
	assert_golden("status/joining.json", text_str(&json));
	text_done(&json);
}

static void test_a_line_tells_the_whole_row(void **state)
{
	static const char *const want[] = {
		"master: Ready, machine running, v1.20.2, 192.168.10.50\n",
		"worker: NotReady, machine off, v1.20.2, 192.168.10.101, the machine is off: "
		"rackseed vm up\n",
		"store: not defined, 192.168.10.40\n",
		"metal: NotReady, machine unknown, 192.168.10.30, has not joined yet\n",
	};
	struct status_row rows[N_NODES];
	size_t i;

	(void)state;
	status_merge(&model, &cases[3].facts, rows);
	for (i = 0; i < N_NODES; i++) {
		struct text line = { 0 };

		status_lines(&rows[i], &line);
		assert_string_equal(text_str(&line), want[i]);
		text_done(&line);
	}
}

#define STEP(n, s, r)                                                                              \
	{                                                                                          \
		.name = (n), .state = (s), .reason = (r)                                           \
	}

/* What the nodes say: one is ready and waits for a share, one waits to join, one is silent. */
static const struct survey_row survey[N_NODES] = {
	[MASTER] = { .answered = true,
		     .peer = { .phase = "ready",
			       .step = "shares",
			       .began = "the cluster began anew on 2026-11-26 21:36:44 UTC, from "
					"no snapshot",
			       .steps = { STEP("cluster", "done", "as it must be"),
					  STEP("shares", "waiting",
					       "waiting for //store/data, 41 s: no route to host"),
					  STEP("registries", "done", "registry:5000 answers") },
			       .n_steps = 3 } },
	[WORKER] = { .answered = true,
		     .peer = { .phase = "waiting",
			       .step = "cluster",
			       .steps = { STEP("cluster", "waiting",
					       "waiting for the API server, 40 s: refused"),
					  STEP("shares", "pending", "") },
			       .n_steps = 2 } },
	[STORE] = { .answered = true, .peer = { .phase = "ready" } },
	[METAL] = { .silent = "https://192.168.10.30:10270: no answer within 4 s" },
};

static const struct survey_row store_waits[N_NODES] = {
	[STORE] = { .answered = true,
		    .peer = { .phase = "failing",
			      .step = "storage",
			      .steps = { STEP("storage", "failed", "/dev/sdb: no such disk") },
			      .n_steps = 1 } },
};

static const struct survey_row metal_serves_nothing[N_NODES] = {
	[STORE] = { .answered = true, .peer = { .phase = "ready" } },
	[METAL] = { .answered = true,
		    .peer = { .phase = "failing",
			      .step = "data",
			      .steps = { STEP("data", "failed", "/dev/sdb: no such disk") },
			      .n_steps = 1 } },
};

static const struct survey_row nobody[N_NODES] = { 0 };
static const struct domain_facts store_off[N_NODES] = {
	{ .state = DOMAIN_RUNNING }, { .state = DOMAIN_RUNNING }, { .state = DOMAIN_OFF }, { 0 }
};

static void test_nodes_speak_for_themselves(void **state)
{
	static const struct {
		const char *golden;
		struct status_facts facts;
		bool is_ready;
	} asked[] = {
		{ "status/asked",
		  { ARRAY(all_ready), .domains = running, .survey = survey },
		  true },
		{ "status/asked-joining",
		  { .nodes = all_ready, .n_nodes = 1, .domains = running, .survey = survey },
		  false },
		{ "status/asked-api-silent",
		  { .api_silent = "192.168.10.50:6443: refused", .survey = survey },
		  false },
		{ "status/asked-store-fails",
		  { ARRAY(all_ready), .domains = running, .survey = store_waits },
		  false },
		{ "status/asked-store-off",
		  { ARRAY(all_ready), .domains = store_off, .survey = nobody },
		  false },
	};

	(void)state;
	CASES (c, asked) {
		struct status_row rows[N_NODES];
		struct text out = { 0 };
		char name[64];
		size_t i;

		assert_int_equal(status_merge(&model, &c->facts, rows), c->is_ready);
		status_table(rows, N_NODES, &out);
		text_add(&out, "\n");
		for (i = 0; i < N_NODES; i++)
			status_lines(&rows[i], &out);
		text_add(&out, "\n");
		status_json(rows, N_NODES, &out);
		snprintf(name, sizeof(name), "%s.txt", c->golden);
		assert_golden(name, text_str(&out));
		text_done(&out);
	}
}

/* Ready to Kubernetes, which knows nothing of shares: a worker alone is, one that serves is not. */
static void test_a_member_that_serves_nothing_is_not_ready(void **state)
{
	static const unsigned roles[] = { MODEL_WORKER, MODEL_WORKER | MODEL_STORAGE,
					  MODEL_WORKER | MODEL_REGISTRY };
	const struct status_facts facts = { ARRAY(all_ready), .survey = metal_serves_nothing };
	const unsigned before = nodes[METAL].roles;

	(void)state;
	CASES (role, roles) {
		struct status_row rows[N_NODES];
		bool serves = *role != MODEL_WORKER;

		nodes[METAL].roles = *role;
		assert_int_equal(status_merge(&model, &facts, rows), !serves);
		assert_int_equal(rows[METAL].ready, serves ? STATUS_NOT_READY : STATUS_READY);
		assert_string_equal(rows[METAL].reason,
				    serves ? "data: /dev/sdb: no such disk" : "");
	}
	nodes[METAL].roles = before;
}

static void test_long_reasons_are_cut_not_overrun(void **state)
{
	char reason[2000];
	struct status_facts facts = { .api_silent = reason };
	struct status_row rows[N_NODES];

	(void)state;
	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	assert_false(status_merge(&model, &facts, rows));
	assert_int_equal(strlen(rows[MASTER].reason), sizeof(rows[0].reason) - 1);
}

static const char lease_list[] =
	"{\"kind\":\"LeaseList\",\"items\":["
	"{\"metadata\":{\"name\":\"worker\",\"namespace\":\"kube-node-lease\"},"
	"\"spec\":{\"renewTime\":\"2026-11-22T04:15:20.188000Z\"}},"
	"{\"metadata\":{\"name\":\"worker\",\"namespace\":\"kube-system\"},"
	"\"spec\":{\"renewTime\":\"2026-11-22T04:16:30.000001Z\"}},"
	"{\"metadata\":{\"name\":\"odd\",\"namespace\":\"kube-node-lease\"},"
	"\"spec\":{\"renewTime\":\"yesterday\"}},"
	"{\"metadata\":{\"name\":\"new\",\"namespace\":\"kube-node-lease\"}}]}";

static void test_leases_tell_how_long_a_node_was_silent(void **state)
{
	struct leases got = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(leases_parse(lease_list, strlen(lease_list), &got, &why), 0);
	assert_int_equal(got.n, 4);
	assert_int_equal(got.newest, 1795320990); /* date -u -d 2026-11-22T04:16:30Z +%s */
	assert_int_equal(leases_lag(&got, "worker"), 70);
	assert_int_equal(leases_lag(&got, "odd"), 1795320990);
	assert_int_equal(leases_lag(&got, "nobody"), 0);
	leases_done(&got);
}

static void test_what_is_no_list_of_leases_is_none(void **state)
{
	static const struct {
		const char *json;
		int outcome;
	} answers[] = {
		{ "{\"items\":[]}", 0 },
		{ "{\"items\":null}", 0 },
		{ "{}", 0 },
		{ "[1,2]", 0 },
		{ "{\"items\":[null, 7, \"x\", {}]}", 0 },
		{ "{\"items\":[", -EBADMSG },
	};

	(void)state;
	CASES (c, answers) {
		struct leases got = { 0 };
		struct fault why = { 0 };

		assert_int_equal(leases_parse(c->json, strlen(c->json), &got, &why), c->outcome);
		assert_int_equal(got.newest, 0);
		leases_done(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts_become_rows),
		cmocka_unit_test(test_rows_are_json_too),
		cmocka_unit_test(test_a_line_tells_the_whole_row),
		cmocka_unit_test(test_leases_tell_how_long_a_node_was_silent),
		cmocka_unit_test(test_what_is_no_list_of_leases_is_none),
		cmocka_unit_test(test_nodes_speak_for_themselves),
		cmocka_unit_test(test_a_member_that_serves_nothing_is_not_ready),
		cmocka_unit_test(test_long_reasons_are_cut_not_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
