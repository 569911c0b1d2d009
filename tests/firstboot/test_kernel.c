/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "firstboot/early.h"
#include "firstboot/nft.h"
#include "firstboot/tasks.h"

/* Swap, sysctl, clock, accounts and tables: what the small steps read. */

static void test_swap_lines(void **s)
{
	static const struct {
		const char *line, *path; /* NULL: none */
	} cases[] = {
		{ "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n", NULL },
		{ "/dev/vda5                               partition\t1\t0\t-2\n", "/dev/vda5" },
		{ "/swap.img file 2097148 0 -2", "/swap.img" },
		{ "/swap\\040file\\011x file 1 0 -2", "/swap file\tx" },
		{ "/odd\\9 file 1 0 -2", "/odd\\9" },
		{ "/dev/zram0", "/dev/zram0" },
		{ "", NULL },
	};

	(void)s;
	CASES (c, cases) {
		struct text path = { 0 };

		assert_int_equal(swap_line(c->line, &path), c->path != NULL);
		assert_string_equal(text_str(&path), c->path ? c->path : "");
		text_done(&path);
	}
}

static void test_sysctls_are_compared_then_written(void **s)
{
	static const char wanted[] = "# comment = 1\n\nnet.ipv4.ip_forward = 1\n"
				     "kernel/panic=10\n net.ipv4.ping_group_range = 0 100 \n";
	struct fault why = { 0 };
	struct tree t;

	(void)s;
	tree_make(&t);
	tree_put(&t, "proc/sys/net/ipv4/ip_forward", "0");
	tree_put(&t, "proc/sys/kernel/panic", "10\n");
	tree_put(&t, "proc/sys/net/ipv4/ping_group_range", "0\t100\n");
	assert_int_equal(kernel_sysctls(t.fd, wanted, &why), STEP_CHANGED);
	assert_tree_file(&t, "proc/sys/net/ipv4/ip_forward", "1");
	assert_tree_file(&t, "proc/sys/net/ipv4/ping_group_range", "0\t100\n");
	assert_int_equal(kernel_sysctls(t.fd, wanted, &why), STEP_SAME);
	tree_done(&t);
}

static void test_a_sysctl_that_is_not_there_is_named(void **s)
{
	struct fault why = { 0 };
	struct tree t;

	(void)s;
	tree_make(&t);
	assert_int_equal(kernel_sysctls(t.fd, "net.bridge.bridge-nf-call-iptables = 1\n", &why),
			 -ENOENT);
	assert_non_null(strstr(why.text, "proc/sys/net/bridge/bridge-nf-call-iptables"));
	tree_done(&t);
}

/* Of 2023-11-14 is the image, of a day later the CA, for ten years. */
static void test_the_clock_is_never_before_what_is_past(void **s)
{
	enum { DAY = 24 * 3600 };
	const int64_t image = 1700000000, begin = image + DAY, end = begin + (int64_t)3650 * DAY;
	const struct clock_span ca = { begin, end }, none = { INT64_MIN, INT64_MAX };
	const struct timeval times[2] = { { .tv_sec = image }, { .tv_sec = image } };
	const struct {
		struct clock_span ca;
		int64_t saved, now, want;
	} cases[] = {
		{ none, 0, 5, image },
		{ none, image + 9, image + 5, image + 9 },
		{ ca, 0, 5, begin }, /* before it no certificate counts */
		{ ca, begin + DAY, 5, begin + DAY }, /* ten years behind and more: a dead battery */
		{ ca, begin + 900 * DAY, 5, begin + 900 * DAY },
		{ ca, begin + 90 * DAY, begin + 80 * DAY, begin + 90 * DAY }, /* a weak one */
		{ ca, begin + 90 * DAY, begin + 91 * DAY, begin + 91 * DAY },
		/* What was saved by a clock that ran ahead holds no good one up. */
		{ ca, end + 1, begin + DAY, begin + DAY },
		{ ca, begin + 2000 * DAY, begin + DAY, begin + DAY },
		/* Ten years ahead: it is not this that sets it back. */
		{ ca, begin + DAY, end + DAY, end + DAY },
	};
	char path[128];
	struct tree t;

	(void)s;
	tree_make(&t);
	assert_int_equal(clock_floor(t.fd, none, 0, 5), 5);
	tree_put(&t, "usr/lib/rackseed/image.json", "{}");
	snprintf(path, sizeof(path), "%s/usr/lib/rackseed/image.json", t.path);
	assert_int_equal(utimes(path, times), 0);
	CASES (c, cases)
		assert_int_equal(clock_floor(t.fd, c->ca, c->saved, c->now), c->want);
	tree_done(&t);
}

static void test_accounts(void **s)
{
	static const char passwd[] =
		"root:x:0:0::/root:/bin/sh\nops:x:998:998::/home/ops:/bin/bash\n";

	(void)s;
	assert_true(early_has_user(passwd, "ops"));
	assert_true(early_has_user(passwd, "root"));
	assert_false(early_has_user(passwd, "op"));
	assert_false(early_has_user(passwd, "998"));
	assert_false(early_has_user("", "ops"));
}

static void test_first_table_of_a_rule_set(void **s)
{
	static const struct {
		const char *rules, *table;
	} cases[] = {
		{ "# x\ntable inet rackseed {\n}\ndelete table inet rackseed\n",
		  "table inet rackseed" },
		{ "table ip nat{\n}\n", "table ip nat" },
		{ "table inet rackseed\nchain x {\n", NULL },
		{ "", NULL },
	};

	(void)s;
	CASES (c, cases) {
		char table[64] = "";

		assert_int_equal(nft_first_table(c->rules, table, sizeof(table)), c->table != NULL);
		if (c->table)
			assert_string_equal(table, c->table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_swap_lines),
		cmocka_unit_test(test_sysctls_are_compared_then_written),
		cmocka_unit_test(test_a_sysctl_that_is_not_there_is_named),
		cmocka_unit_test(test_the_clock_is_never_before_what_is_past),
		cmocka_unit_test(test_accounts),
		cmocka_unit_test(test_first_table_of_a_rule_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
