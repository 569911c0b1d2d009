/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include "cluster/model.h"
#include "cluster/machine.h"

static void put_link(const struct tree *t, const char *name, const char *type, const char *address,
		     const char *uevent)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/class/net/%s/type", name);
	tree_put(t, path, type);
	snprintf(path, sizeof(path), "sys/class/net/%s/address", name);
	tree_put(t, path, address);
	snprintf(path, sizeof(path), "sys/class/net/%s/uevent", name);
	tree_put(t, path, uevent);
}

static void make_machine(struct tree *t)
{
	tree_make(t);
	put_link(t, "lo", "772\n", "00:00:00:00:00:00\n", "INTERFACE=lo\n");
	put_link(t, "eth0", "1\n", "52:54:00:00:00:65\n", "INTERFACE=eth0\nIFINDEX=2\n");
	put_link(t, "bond0", "1\n", "52:54:00:00:00:99\n", "DEVTYPE=bond\nINTERFACE=bond0\n");
	put_link(t, "v7", "1\n", "52:54:00:00:00:98\n", "DEVTYPE=vlan\nINTERFACE=v7\n");
	put_link(t, "odd0", "1\n", "nonsense\n", "INTERFACE=odd0\n");
	tree_put(t, "sys/class/dmi/id/product_serial", "S6Z1NX0T  \n");
}

static void test_reads_links_that_are_there_by_themselves(void **s)
{
	struct fault why = { 0 };
	struct machine m;
	struct text links = { 0 };
	struct tree t;

	(void)s;
	make_machine(&t);
	assert_int_equal(machine_read(t.fd, false, &m, &why), 0);
	machine_print_links(&m, &links);
	assert_string_equal(text_str(&links), "eth0 52:54:00:00:00:65");
	assert_string_equal(m.serial, "S6Z1NX0T");
	text_done(&links);
	tree_done(&t);
}

static void test_a_machine_without_links(void **s)
{
	struct fault why = { 0 };
	struct machine m;
	struct text links = { 0 };
	struct tree t;

	(void)s;
	tree_make(&t);
	assert_int_equal(fs_mkdirs(t.fd, "sys/class/net", 0755, &why), FS_CHANGED);
	assert_int_equal(machine_read(t.fd, false, &m, &why), 0);
	machine_print_links(&m, &links);
	assert_string_equal(text_str(&links), "no network link");
	assert_string_equal(m.serial, "");
	text_done(&links);
	tree_done(&t);
}

static const struct verdict_case {
	const char *mac, *serial;
	enum machine_verdict want;
} verdict_cases[] = {
	{ "52:54:00:00:00:65", NULL, MACHINE_IS_IT },
	{ "52:54:00:00:00:66", NULL, MACHINE_LACKS_MAC },
	{ "52:54:00:00:00:99", NULL, MACHINE_LACKS_MAC }, /* a bond's, not a card's */
	{ NULL, "s6z1nx0t", MACHINE_IS_IT },
	{ "52:54:00:00:00:65", "S6Z1NX0T", MACHINE_IS_IT },
	{ "52:54:00:00:00:65", "OTHER", MACHINE_OTHER_SERIAL },
	{ "52:54:00:00:00:66", "S6Z1NX0T", MACHINE_LACKS_MAC },
	{ NULL, NULL, MACHINE_UNNAMED },
};

static void test_verdicts(void **s)
{
	struct fault why = { 0 };
	struct machine m;
	struct tree t;

	(void)s;
	make_machine(&t);
	assert_int_equal(machine_read(t.fd, false, &m, &why), 0);
	CASES (c, verdict_cases) {
		struct model_node node = { .has_mac = c->mac != NULL,
					   .serial = (char *)(uintptr_t)c->serial };

		if (c->mac)
			assert_int_equal(net_mac_parse(c->mac, &node.mac), 0);
		assert_int_equal(machine_judge(&m, &node), c->want);
	}
	tree_done(&t);
}

static void test_the_refusal_says_whose_disk_and_what_to_do(void **s)
{
	struct model_node node = { .name = (char *)(uintptr_t) "w1", .has_mac = true };
	const struct model model = { .name = (char *)(uintptr_t) "lab" };
	struct fault why = { 0 };
	struct machine m;
	struct text out = { 0 };
	struct tree t;

	(void)s;
	make_machine(&t);
	assert_int_equal(net_mac_parse("52:54:00:00:00:66", &node.mac), 0);
	assert_int_equal(net_ip_parse("192.168.10.101", &node.address), 0);
	assert_int_equal(machine_read(t.fd, false, &m, &why), 0);
	machine_print_refusal(&m, machine_judge(&m, &node), &model, &node, &out);
	assert_golden("firstboot/refusal", text_str(&out));
	text_done(&out);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_links_that_are_there_by_themselves),
		cmocka_unit_test(test_a_machine_without_links),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_the_refusal_says_whose_disk_and_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
