/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <time.h>

#include "base/macros.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"

/* Many nodes: all seen, and the time grows with their number (tests/bench/check has the figures).
 */

static void make(struct text *t, unsigned n, const char *broken)
{
	unsigned i;

	text_add(t, "apiVersion: rackseed/v1\n"
		    "cluster: {name: many, kubernetes: {version: 1.20.2}, endpoint: 172.16.0.9,\n"
		    "  podSubnet: 10.0.0.0/8, serviceSubnet: 192.168.0.0/16}\n"
		    "os: {distribution: debian, release: bookworm}\n"
		    "network: {subnet: 172.16.0.0/16, gateway: 172.16.0.1}\n"
		    "nodes:\n");
	for (i = 0; i < n; i++)
		text_addf(t,
			  "  node-%u: {role: %s, address: 172.16.%u.%u, serial: SN%u,\n"
			  "    mac: \"52:54:00:%02x:%02x:%02x\", labels: {rack: r%u}}\n",
			  i, i < 3 ? "control-plane" : "worker", (i + 10) >> 8, (i + 10) & 255, i,
			  i >> 16 & 255, i >> 8 & 255, i & 255, i / 40);
	text_add(t, broken);
}

static void check(const struct text *t, struct model *m, struct complaints *c)
{
	struct fault why = { 0 };

	if (document_parse("many.yaml", text_str(t), t->len, m, c, &why) < 0)
		fail_msg("%s", why.text);
	document_check(m, c);
	complaints_sort(c);
}

static double seconds(unsigned n)
{
	scoped(text_done) struct text t = { 0 };
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	clock_t start;

	make(&t, n, "");
	start = clock();
	check(&t, &m, &c);
	assert_int_equal(c.n, 0);
	assert_int_equal(m.n_nodes, n);
	return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static void test_ten_thousand_nodes_are_all_right(void **state)
{
	scoped(text_done) struct text t = { 0 };
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	struct net_cidr cidr;
	char buf[NET_CIDR_LEN];

	(void)state;
	make(&t, 10000, "");
	check(&t, &m, &c);
	assert_int_equal(c.n, 0);
	assert_int_equal(m.n_nodes, 10000);
	assert_string_equal(model_node(&m, "node-9999")->serial, "SN9999");
	assert_int_equal(model_pod_cidr(&m, model_node(&m, "node-9999"), &cidr), 0);
	assert_string_equal(net_cidr_text(&cidr, buf), "10.39.25.0/24");
}

static void test_one_bad_node_of_many_is_found(void **state)
{
	scoped(text_done) struct text t = { 0 };
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };

	(void)state;
	make(&t, 10000,
	     "  other: {role: worker, address: 172.16.20.5, mac: \"52:54:00:00:12:34\",\n"
	     "    serial: sn77}\n");
	check(&t, &m, &c);
	assert_int_equal(c.n, 3);
	assert_string_equal(c.list[0].code, "address-twice");
	assert_non_null(strstr(c.list[0].message, "'node-5115'"));
	assert_string_equal(c.list[1].code, "mac-twice");
	assert_non_null(strstr(c.list[1].message, "'node-4660'"));
	assert_string_equal(c.list[2].code, "serial-twice");
	assert_non_null(strstr(c.list[2].message, "'node-77'"));
}

static void test_a_file_with_nothing_right_is_soon_done(void **state)
{
	scoped(text_done) struct text t = { 0 };
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	unsigned i;

	(void)state;
	text_add(&t, "nodes:\n");
	for (i = 0; i < 20000; i++)
		text_addf(&t,
			  "  N%u: {rol: x, address: 1.2.3, mac: 1, bogus: [], labels: {-: 1}}\n",
			  i);
	check(&t, &m, &c);
	assert_int_equal(c.n, COMPLAINTS_MAX);
	assert_true(c.truncated);
	assert_true(c.n_errors > 100000);
}

static void test_time_grows_with_the_number(void **state)
{
	double small = seconds(1000), large = seconds(10000);

	(void)state;
	/* Ten times the nodes; sanitizers and a busy machine are allowed for. */
	if (large > 30 * small && large > 1)
		fail_msg("1,000 nodes: %.3f s, 10,000 nodes: %.3f s", small, large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ten_thousand_nodes_are_all_right),
		cmocka_unit_test(test_one_bad_node_of_many_is_found),
		cmocka_unit_test(test_a_file_with_nothing_right_is_soon_done),
		cmocka_unit_test(test_time_grows_with_the_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
