/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "firstboot/steps.h"

/* The steps' world: how often each ran, when it succeeds, and what was announced. */
struct node {
	int ran[3];
	int good_from[3]; /* succeeds from this try on; 0: never */
	int code[3];	  /* what it fails with */
	int bad_at[3];	  /* fails at this try all the same; 0: at none */
	const char *says; /* when it is done, or NULL */
	int64_t takes_ms[3], *clock;
	bool keeps; /* nothing of it yields */
};

static int run_one(struct node *node, int i, struct fault *why)
{
	node->ran[i]++;
	if (node->clock)
		*node->clock += node->takes_ms[i];
	if (node->good_from[i] && node->ran[i] >= node->good_from[i] &&
	    node->ran[i] != node->bad_at[i]) {
		if (node->says)
			return step_say(why, STEP_SAME, "%s", node->says);
		return i == 1 && node->ran[i] == node->good_from[i] ? STEP_CHANGED : STEP_SAME;
	}
	fault_set(why, node->code[i] ? node->code[i] : EIO, "no luck");
	if (node->code[i] == EAGAIN)
		return step_wait(why, "better days");
	return -why->code;
}

static int run_a(struct node *node, struct fault *why)
{
	return run_one(node, 0, why);
}

static int run_b(struct node *node, struct fault *why)
{
	return run_one(node, 1, why);
}

static int run_c(struct node *node, struct fault *why)
{
	return run_one(node, 2, why);
}

struct world {
	struct text log, turns;
	int64_t now_ms;
	int pauses, stop_after; /* stops at that pause; 0: never */
	int retry_at;
	bool is_exact; /* a pause lasts what was asked, not ten seconds */
	unsigned longest_ms, last_ms;
};

static void world_done(struct world *w)
{
	text_done(&w->log);
	text_done(&w->turns);
}

static void tell(void *data, const struct step_event *event)
{
	struct world *w = data;

	if (event->state == STEP_PENDING)
		return;
	text_addf(&w->log, "%s%s %s%s%s\n", event->repeated ? "(again) " : "", event->name,
		  step_state_name(event->state), event->reason[0] ? ": " : "", event->reason);
}

static enum step_pause pause_for(void *data, unsigned ms)
{
	struct world *w = data;

	w->pauses++;
	w->now_ms += w->is_exact ? (int64_t)ms : 10000;
	w->last_ms = ms;
	if (ms > w->longest_ms)
		w->longest_ms = ms;
	if (w->pauses == w->stop_after)
		return STEP_PAUSE_STOP;
	return w->pauses == w->retry_at ? STEP_PAUSE_RETRY : STEP_PAUSE_OVER;
}

static void turn(void *data, const char *name)
{
	struct world *w = data;

	text_add(&w->turns, name);
}

static int64_t now_ms(void *data)
{
	const struct world *w = data;

	return w->now_ms;
}

static const struct step abc[] = { { .name = "a", .run = run_a },
				   { .name = "b", .run = run_b },
				   { .name = "c", .run = run_c } };

static int run_steps(const struct step *steps, struct node *node, struct world *w,
		     struct fault *why)
{
	const struct runner runner = { .steps = steps,
				       .n = 3,
				       .node = node,
				       .announce = tell,
				       .pause = pause_for,
				       .now_ms = now_ms,
				       .turn = turn,
				       .data = w };

	return steps_run(&runner, why);
}

static void test_runs_in_order(void **s)
{
	struct node node = { .good_from = { 1, 1, 1 } };
	struct world w = { 0 };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(abc, &node, &w, &why), 0);
	assert_string_equal(text_str(&w.log), "a running\na done: as it must be\n"
					      "b running\nb done: changed\n"
					      "c running\nc done: as it must be\n");
	world_done(&w);
}

static void test_stops_at_first_failure_until_it_succeeds(void **s)
{
	struct node node = { .good_from = { 1, 3, 1 } };
	struct world w = { 0 };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(abc, &node, &w, &why), 0);
	assert_string_equal(text_str(&w.log), "a running\na done: as it must be\n"
					      "b running\nb failed: no luck\n"
					      "(again) b failed: no luck\nb done: changed\n"
					      "c running\nc done: as it must be\n");
	assert_int_equal(node.ran[0], 1);
	world_done(&w);
}

static void test_a_wait_names_what_how_long_and_why(void **s)
{
	struct node node = { .good_from = { 4, 1, 1 }, .code = { EAGAIN } };
	struct world w = { 0 };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(abc, &node, &w, &why), 0);
	assert_non_null(
		strstr(text_str(&w.log), "a waiting: waiting for better days, 0 s: no luck\n"));
	assert_non_null(strstr(text_str(&w.log),
			       "(again) a waiting: waiting for better days, 20 s: no luck\n"));
	world_done(&w);
}

static void test_never_gives_up_but_stops_when_told(void **s)
{
	struct node node = { .good_from = { 0, 1, 1 } };
	struct world w = { .stop_after = 200 };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(abc, &node, &w, &why), -ECANCELED);
	assert_int_equal(node.ran[0], 200);
	assert_int_equal(node.ran[1], 0);
	assert_true(w.longest_ms <= 15000);
	assert_true(w.longest_ms > 15000 * 3 / 4 - 1);
	world_done(&w);
}

static void test_retry_starts_the_pace_over(void **s)
{
	struct node node = { .good_from = { 0, 1, 1 } };
	struct world w = { .stop_after = 11, .retry_at = 10 };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(abc, &node, &w, &why), -ECANCELED);
	assert_true(w.last_ms <= 1000);
	world_done(&w);
}

static void test_a_limit_ends_it(void **s)
{
	static const struct step steps[] = { { .name = "a", .run = run_a, .limit_s = 60 },
					     { .name = "b", .run = run_b },
					     { .name = "c", .run = run_c } };
	struct node node = { .good_from = { 0, 1, 1 }, .code = { EAGAIN } };
	struct world w = { 0 };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(steps, &node, &w, &why), -EAGAIN);
	assert_int_equal(node.ran[0], 7);
	assert_int_equal(node.ran[1], 0);
	world_done(&w);
}

static void test_background_steps_hold_up_nobody(void **s)
{
	static const struct step steps[] = { { .name = "a", .run = run_a, .background = true },
					     { .name = "b", .run = run_b, .background = true },
					     { .name = "c", .run = run_c } };
	struct node node = { .good_from = { 4, 2, 1 } };
	struct world w = { 0 };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(steps, &node, &w, &why), 0);
	assert_ptr_equal(strstr(text_str(&w.log), "c running\nc done"), text_str(&w.log));
	assert_int_equal(node.ran[0], 4);
	assert_int_equal(node.ran[1], 2);
	assert_int_equal(w.pauses, 3);
	world_done(&w);
}

static bool may_yield(const struct node *node)
{
	return !node->keeps;
}

/* A disk, what is served from it, and the cluster. */
static const struct step beside[] = {
	{ .name = "a", .run = run_a, .yields = may_yield },
	{ .name = "b", .run = run_b, .yields = may_yield, .after = "a" },
	{ .name = "c", .run = run_c },
};

static void test_what_yields_is_tried_on_beside_the_later_ones(void **s)
{
	static const struct {
		int good_from[3];
		bool keeps;
		const char *log;
		int ran[3];
	} cases[] = {
		{ { 1, 1, 1 },
		  false,
		  "a running\na done: as it must be\nb running\nb done: changed\n"
		  "c running\nc done: as it must be\n",
		  { 1, 1, 1 } },
		/* What hangs on it is not tried before it. */
		{ { 3, 2, 1 },
		  false,
		  "a running\na failed: no luck\nc running\nc done: as it must be\n"
		  "(again) a failed: no luck\na done: as it must be\n"
		  "b running\nb failed: no luck\nb done: changed\n",
		  { 3, 2, 1 } },
		/* The cluster may need what is served. */
		{ { 2, 1, 3 },
		  false,
		  "a running\na failed: no luck\nc running\nc failed: no luck\n"
		  "a done: as it must be\nb running\nb done: changed\n"
		  "(again) c failed: no luck\nc done: as it must be\n",
		  { 2, 1, 3 } },
		{ { 1, 2, 1 },
		  false,
		  "a running\na done: as it must be\nb running\nb failed: no luck\n"
		  "c running\nc done: as it must be\nb done: changed\n",
		  { 1, 2, 1 } },
		{ { 2, 1, 1 },
		  true,
		  "a running\na failed: no luck\na done: as it must be\nb running\n"
		  "b done: changed\nc running\nc done: as it must be\n",
		  { 2, 1, 1 } },
	};

	(void)s;
	CASES (c, cases) {
		struct node node = { .keeps = c->keeps };
		struct world w = { 0 };
		struct fault why = { 0 };

		memcpy(node.good_from, c->good_from, sizeof(node.good_from));
		assert_int_equal(run_steps(beside, &node, &w, &why), STEPS_DONE);
		assert_string_equal(text_str(&w.log), c->log);
		assert_memory_equal(node.ran, c->ran, sizeof(node.ran));
		world_done(&w);
	}
}

static void test_trouble_for_ever_holds_up_nobody_and_keeps_its_pace(void **s)
{
	struct node node = { .good_from = { 0, 1, 1 } };
	struct world w = { .stop_after = 100, .retry_at = 50, .is_exact = true };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(beside, &node, &w, &why), -ECANCELED);
	assert_int_equal(node.ran[0], 100);
	assert_int_equal(node.ran[1], 0);
	assert_int_equal(node.ran[2], 1);
	assert_true(w.longest_ms > 10000 && w.longest_ms <= 15000);
	world_done(&w);
}

/* What a step notes is its own, also at a try that is not told of. */
static void test_each_try_is_somebodys_turn(void **s)
{
	struct node node = { .good_from = { 2, 1, 3 } };
	struct world w = { 0 };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(beside, &node, &w, &why), STEPS_DONE);
	assert_string_equal(text_str(&w.turns), "acabcc");
	world_done(&w);
}

static void test_a_step_that_was_stopped_is_not_passed(void **s)
{
	struct node node = { .code = { ECANCELED } };
	struct world w = { .stop_after = 1 };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(beside, &node, &w, &why), -ECANCELED);
	assert_int_equal(node.ran[2], 0);
	world_done(&w);
}

static const struct step again[] = {
	{ .name = "a", .run = run_a },
	{ .name = "b", .run = run_b, .background = true, .again_s = 60 },
	{ .name = "c", .run = run_c, .background = true, .again_s = 100 },
};

/* At 0, 60, 100, 120, 180, 200 s: the sixth pause ends it. */
static void test_done_steps_are_looked_at_again_in_silence(void **s)
{
	struct node node = { .good_from = { 1, 1, 1 } };
	struct world w = { .stop_after = 6, .is_exact = true };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(again, &node, &w, &why), -ECANCELED);
	assert_int_equal(node.ran[0], 1);
	assert_int_equal(node.ran[1], 4);
	assert_int_equal(node.ran[2], 3);
	assert_int_equal(w.now_ms, 240000);
	assert_string_equal(text_str(&w.log), "a running\na done: as it must be\n"
					      "b running\nb done: changed\n"
					      "c running\nc done: as it must be\n"
					      "(again) b done: as it must be\n"
					      "(again) c done: as it must be\n"
					      "(again) b done: as it must be\n"
					      "(again) b done: as it must be\n"
					      "(again) c done: as it must be\n");
	world_done(&w);
}

/* Also one that the others waited for, and also while one after it is still tried. */
static void test_a_step_before_one_that_waits_is_looked_at_again(void **s)
{
	static const struct step steps[] = {
		{ .name = "a", .run = run_a, .again_s = 30 },
		{ .name = "b", .run = run_b },
		{ .name = "c", .run = run_c },
	};
	struct node node = { .good_from = { 1, 8, 1 }, .bad_at = { 2, 0, 0 } };
	struct world w = { .stop_after = 16 };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(steps, &node, &w, &why), -ECANCELED);
	/* Of 160 s b took 70: a was bad at 30 s, tried at 40 s, then every 30 s. */
	assert_int_equal(node.ran[0], 6);
	assert_int_equal(node.ran[1], 8);
	assert_int_equal(node.ran[2], 1);
	assert_non_null(strstr(text_str(&w.log), "a failed: no luck\n(again) b failed: no luck\n"
						 "a done: as it must be\n"));
	world_done(&w);
}

static void test_trouble_at_a_later_look_is_told_and_tried_at_the_usual_pace(void **s)
{
	struct node node = { .good_from = { 1, 1, 1 }, .bad_at = { 0, 2, 0 } };
	struct world w = { .stop_after = 3, .is_exact = true };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(again, &node, &w, &why), -ECANCELED);
	assert_int_equal(node.ran[1], 3);
	assert_true(w.now_ms > 60000 && w.now_ms <= 60500 + 100000);
	assert_non_null(strstr(text_str(&w.log), "c done: as it must be\nb failed: no luck\n"
						 "b done: as it must be\n"));
	world_done(&w);
}

/* Three tries of a step that needs 8 s to fail, and one of a step that needs a minute. */
static void test_who_is_slow_to_fail_is_asked_a_fifth_of_the_time(void **s)
{
	static const struct step steps[] = {
		{ .name = "a", .run = run_a },
		{ .name = "b", .run = run_b, .background = true, .again_s = 60 },
		{ .name = "c", .run = run_c },
	};
	static const struct {
		int64_t takes_ms, passed_ms;
		int tries;
	} cases[] = { { 8000, (8000 + 32000) * 3, 3 }, { 60000, 60000 + 60000, 1 } };

	(void)s;
	CASES (c, cases) {
		struct world w = { .stop_after = c->tries, .is_exact = true };
		struct node node = {
			.good_from = { 1, 0, 1 }, .takes_ms = { 0, c->takes_ms, 0 },
			.clock = &w.now_ms
		};
		struct fault why = { 0 };

		assert_int_equal(run_steps(steps, &node, &w, &why), -ECANCELED);
		assert_int_equal(node.ran[1], c->tries);
		assert_int_equal(w.now_ms, c->passed_ms);
		world_done(&w);
	}
}

static void test_retry_wakes_who_only_looks_again(void **s)
{
	struct node node = { .good_from = { 1, 1, 1 } };
	struct world w = { .retry_at = 2, .is_exact = true };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(again, &node, &w, &why), STEPS_ASKED);
	assert_int_equal(w.pauses, 2);
	world_done(&w);
}

static void test_retry_hurries_those_that_are_not_done(void **s)
{
	struct node node = { .good_from = { 1, 0, 1 } };
	struct world w = { .retry_at = 8, .stop_after = 9, .is_exact = true };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(again, &node, &w, &why), -ECANCELED);
	assert_int_equal(node.ran[1], 9);
	assert_int_equal(node.ran[2], 2);
	assert_true(w.last_ms <= 1000);
	world_done(&w);
}

static void test_a_done_step_may_say_how(void **s)
{
	struct node node = { .good_from = { 1, 1, 1 }, .says = "mounted" };
	struct world w = { .stop_after = 2, .is_exact = true };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(run_steps(again, &node, &w, &why), -ECANCELED);
	assert_string_equal(text_str(&w.log), "a running\na done: mounted\n"
					      "b running\nb done: mounted\n"
					      "c running\nc done: mounted\n"
					      "(again) b done: mounted\n");
	world_done(&w);
}

static void test_delays_grow_and_stay_within_bounds(void **s)
{
	static const struct {
		unsigned tries, least, most;
	} cases[] = { { 0, 375, 500 },	   { 1, 750, 1000 },  { 2, 1500, 2000 },
		      { 3, 3000, 4000 },   { 4, 6000, 8000 }, { 5, 11250, 15000 },
		      { 40, 11250, 15000 } };

	(void)s;
	CASES (c, cases) {
		assert_int_equal(step_delay_ms(c->tries, 0), c->most);
		assert_int_equal(step_delay_ms(c->tries, UINT32_MAX), c->least);
	}
}

static void test_every_state_has_a_name(void **s)
{
	int i;

	(void)s;
	for (i = 0; i < STEP_N_STATES; i++)
		assert_non_null(step_state_name((enum step_state)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_in_order),
		cmocka_unit_test(test_stops_at_first_failure_until_it_succeeds),
		cmocka_unit_test(test_a_wait_names_what_how_long_and_why),
		cmocka_unit_test(test_never_gives_up_but_stops_when_told),
		cmocka_unit_test(test_retry_starts_the_pace_over),
		cmocka_unit_test(test_a_limit_ends_it),
		cmocka_unit_test(test_background_steps_hold_up_nobody),
		cmocka_unit_test(test_what_yields_is_tried_on_beside_the_later_ones),
		cmocka_unit_test(test_trouble_for_ever_holds_up_nobody_and_keeps_its_pace),
		cmocka_unit_test(test_each_try_is_somebodys_turn),
		cmocka_unit_test(test_a_step_that_was_stopped_is_not_passed),
		cmocka_unit_test(test_done_steps_are_looked_at_again_in_silence),
		cmocka_unit_test(test_a_step_before_one_that_waits_is_looked_at_again),
		cmocka_unit_test(test_trouble_at_a_later_look_is_told_and_tried_at_the_usual_pace),
		cmocka_unit_test(test_who_is_slow_to_fail_is_asked_a_fifth_of_the_time),
		cmocka_unit_test(test_retry_wakes_who_only_looks_again),
		cmocka_unit_test(test_retry_hurries_those_that_are_not_done),
		cmocka_unit_test(test_a_done_step_may_say_how),
		cmocka_unit_test(test_delays_grow_and_stay_within_bounds),
		cmocka_unit_test(test_every_state_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
