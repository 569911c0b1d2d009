/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "cluster/model.h"
#include "image/drill.h"

enum { N = 80 };

static char *const names[] = { (char *)"master", (char *)"w1", (char *)"metal", (char *)"w2" };
static struct model_node nodes[4];
static const struct model model = { .nodes = nodes, .n_nodes = 4 };

static int setup(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		nodes[i].name = names[i];
		nodes[i].vm.mark.line = i == 2 ? 0 : (unsigned)i + 1;
		nodes[i].roles = i == 0 ? MODEL_CONTROL_PLANE : MODEL_WORKER;
	}
	return 0;
}

static void tell_all(uint64_t seed, struct text *out)
{
	struct drill_cut cuts[N];
	size_t i;

	assert_int_equal(drill_plan(&model, seed, false, cuts, N), 3);
	for (i = 0; i < N; i++) {
		drill_tell(&cuts[i], i + 1, N, out);
		text_add(out, "\n");
	}
}

static void test_a_seed_is_one_drill(void **state)
{
	struct text a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	tell_all(7, &a);
	tell_all(7, &b);
	tell_all(8, &c);
	assert_string_equal(text_str(&a), text_str(&b));
	assert_string_not_equal(text_str(&a), text_str(&c));
	text_done(&a);
	text_done(&b);
	text_done(&c);
}

static void test_golden(void **state)
{
	struct drill_cut cuts[8];
	struct text out = { 0 };
	size_t i;

	(void)state;
	drill_plan(&model, 1, false, cuts, 8);
	for (i = 0; i < 8; i++) {
		drill_tell(&cuts[i], i + 1, 8, &out);
		text_add(&out, "\n");
	}
	assert_golden("image/drill", text_str(&out));
	text_done(&out);
}

static void test_every_kind_comes_in_every_round(void **state)
{
	struct drill_cut cuts[N];
	uint64_t seed;
	size_t i;

	(void)state;
	for (seed = 0; seed < 50; seed++) {
		unsigned seen[DRILL_N_MOMENTS][DRILL_N_REACHES] = { 0 };

		drill_plan(&model, seed, false, cuts, N);
		for (i = 0; i < N; i++) {
			assert_int_equal(seen[cuts[i].moment][cuts[i].reach], i / 8);
			seen[cuts[i].moment][cuts[i].reach]++;
			assert_true(cuts[i].off_s >= 1 && cuts[i].delay_s >= 1);
			assert_int_equal(cuts[i].node != NULL, cuts[i].reach == DRILL_NODE);
		}
	}
}

static void test_only_machines_are_cut(void **state)
{
	struct drill_cut cuts[N];
	size_t i;

	(void)state;
	drill_plan(&model, 3, false, cuts, N);
	for (i = 0; i < N; i++)
		assert_true(!cuts[i].node || cuts[i].node->vm.mark.line != 0);
	assert_int_equal(drill_plan(&(struct model){ 0 }, 3, true, cuts, N), 0);
}

/* The whole rack, or a worker: what others hold would be lost. And only when it is asked for. */
static void test_first_boots_are_of_what_can_be_lost(void **state)
{
	struct drill_cut cuts[N];
	struct model_node master = nodes[0];
	size_t i, n = 0, n_nodes = 0;

	(void)state;
	drill_plan(&model, 5, true, cuts, N);
	for (i = 0; i < N; i++) {
		if (cuts[i].moment != DRILL_FIRST_BOOT)
			continue;
		n++;
		n_nodes += cuts[i].node != NULL;
		assert_true(!cuts[i].node || cuts[i].node->roles == MODEL_WORKER);
		assert_true(drill_starts(cuts[i].moment));
	}
	assert_int_equal(n, N / 5);
	assert_int_equal(n_nodes, N / 10);
	drill_plan(&(struct model){ .nodes = &master, .n_nodes = 1 }, 5, true, cuts, N);
	for (i = 0; i < N; i++)
		assert_true(!(cuts[i].moment == DRILL_FIRST_BOOT && cuts[i].node));
	drill_plan(&model, 5, false, cuts, N);
	for (i = 0; i < N; i++)
		assert_int_not_equal(cuts[i].moment, DRILL_FIRST_BOOT);
}

static void test_times_are_summed_up(void **state)
{
	unsigned many[] = { 50, 10, 40, 30, 20 }, two[] = { 9, 3 }, one[] = { 4 };
	struct drill_summary s = drill_sum_up(many, 5);

	(void)state;
	assert_int_equal(s.min_s, 10);
	assert_int_equal(s.median_s, 30);
	assert_int_equal(s.worst_s, 50);
	s = drill_sum_up(two, 2);
	assert_int_equal(s.median_s, 9);
	s = drill_sum_up(one, 1);
	assert_int_equal(s.min_s + s.median_s + s.worst_s, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_seed_is_one_drill),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_every_kind_comes_in_every_round),
		cmocka_unit_test(test_only_machines_are_cut),
		cmocka_unit_test(test_first_boots_are_of_what_can_be_lost),
		cmocka_unit_test(test_times_are_summed_up),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
