/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include <sys/stat.h>

#include "firstboot/state.h"

static const struct state full = {
	.init_started = true,
	.completed = true,
	.healthy = true,
	.restored = true,
	.anew = true,
	.saved_time = 1700000000,
	.began = 1700000100,
	.snapshot = 1699990000,
};

static void assert_same(const struct state *a, const struct state *b)
{
	assert_int_equal(a->init_started, b->init_started);
	assert_int_equal(a->join_started, b->join_started);
	assert_int_equal(a->completed, b->completed);
	assert_int_equal(a->healthy, b->healthy);
	assert_int_equal(a->restored, b->restored);
	assert_int_equal(a->anew, b->anew);
	assert_int_equal(a->saved_time, b->saved_time);
	assert_int_equal(a->began, b->began);
	assert_int_equal(a->snapshot, b->snapshot);
}

static void test_what_is_saved_is_loaded(void **s)
{
	struct fault why = { 0 };
	struct state got;
	struct tree t;

	(void)s;
	tree_make(&t);
	assert_int_equal(state_save(t.fd, &full, &why), FS_CHANGED);
	assert_int_equal(state_load(t.fd, &got, &why), STATE_READ);
	assert_same(&got, &full);
	tree_done(&t);
}

static void test_saving_the_same_again_writes_nothing(void **s)
{
	struct fault why = { 0 };
	struct stat before, after;
	struct tree t;

	(void)s;
	tree_make(&t);
	assert_int_equal(state_save(t.fd, &full, &why), FS_CHANGED);
	assert_int_equal(fstatat(t.fd, "var/lib/rackseed/state", &before, 0), 0);
	assert_int_equal(state_save(t.fd, &full, &why), FS_SAME);
	assert_int_equal(fstatat(t.fd, "var/lib/rackseed/state", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	tree_done(&t);
}

static void test_no_file_is_absent(void **s)
{
	struct fault why = { 0 };
	struct state got = full;
	struct tree t;

	(void)s;
	tree_make(&t);
	assert_int_equal(state_load(t.fd, &got, &why), STATE_ABSENT);
	assert_same(&got, &(struct state){ 0 });
	tree_done(&t);
}

static void test_golden(void **s)
{
	struct text out = { 0 };

	(void)s;
	state_render(&full, &out);
	assert_golden("firstboot/state", text_str(&out));
	text_done(&out);
}

/* Cut at any byte, or with any bit turned over, it is damaged and yields nothing. */
static void test_every_damage_is_seen(void **s)
{
	struct text whole = { 0 };
	struct state got;
	size_t i, bit;

	(void)s;
	state_render(&full, &whole);
	for (i = 0; i < whole.len; i++) {
		got = full;
		assert_int_equal(state_parse(whole.data, i, &got), STATE_DAMAGED);
		assert_same(&got, &(struct state){ 0 });
		for (bit = 0; bit < 8; bit++) {
			whole.data[i] = (char)(whole.data[i] ^ (1 << bit));
			assert_int_equal(state_parse(whole.data, whole.len, &got), STATE_DAMAGED);
			whole.data[i] = (char)(whole.data[i] ^ (1 << bit));
		}
	}
	assert_int_equal(state_parse(whole.data, whole.len, &got), STATE_READ);
	text_add(&whole, "more\n");
	assert_int_equal(state_parse(whole.data, whole.len, &got), STATE_DAMAGED);
	text_done(&whole);
}

static const char *const damaged[] = {
	"",
	"\n",
	"rackseed-state 2\nsum 0\n",
	"rackseed-state 1\n",
	"rackseed-state 1\nsum \n",
	"rackseed-state 1\ncompleted 1\n",
	"completed 1\n",
};

static void test_foreign_texts_are_damaged(void **s)
{
	struct state got;
	struct tree t;
	struct fault why = { 0 };

	(void)s;
	CASES (c, damaged)
		assert_int_equal(state_parse(*c, strlen(*c), &got), STATE_DAMAGED);
	tree_make(&t);
	assert_int_equal(fs_mkdirs(t.fd, "var/lib/rackseed/state", 0755, &why), FS_CHANGED);
	assert_int_equal(state_load(t.fd, &got, &why), STATE_DAMAGED);
	tree_done(&t);
}

static void test_the_beginning_is_told(void **s)
{
	static const struct {
		struct state state;
		const char *want;
	} cases[] = {
		{ { 0 }, "" },
		{ { .began = 1700000000 },
		  "the cluster began on 2023-11-14 22:13:20 UTC, from no snapshot" },
		{ { .began = 1700000000, .anew = true },
		  "the cluster began anew on 2023-11-14 22:13:20 UTC, from no snapshot" },
		{ { .began = 1700000000, .anew = true, .snapshot = 1699990000 },
		  "the cluster began anew on 2023-11-14 22:13:20 UTC from its snapshot of "
		  "2023-11-14 19:26:40 UTC" },
	};

	(void)s;
	CASES (c, cases) {
		struct text out = { 0 };

		state_tell_beginning(&c->state, &out);
		assert_string_equal(text_str(&out), c->want);
		text_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_beginning_is_told),
		cmocka_unit_test(test_what_is_saved_is_loaded),
		cmocka_unit_test(test_saving_the_same_again_writes_nothing),
		cmocka_unit_test(test_no_file_is_absent),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_every_damage_is_seen),
		cmocka_unit_test(test_foreign_texts_are_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
