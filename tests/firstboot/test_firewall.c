/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include <sched.h>
#include <sys/stat.h>

#include "base/run.h"
#include "firstboot/nft.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"

/* The step and the kernel, in a network namespace of the test's own. */

#define PATH "/etc/rackseed/firewall.nft"
#define FRESH "table inet rackseed {\n}\ndelete table inet rackseed\n"
#define HOOK "\t\ttype filter hook input priority 0; policy accept;\n"

static const char good[] = FRESH "table inet rackseed {\n"
				 "\tset a {\n\t\ttype ipv4_addr\n\t\tflags interval\n"
				 "\t\telements = {\n\t\t\t10.0.0.0/8,\n\t\t}\n\t}\n"
				 "\tchain input {\n" HOOK "\t\tiif lo accept\n"
				 "\t\tip saddr @a tcp dport 22 accept comment \"SSH\"\n"
				 "\t\tcounter comment \"dropped\"\n\t}\n"
				 "\tchain forward {\n\t}\n}\n";
static const char better[] =
	FRESH "table inet rackseed {\n\tchain input {\n" HOOK "\t\ttcp dport 23 drop\n\t}\n}\n";
/* nft knows the words, and the kernel has no such set. */
static const char bad[] = FRESH "table inet rackseed {\n\tchain input {\n" HOOK
				"\t\tip saddr @nobody accept\n\t}\n}\n";

struct lab {
	struct tree tree;
	struct node node;
	struct plan_action action;
};

static bool has_namespace;

static void nft(const char *command, struct text *out)
{
	const char *const argv[] = { "nft", "-s", command, NULL };
	const struct run what = { .argv = argv, .out = out };
	struct fault why = { 0 };

	if (run(&what, &why) < 0)
		fail_msg("%s", why.text);
}

static void assert_table(const char *needle)
{
	struct text out = { 0 };

	nft("list ruleset", &out);
	if (!strstr(text_str(&out), needle))
		fail_msg("no '%s' in:\n%s", needle, text_str(&out));
	text_done(&out);
}

static void plan_for(struct lab *lab, const char *rules)
{
	lab->action = (struct plan_action){ .step = PLAN_FIREWALL,
					    .kind = PLAN_FILE,
					    .mode = 0644,
					    .path = (char *)PATH,
					    .content = (char *)rules };
	lab->node =
		(struct node){ .root = lab->tree.fd, .plan = { .actions = &lab->action, .n = 1 } };
}

static void lab_make(struct lab *lab)
{
	if (!has_namespace)
		skip();
	nft("flush ruleset", NULL);
	tree_make(&lab->tree);
	plan_for(lab, good);
}

static void assert_step(struct lab *lab, int outcome)
{
	struct fault why = { 0 };
	int r = task_firewall(&lab->node, &why);

	if (r != outcome)
		fail_msg("%d: %s", r, why.text);
}

/* told: how what the step says ends, "" when it says nothing. */
static void assert_says(struct lab *lab, int outcome, const char *told)
{
	struct fault why = { 0 };
	const char *end;

	assert_int_equal(task_firewall(&lab->node, &why), outcome);
	end = strstr(why.text, " UTC: ");
	assert_string_equal(end ? end + strlen(" UTC: ") : why.text, told);
	assert_true(!end || strncmp(why.text, "loaded again 2", 14) == 0);
}

static ino_t inode(const struct lab *lab)
{
	struct stat st;

	assert_int_equal(fstatat(lab->tree.fd, PATH + 1, &st, 0), 0);
	return st.st_ino;
}

static void test_what_is_in_force_is_left_alone(void **state)
{
	struct lab lab;
	ino_t before;

	(void)state;
	lab_make(&lab);
	assert_step(&lab, STEP_CHANGED);
	assert_table("comment \"SSH\"");
	assert_tree_file(&lab.tree, PATH, good);
	before = inode(&lab);
	assert_step(&lab, STEP_SAME);
	assert_true(inode(&lab) == before);
	tree_done(&lab.tree);
}

static void test_what_somebody_did_to_the_table_is_undone(void **state)
{
	static const char gone[] = "somebody had taken them away";
	static const char changed[] = "somebody had changed them";
	static const struct {
		const char *deed, *told;
	} cases[] = {
		{ "flush ruleset", gone },
		{ "delete table inet rackseed", gone },
		{ "flush chain inet rackseed input", changed },
		{ "insert rule inet rackseed input accept", changed },
		{ "add element inet rackseed a { 192.0.2.1 }", changed },
		{ "add chain inet rackseed mine", changed },
	};
	struct lab lab;

	(void)state;
	lab_make(&lab);
	assert_says(&lab, STEP_CHANGED, "");
	assert_says(&lab, STEP_SAME, "");
	CASES (c, cases) {
		nft(c->deed, NULL);
		assert_says(&lab, STEP_CHANGED, c->told);
		assert_table("comment \"SSH\"");
		/* Whoever looks later is told, too. */
		assert_says(&lab, STEP_SAME, c->told);
	}
	plan_for(&lab, better);
	assert_says(&lab, STEP_CHANGED, "");
	tree_done(&lab.tree);
}

static void test_tables_of_others_are_left_alone(void **state)
{
	struct lab lab;

	(void)state;
	lab_make(&lab);
	nft("add table ip nat; add chain ip nat KUBE-SERVICES; "
	    "add rule ip nat KUBE-SERVICES tcp dport 30080 dnat to 10.244.1.2:80",
	    NULL);
	assert_step(&lab, STEP_CHANGED);
	plan_for(&lab, better);
	assert_step(&lab, STEP_CHANGED);
	assert_table("tcp dport 30080 dnat to 10.244.1.2:80");
	tree_done(&lab.tree);
}

static void assert_refused(struct lab *lab, const char *outcome)
{
	struct fault why = { 0 };

	assert_true(task_firewall(&lab->node, &why) < 0);
	if (!strstr(why.text, outcome) || !strstr(why.text, "nftables: "))
		fail_msg("%s", why.text);
}

static void test_after_bad_rules_the_last_good_ones_stay(void **state)
{
	struct lab lab;

	(void)state;
	lab_make(&lab);
	assert_step(&lab, STEP_CHANGED);
	plan_for(&lab, bad);
	assert_refused(&lab, "the last good rule set stays in force");
	assert_table("comment \"SSH\"");
	assert_tree_file(&lab.tree, PATH, good);
	/* As after a boot: the kernel has nothing. */
	nft("flush ruleset", NULL);
	assert_refused(&lab, "the last good rule set stays in force");
	assert_table("comment \"SSH\"");
	plan_for(&lab, better);
	assert_step(&lab, STEP_CHANGED);
	assert_table("tcp dport 23 drop");
	assert_tree_file(&lab.tree, PATH, better);
	tree_done(&lab.tree);
}

static void test_bad_rules_without_better_ones_change_nothing(void **state)
{
	struct lab lab;
	struct text out = { 0 };
	struct stat st;

	(void)state;
	lab_make(&lab);
	plan_for(&lab, bad);
	assert_refused(&lab, "no rule set is known to be good");
	assert_int_not_equal(fstatat(lab.tree.fd, PATH + 1, &st, 0), 0);
	nft("list ruleset", &out);
	assert_string_equal(text_str(&out), "");
	text_done(&out);
	tree_done(&lab.tree);
}

static void test_the_shape_tells_chains_and_their_rules(void **state)
{
	static const struct {
		const char *rules, *shape;
	} cases[] = {
		{ "", "" },
		{ "table inet rackseed {\n}\n", "" },
		{ good, "input: 3\nforward: 0\n" },
		{ better, "input: 1\n" },
		{ "table inet t {\n\tchain a {\n\t\taccept\n", "" },
	};

	(void)state;
	CASES (c, cases) {
		struct text out = { 0 };

		nft_shape(c->rules, &out);
		assert_string_equal(text_str(&out), c->shape);
		text_done(&out);
	}
}

static void test_the_first_table_is_found(void **state)
{
	char table[128], small[4];

	(void)state;
	assert_true(nft_first_table(good, table, sizeof(table)));
	assert_string_equal(table, "table inet rackseed");
	assert_false(nft_first_table(good, small, sizeof(small)));
	assert_false(nft_first_table("flush ruleset\n", table, sizeof(table)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_in_force_is_left_alone),
		cmocka_unit_test(test_what_somebody_did_to_the_table_is_undone),
		cmocka_unit_test(test_tables_of_others_are_left_alone),
		cmocka_unit_test(test_after_bad_rules_the_last_good_ones_stay),
		cmocka_unit_test(test_bad_rules_without_better_ones_change_nothing),
		cmocka_unit_test(test_the_shape_tells_chains_and_their_rules),
		cmocka_unit_test(test_the_first_table_is_found),
	};

	has_namespace = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
