/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "base/macros.h"
#include "cluster/model.h"

static struct net_ip ip(const char *s)
{
	struct net_ip ret = { 0 };

	assert_int_equal(net_ip_parse(s, &ret), 0);
	return ret;
}

static struct net_cidr cidr(const char *s)
{
	struct net_cidr ret = { 0 };

	assert_int_equal(net_cidr_parse(s, &ret), 0);
	return ret;
}

static void test_pod_network_is_numbered_by_the_address(void **state)
{
	static const struct {
		const char *pods, *subnet, *address, *given, *want; /* NULL: -ERANGE */
	} cases[] = {
		{ "10.244.0.0/16", "192.168.10.0/24", "192.168.10.101", NULL, "10.244.101.0/24" },
		{ "10.244.0.0/16", "192.168.0.0/16", "192.168.1.2", NULL, NULL },
		{ "10.0.0.0/8", "172.16.0.0/16", "172.16.39.16", NULL, "10.39.16.0/24" },
		{ "10.0.0.0/8", "172.16.0.0/16", "172.16.255.254", NULL, "10.255.254.0/24" },
		{ "10.244.16.0/20", "10.1.0.0/24", "10.1.0.15", NULL, "10.244.31.0/24" },
		{ "10.244.16.0/20", "10.1.0.0/24", "10.1.0.16", NULL, NULL },
		{ "10.244.7.0/24", "10.1.0.0/24", "10.1.0.1", NULL, NULL },
		{ "10.244.7.0/25", "10.1.0.0/24", "10.1.0.1", NULL, NULL },
		{ "10.244.0.0/16", "192.168.10.0/24", "192.168.10.101", "10.9.0.0/25",
		  "10.9.0.0/25" },
		{ "fd01::/48", "fd00::/64", "fd00::101", NULL, "fd01:0:0:101::/64" },
		{ "fd01::/48", "fd00::/64", "fd00::1:0", NULL, NULL },
		{ "fd01::/16", "fd00::/64", "fd00::ff:1", NULL, "fd01:0:ff:1::/64" },
		{ "::/0", "fd00::/64", "fd00::1234:5678:9abc:def0", NULL,
		  "1234:5678:9abc:def0::/64" },
	};

	(void)state;
	CASES (c, cases) {
		struct model m = { .pod_subnet = cidr(c->pods), .network.subnet = cidr(c->subnet) };
		struct model_node node = { .address = ip(c->address) };
		struct net_cidr got = { 0 };
		char buf[NET_CIDR_LEN];

		if (c->given)
			node.pod_cidr = cidr(c->given);
		assert_int_equal(model_pod_cidr(&m, &node, &got), c->want ? 0 : -ERANGE);
		if (c->want)
			assert_string_equal(net_cidr_text(&got, buf), c->want);
	}
}

static void test_versions_compare_without_patch(void **state)
{
	static const struct {
		struct model_version v;
		int major, minor, want;
	} cases[] = {
		{ { 1, 30, 2 }, 1, 30, 0 }, { { 1, 30, -1 }, 1, 30, 0 }, { { 1, 9, 0 }, 1, 30, -1 },
		{ { 1, 31, 0 }, 1, 30, 1 }, { { 2, 0, 0 }, 1, 99, 1 },	 { { 0, 99, 0 }, 1, 0, -1 },
	};

	(void)state;
	CASES (c, cases)
		assert_int_equal(model_version_cmp(&c->v, c->major, c->minor), c->want);
}

static void test_nodes_are_found_with_and_without_index(void **state)
{
	static char names[][8] = { "zeta", "m1", "w2", "alpha", "w2" };
	struct model_node nodes[COUNT(names)] = { 0 };
	struct model m = { .nodes = nodes, .n_nodes = COUNT(names) };
	int round;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++)
		nodes[i].name = names[i];
	nodes[0].roles = MODEL_STORAGE;
	nodes[1].roles = MODEL_CONTROL_PLANE | MODEL_WORKER;
	nodes[2].roles = MODEL_WORKER;
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 4; i++)
			assert_ptr_equal(model_node(&m, names[i]), &nodes[i]);
		assert_ptr_equal(model_node(&m, "w2"), &nodes[2]); /* the first of two */
		assert_null(model_node(&m, "nobody"));
		assert_null(model_node(&m, ""));
		assert_int_equal(model_index(&m), 0);
	}
	assert_ptr_equal(model_first(&m, MODEL_WORKER), &nodes[1]);
	assert_null(model_first(&m, MODEL_REGISTRY));
	assert_true(model_is_kubernetes(&nodes[2]));
	assert_false(model_is_kubernetes(&nodes[0]));
	free(m.by_name);
}

static void test_files_are_told_from_references(void **state)
{
	static const struct {
		const char *image;
		bool file;
	} cases[] = {
		{ "./x", true },	 { "../x/y", true },
		{ "/srv/x.oci", true },	 { "app.tar", true },
		{ ".tar", false },	 { "images/app.tar", true },
		{ "busybox", false },	 { "docker.io/library/busybox:1.36", false },
		{ "images/app", false }, { "k8s.gcr.io/pause:3.2", false },
	};

	(void)state;
	CASES (c, cases)
		assert_int_equal(model_image_is_file(c->image), c->file);
	assert_true(model_source_is_folder("./debs"));
	assert_true(model_source_is_folder("debs"));
	assert_false(model_source_is_folder("deb http://x y z"));
	assert_false(model_source_is_folder("deb-src http://x y z"));
}

static void test_done_accepts_an_empty_model(void **state)
{
	struct model m = { 0 };

	(void)state;
	model_done(&m);
	model_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pod_network_is_numbered_by_the_address),
		cmocka_unit_test(test_versions_compare_without_patch),
		cmocka_unit_test(test_nodes_are_found_with_and_without_index),
		cmocka_unit_test(test_files_are_told_from_references),
		cmocka_unit_test(test_done_accepts_an_empty_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
