/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"
#include "image/command.h"
#include "image/lint.h"

static const char head[] =
	"apiVersion: rackseed/v1\n"
	"cluster: {name: lab, kubernetes: {version: 1.30.1}}\n"
	"os: {distribution: debian, release: bookworm}\n"
	"network: {subnet: 10.0.0.0/16}\n"
	"nodes:\n"
	"  m: {role: control-plane, address: 10.0.0.2, mac: \"52:54:00:00:00:02\"}\n";

static const char w1[] = "  w1:\n"
			 "    role: worker\n"
			 "    address: 10.0.0.7\n"
			 "    mac: \"52:54:00:00:00:07\"\n"
			 "    network:\n";

static void judge(const struct text *source, struct complaints *c)
{
	scoped(model_done) struct model m = { 0 };
	struct fault why = { 0 };

	if (document_parse("f.yaml", text_str(source), source->len, &m, c, &why) < 0)
		fail_msg("%s", why.text);
	document_check(&m, c);
	if (lint_networks(&m, source, true, c, &why) < 0)
		fail_msg("%s", why.text);
}

/* What stands below w1's network:, which is line 11; its first line is 12. */
static void test_the_library_is_quoted_at_the_place(void **state)
{
	static const struct {
		const char *own;
		struct model_mark mark;
		const char *want; /* NULL: nothing is wrong */
	} cases[] = {
		{ "      ethernets: {e: {addresses: [10.0.0.7/16]}}\n", { 0, 0 }, NULL },
		{ "      version: 2\n"
		  "      renderer: networkd\n"
		  "      ethernets: {e: {}}\n"
		  "      bonds: {b: {interfaces: [e], addresses: [{10.0.0.7/16: {label: x}}]}}\n",
		  { 0, 0 },
		  NULL },
		{ "      ethernets: {e: {addresses: [10.0.0.7/16], mtu: abc}}\n",
		  { 12, 54 },
		  "netplan: invalid unsigned int value 'abc'" },
		{ "      # the port\n\n"
		  "      ethernets:\n"
		  "        e:\n"
		  "          mtuu: 9\n"
		  "          addresses: [10.0.0.7/16]\n",
		  { 16, 11 },
		  "netplan: unknown key 'mtuu'" },
		{ "      bonds: {b: {interfaces: [eth9], addresses: [10.0.0.7/16]}}\n",
		  { 12, 32 },
		  "netplan: b: interface 'eth9' is not defined" },
		{ "      ethernets: {e: {}}\n"
		  "      vlans: {v: {id: 5000, link: e, addresses: [10.0.0.7/16]}}\n",
		  { 13, 19 },
		  "netplan: v: invalid id '5000' (allowed values are 0 to 4094)" },
		{ "      ethernets: {e: {addresses: [10.0.0.7/16],\n"
		  "        routes: [{to: default, via: 300.1.1.1}]}}\n",
		  { 13, 37 },
		  "netplan: invalid IP family '-1'" },
	};

	(void)state;
	CASES (k, cases) {
		scoped(text_done) struct text source = { 0 };
		scoped(complaints_done) struct complaints c = { 0 };

		text_addf(&source, "%s%s%s", head, w1, k->own);
		judge(&source, &c);
		assert_int_equal(c.n, k->want ? 1 : 0);
		if (!k->want)
			continue;
		assert_string_equal(c.list[0].message, k->want);
		assert_string_equal(c.list[0].code, "network-own");
		assert_string_equal(c.list[0].node, "w1");
		assert_int_equal(c.list[0].mark.line, k->mark.line);
		assert_int_equal(c.list[0].mark.column, k->mark.column);
	}
}

/* The parser's own words are enough: the library would say the same again. */
static void test_one_mistake_is_told_once(void **state)
{
	static const struct {
		const char *own, *code;
	} cases[] = {
		{ "      version: 1\n      ethernets: {e: {addresses: [10.0.0.7/16]}}\n",
		  "network-own" },
		{ "      ethernet: {}\n      ethernets: {e: {addresses: [10.0.0.7/16]}}\n",
		  "key-unknown" },
		{ "      ethernets: {e: {addresses: [10.0.0.7/16], mtu: 1, mtu: 2}}\n",
		  "key-twice" },
		{ "      bonds: []\n      ethernets: {e: {addresses: [10.0.0.7/16]}}\n", "type" },
	};

	(void)state;
	CASES (k, cases) {
		scoped(text_done) struct text source = { 0 };
		scoped(complaints_done) struct complaints c = { 0 };

		text_addf(&source, "%s%s%s", head, w1, k->own);
		judge(&source, &c);
		assert_int_equal(c.n, 1);
		assert_string_equal(c.list[0].code, k->code);
	}
}

/* A remark of the library is none of ours, and no command is to repeat it each time. */
static void test_the_library_does_not_print(void **state)
{
	scoped(text_done) struct text source = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	char path[] = "/tmp/test_lint.XXXXXX";
	int fd = mkstemp(path), saved = dup(STDERR_FILENO);

	(void)state;
	assert_true(fd >= 0 && saved >= 0);
	unlink(path);
	text_addf(&source, "%s%s%s", head, w1,
		  "      ethernets: {e: {addresses: [10.0.0.7/16], gateway4: 10.0.0.1}}\n");
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	judge(&source, &c);
	/* What follows is heard again. */
	assert_int_equal(write(STDERR_FILENO, "x", 1), 1);
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_int_equal(c.n, 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 1);
	close(fd);
}

static void test_nodes_without_a_network_cost_nothing(void **state)
{
	scoped(text_done) struct text source = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(model_done) struct model m = { 0 };
	struct fault why = { 0 };
	clock_t start;
	unsigned i;

	(void)state;
	text_add(&source, head);
	for (i = 3; i < 10000; i++)
		text_addf(&source,
			  "  n%u: {role: worker, address: 10.0.%u.%u,"
			  " mac: \"52:54:00:01:%02x:%02x\"}\n",
			  i, i >> 8, i & 255, i >> 8, i & 255);
	assert_int_equal(document_parse("f.yaml", text_str(&source), source.len, &m, &c, &why), 0);
	start = clock();
	assert_int_equal(lint_networks(&m, &source, true, &c, &why), 0);
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 0.1);
}

static void test_others_are_warned(void **state)
{
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(model_done) struct model m = { 0 };
	scoped(text_done) struct text source = { 0 };
	struct fault why = { 0 };

	(void)state;
	text_addf(&source, "%s%s%s", head, w1,
		  "      ethernets: {e: {addresses: [10.0.0.7/16], mtu: abc}}\n");
	assert_int_equal(document_parse("f.yaml", text_str(&source), source.len, &m, &c, &why), 0);
	assert_int_equal(lint_networks(&m, &source, false, &c, &why), 0);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.n_errors, 0);
	assert_int_equal(c.list[0].severity, COMPLAINT_WARNING);
}

/* Who makes something of it takes no such file; the others warn, for what runs may be newer. */
static void test_no_disk_is_made_of_such_a_file(void **state)
{
	static const struct command *const commands[] = { &cmd_check, &cmd_build };
	scoped(text_done) struct text source = { 0 };
	char folder[] = "/tmp/test_lint.XXXXXX", path[64];
	struct fault why = { 0 };
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/cluster.yaml", folder);
	file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file, "%s%s%s", head, w1,
		"      ethernets: {e: {addresses: [10.0.0.7/16], mtu: abc}}\n");
	assert_int_equal(fclose(file), 0);
	CASES (command, commands) {
		struct invocation in = { .command = *command, .file = path, .quiet = true };

		assert_int_equal((*command)->run(&in, &why), EXIT_BAD_FILE);
	}
	unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_library_is_quoted_at_the_place),
		cmocka_unit_test(test_one_mistake_is_told_once),
		cmocka_unit_test(test_the_library_does_not_print),
		cmocka_unit_test(test_nodes_without_a_network_cost_nothing),
		cmocka_unit_test(test_no_disk_is_made_of_such_a_file),
		cmocka_unit_test(test_others_are_warned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
