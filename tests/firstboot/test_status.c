/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "base/macros.h"
#include "cluster/plan.h"
#include "firstboot/node.h"
#include "firstboot/status.h"
#include "firstboot/tasks.h"

static const struct step steps[] = { { .name = "swap" },
				     { .name = "cluster" },
				     { .name = "objects", .background = true } };

static void take_in(struct status *st, const char *name, enum step_state state, const char *reason)
{
	const struct step_event event = { .name = name, .state = state, .reason = reason };

	status_take(st, &event, 1700000000000000u);
}

static void assert_line(const struct status *st, const char *want)
{
	struct text line = { 0 };

	status_line(st, &line);
	assert_string_equal(text_str(&line), want);
	text_done(&line);
}

static void test_phase_follows_the_steps(void **s)
{
	struct status st;

	(void)s;
	status_init(&st, steps, 3);
	assert_line(&st, "starting");
	take_in(&st, "swap", STEP_RUNNING, "");
	assert_line(&st, "working: swap");
	take_in(&st, "swap", STEP_FAILED, "no luck");
	assert_line(&st, "failing: swap: no luck");
	take_in(&st, "swap", STEP_DONE, "changed");
	assert_line(&st, "working");
	take_in(&st, "cluster", STEP_WAITING, "waiting for x, 1 s: y");
	assert_line(&st, "waiting: cluster: waiting for x, 1 s: y");
	take_in(&st, "cluster", STEP_DONE, "changed");
	assert_line(&st, "ready");
}

static void test_background_steps_do_not_take_ready_away(void **s)
{
	struct status st;

	(void)s;
	status_init(&st, steps, 3);
	take_in(&st, "swap", STEP_DONE, "");
	take_in(&st, "cluster", STEP_DONE, "");
	take_in(&st, "objects", STEP_WAITING, "waiting for nodes 'w1', 3 s");
	assert_int_equal(st.phase, STATUS_READY);
	assert_string_equal(st.step, "objects");
	take_in(&st, "objects", STEP_DONE, "");
	assert_string_equal(st.step, "");
}

static void test_since_is_when_the_state_began(void **s)
{
	const struct step_event wait = { .name = "swap", .state = STEP_WAITING, .reason = "a" };
	const struct step_event more = { .name = "swap", .state = STEP_WAITING, .reason = "b" };
	const struct step_event done = { .name = "swap", .state = STEP_DONE, .reason = "" };
	struct status st;

	(void)s;
	status_init(&st, steps, 3);
	assert_int_equal(st.rows[0].since_usec, 0);
	status_take(&st, &wait, 10);
	status_take(&st, &more, 20);
	assert_int_equal(st.rows[0].since_usec, 10);
	assert_string_equal(st.rows[0].reason, "b");
	status_take(&st, &done, 30);
	assert_int_equal(st.rows[0].since_usec, 30);
}

/* The last words of a program may be anything, and a cut may go through a character. */
static void test_a_reason_is_fit_for_the_bus(void **s)
{
	char words[STATUS_REASON_LEN + 8];
	struct status st;

	(void)s;
	status_init(&st, steps, 3);
	take_in(&st, "cluster", STEP_FAILED, "exit-code: rub\377bish\033[2J");
	assert_string_equal(st.rows[1].reason, "exit-code: rub?bish?[2J");
	memset(words, 'x', sizeof(words));
	snprintf(words + STATUS_REASON_LEN - 3, 11, "\xe2\x82\xac");
	take_in(&st, "cluster", STEP_FAILED, words);
	assert_string_equal(st.rows[1].reason + STATUS_REASON_LEN - 4, "x??");
}

static void test_an_unknown_step_changes_nothing(void **s)
{
	struct status st, before;

	(void)s;
	status_init(&st, steps, 3);
	before = st;
	take_in(&st, "nonsense", STEP_FAILED, "x");
	assert_memory_equal(&st, &before, sizeof(st));
}

static void test_json(void **s)
{
	struct text out = { 0 };
	struct status st;

	(void)s;
	status_init(&st, steps, 3);
	snprintf(st.name, sizeof(st.name), "w1");
	take_in(&st, "swap", STEP_DONE, "changed");
	take_in(&st, "cluster", STEP_WAITING, "waiting for \"x\"\\, 1 s:\ty");
	status_json(&st, &out);
	text_add(&out, "\n");
	assert_golden("firstboot/status.json", text_str(&out));
	text_done(&out);
}

static void test_those_outside_are_told_of_the_machine_too(void **s)
{
	const struct status status = { .name = "n1" };
	const struct status_machine machine = {
		.version = "0.1.0", .boot = "d0", .uptime_s = 61, .has_etcd_data = true,
		.began = "the cluster began anew"
	};
	struct text out = { 0 };

	(void)s;
	status_endpoint_json(&status, &machine, &out);
	assert_string_equal(
		text_str(&out),
		"{\"name\":\"n1\",\"phase\":\"starting\",\"step\":\"\",\"steps\":[],"
		"\"version\":\"0.1.0\",\"boot\":\"d0\",\"uptime\":61,\"etcdData\":true,"
		"\"began\":\"the cluster began anew\"}");
	text_done(&out);
}

static void test_what_the_endpoint_says(void **s)
{
	const struct status_machine machine = { .version = "0.1.0",
						.boot = "d0",
						.uptime_s = 61,
						.began = "anew, from \"3.db\"" };
	struct status st;
	struct text out = { 0 };

	(void)s;
	status_init(&st, steps, 3);
	snprintf(st.name, sizeof(st.name), "w1");
	take_in(&st, "swap", STEP_DONE, "changed");
	take_in(&st, "cluster", STEP_WAITING, "waiting for \"x\"\\, 1 s:\ty");
	status_endpoint_json(&st, &machine, &out);
	text_add(&out, "\n");
	assert_golden("firstboot/endpoint.json", text_str(&out));
	text_done(&out);
}

static void test_every_phase_has_a_name(void **s)
{
	int i;

	(void)s;
	for (i = 0; i < STATUS_N_PHASES; i++)
		assert_non_null(status_phase_name((enum status_phase)i));
}

/*
 * The steps of the service bear the names of the plan's, in the plan's order; behind them come
 * those that look after what is there.
 */
static void test_the_table_has_every_step_of_the_plan(void **s)
{
	size_t i;
	int p = PLAN_SWAP;

	(void)s;
	assert_string_equal(task_table[0].name, "seed");
	assert_true(task_table_n <= STATUS_MAX_ROWS);
	for (i = 1; i < task_table_n && p < PLAN_N_STEPS; i++)
		assert_string_equal(task_table[i].name, plan_step_name((enum plan_step)p++));
	assert_int_equal(p, PLAN_N_STEPS);
	for (; i < task_table_n; i++)
		assert_true(task_table[i].background && task_table[i].again_s > 0);
}

/*
 * A disk that may hold snapshots of etcd comes before a cluster is begun; a share that may hold
 * them is mounted while the cluster waits for it.
 */
static void test_what_a_member_serves_does_not_hold_up_its_cluster(void **s)
{
	static const struct {
		unsigned roles;
		const char *snapshots;
		bool data, served, cluster; /* yield */
	} cases[] = {
		{ MODEL_STORAGE | MODEL_REGISTRY, "/var/lib/x", false, false, false },
		{ MODEL_STORAGE | MODEL_WORKER, "/srv/etcd", true, true, false },
		{ MODEL_WORKER, "/mnt/data/etcd", true, true, false },
		{ MODEL_REGISTRY | MODEL_CONTROL_PLANE, "/var/lib/x", true, true, false },
		{ MODEL_REGISTRY | MODEL_CONTROL_PLANE, "/srvx", true, true, false },
		{ MODEL_REGISTRY | MODEL_CONTROL_PLANE, "/srv/etcd", false, true, false },
		{ MODEL_REGISTRY | MODEL_CONTROL_PLANE | MODEL_WORKER, "/srv", false, true, false },
		{ MODEL_CONTROL_PLANE, "/mnt/data/etcd", true, true, true },
		{ MODEL_CONTROL_PLANE, "/mnt/data", true, true, true },
		{ MODEL_CONTROL_PLANE, "/mnt/database", true, true, false },
	};
	struct model_share shares[] = { { .name = (char *)"far" },
					{ .name = (char *)"data", .mount = (char *)"/mnt/data" } };

	(void)s;
	CASES (c, cases) {
		const struct model_node self = { .roles = c->roles };
		const struct node node = { .self = &self,
					   .model = { .snapshots = { .path = (char *)c->snapshots },
						      .shares = shares,
						      .n_shares = COUNT(shares) } };

		for (size_t i = 0; i < task_table_n; i++) {
			const struct step *step = &task_table[i];
			bool yields = step->yields && step->yields(&node);

			if (strcmp(step->name, "data") == 0)
				assert_int_equal(yields, c->data);
			else if (strcmp(step->name, "cluster") == 0)
				assert_int_equal(yields, c->cluster);
			else if (step->after && strcmp(step->after, "data") == 0)
				assert_int_equal(yields, c->served);
			else
				assert_false(yields);
		}
	}
}

/* What works on a cluster is not begun before there is one, also where that step yields. */
static void test_steps_that_need_another_wait_for_it(void **s)
{
	static const struct {
		const char *name, *after;
	} needs[] = { { "storage", "data" },
		      { "registry", "data" },
		      { "objects", "cluster" },
		      { "member", "cluster" },
		      { "snapshots", "cluster" } };
	size_t i, k;

	(void)s;
	for (i = 0; i < task_table_n; i++) {
		const char *want = NULL;

		for (k = 0; k < COUNT(needs); k++)
			if (strcmp(needs[k].name, task_table[i].name) == 0)
				want = needs[k].after;
		if (want)
			assert_string_equal(task_table[i].after, want);
		else
			assert_null(task_table[i].after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_phase_follows_the_steps),
		cmocka_unit_test(test_background_steps_do_not_take_ready_away),
		cmocka_unit_test(test_since_is_when_the_state_began),
		cmocka_unit_test(test_a_reason_is_fit_for_the_bus),
		cmocka_unit_test(test_an_unknown_step_changes_nothing),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_those_outside_are_told_of_the_machine_too),
		cmocka_unit_test(test_what_the_endpoint_says),
		cmocka_unit_test(test_every_phase_has_a_name),
		cmocka_unit_test(test_the_table_has_every_step_of_the_plan),
		cmocka_unit_test(test_what_a_member_serves_does_not_hold_up_its_cluster),
		cmocka_unit_test(test_steps_that_need_another_wait_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
