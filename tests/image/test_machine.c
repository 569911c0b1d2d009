/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <sys/socket.h>

#include "cluster/model.h"
#include "image/machine.h"
#include "image/table.h"

/* A model as the parser would make it; nothing in it is freed. */
static struct model_node nodes[] = {
	{ .name = (char *)"master",
	  .roles = MODEL_CONTROL_PLANE,
	  .address = { AF_INET, { 192, 168, 10, 50 } },
	  .mac = { { 0x52, 0x54, 0x00, 0x00, 0x00, 0x32 } },
	  .has_mac = true,
	  .vm = { 4, 8ULL << 30, 40ULL << 30, { 30, 3 } } },
	{ .name = (char *)"by-serial",
	  .roles = MODEL_WORKER,
	  .address = { AF_INET, { 192, 168, 10, 101 } },
	  .serial = (char *)"R&D <7>",
	  .vm = { 2, 2560ULL << 20, 10ULL << 30, { 31, 3 } } },
	{ .name = (char *)"storage-with-a-long-name",
	  .roles = MODEL_STORAGE,
	  .address = { AF_INET, { 192, 168, 10, 40 } },
	  .mac = { { 0x52, 0x54, 0x00, 0x00, 0x00, 0x28 } },
	  .has_mac = true,
	  .vm = { .cpus = 1,
		  .memory_bytes = 1ULL << 30,
		  .disk_bytes = 4ULL << 30,
		  .data_bytes = 4ULL << 30 } },
};

static struct model lab(void)
{
	struct model m = { .name = (char *)"lab", .nodes = nodes, .n_nodes = 3 };

	assert_int_equal(net_cidr_parse("192.168.10.0/24", &m.network.subnet), 0);
	assert_int_equal(net_ip_parse("192.168.10.1", &m.network.gateway), 0);
	return m;
}

static void compare_domain(const char *golden, const struct model *m, size_t node,
			   enum model_accel accel, const char *format)
{
	struct machine machine = { .model = m,
				   .node = &m->nodes[node],
				   .accel = accel,
				   .file = "/home/u/it's \"mine\"/cluster.yaml",
				   .disk = "/home/u/out/disk",
				   .format = format,
				   .log = "/home/u/out/console.log",
				   .data = nodes[node].vm.data_bytes ? "/home/u/out/data" : NULL };
	struct text out = { 0 };

	machine_render(&machine, &out);
	assert_int_equal(text_error(&out), 0);
	assert_golden(golden, text_str(&out));
	text_done(&out);
}

static void test_renders_a_domain_for_kvm(void **state)
{
	struct model m = lab();

	(void)state;
	compare_domain("machine/kvm.xml", &m, 0, MODEL_ACCEL_KVM, "qcow2");
}

static void test_renders_a_domain_for_tcg_with_a_serial_and_a_bridge(void **state)
{
	struct model m = lab();

	(void)state;
	m.vm.bridge = (char *)"br0";
	compare_domain("machine/tcg.xml", &m, 1, MODEL_ACCEL_TCG, "raw");
}

static void test_renders_a_disk_for_data_with_its_serial_number(void **state)
{
	struct model m = lab();

	(void)state;
	compare_domain("machine/data.xml", &m, 2, MODEL_ACCEL_TCG, "qcow2");
}

static void test_renders_the_network(void **state)
{
	static const struct {
		const char *golden, *name, *subnet, *gateway;
	} cases[] = {
		{ "machine/network.xml", "lab", "192.168.10.0/24", "192.168.10.1" },
		{ "machine/network-long-name.xml", "a-very-long-cluster-name", "fd00:10::/64",
		  "fd00:10::1" },
		{ "machine/network-no-gateway.xml", "lab", "192.168.10.0/24", NULL },
		{ "machine/network-far-gateway.xml", "lab", "192.168.10.0/24", "10.0.0.1" },
	};

	(void)state;
	CASES (c, cases) {
		struct model m = lab();
		struct text out = { 0 };

		m.name = (char *)(uintptr_t)c->name;
		m.network.gateway = (struct net_ip){ 0 };
		assert_int_equal(net_cidr_parse(c->subnet, &m.network.subnet), 0);
		if (c->gateway)
			assert_int_equal(net_ip_parse(c->gateway, &m.network.gateway), 0);
		machine_network_render(&m, "/home/u/cluster.yaml", &out);
		assert_golden(c->golden, text_str(&out));
		text_done(&out);
	}
}

static void test_the_same_names_give_the_same_uuid(void **state)
{
	static const char *const names[][2] = {
		{ "lab", "master" }, { "lab", "worker" }, { "lab", "" },
		{ "labm", "aster" }, { "", "labmaster" }, { "lab2", "master" },
	};
	char a[MACHINE_UUID_LEN], b[MACHINE_UUID_LEN];
	size_t i, k;

	(void)state;
	machine_uuid("lab", "master", a);
	assert_string_equal(a, "ef26fc1b-bc7f-8e1c-bdbf-2a49939aa972");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		machine_uuid(names[i][0], names[i][1], a);
		assert_int_equal(strlen(a), 36);
		assert_int_equal(a[14], '8');
		assert_non_null(strchr("89ab", a[19]));
		for (k = 0; k < i; k++) {
			machine_uuid(names[k][0], names[k][1], b);
			assert_string_not_equal(a, b);
		}
	}
}

static void test_reads_back_the_file_of_a_domain(void **state)
{
	static const struct {
		const char *xml, *file;
	} cases[] = {
		{ "<r:machine xmlns:r='urn' cluster='c' node='n' file='/a/cluster.yaml'/>",
		  "/a/cluster.yaml" },
		{ "<r:machine file=\"/it's &quot;&amp;&lt;&#10;\"/>", "/it's \"&<\n" },
		{ "<r:machine cluster='c'/>", "" },
		{ "<r:machine file=", "" },
		{ "<r:machine file='/open", "/open" },
	};

	(void)state;
	CASES (c, cases) {
		struct text out = { 0 };

		machine_file(c->xml, &out);
		assert_string_equal(text_str(&out), c->file);
		text_done(&out);
	}
}

static void test_sizes_have_the_largest_whole_unit(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1000, "1000" },
		{ 1536, "1536" },
		{ 512ULL << 20, "512Mi" },
		{ 2560ULL << 20, "2560Mi" },
		{ 8ULL << 30, "8Gi" },
		{ 3ULL << 40, "3Ti" },
		{ UINT64_MAX, "18446744073709551615" },
	};
	char buf[24];

	(void)state;
	CASES (c, cases) {
		table_size(c->bytes, buf);
		assert_string_equal(buf, c->text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renders_a_domain_for_kvm),
		cmocka_unit_test(test_renders_a_domain_for_tcg_with_a_serial_and_a_bridge),
		cmocka_unit_test(test_renders_a_disk_for_data_with_its_serial_number),
		cmocka_unit_test(test_renders_the_network),
		cmocka_unit_test(test_the_same_names_give_the_same_uuid),
		cmocka_unit_test(test_reads_back_the_file_of_a_domain),
		cmocka_unit_test(test_sizes_have_the_largest_whole_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
