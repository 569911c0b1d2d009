/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <sys/socket.h>

#include "base/macros.h"
#include "base/yaml.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"
#include "cluster/parse.h"

static void parse(const char *s, struct model *m, struct complaints *c)
{
	struct fault why = { 0 };

	if (document_parse("cluster.yaml", s, strlen(s), m, c, &why) < 0)
		fail_msg("%s", why.text);
}

static const char *ip(const struct net_ip *a, char buf[NET_IP_LEN])
{
	return net_ip_text(a, buf);
}

static void test_the_example_as_a_model(void **state)
{
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	const struct model_node *gpu;
	char buf[NET_CIDR_LEN];

	(void)state;
	parse(document_example, &m, &c);
	assert_int_equal(c.n, 0);
	assert_string_equal(m.file, "cluster.yaml");
	assert_string_equal(m.name, "lab");
	assert_int_equal(m.kubernetes.major, 1);
	assert_int_equal(m.kubernetes.minor, 36);
	assert_int_equal(m.kubernetes.patch, -1);
	assert_string_equal(m.endpoint_host, "master");
	assert_int_equal(m.endpoint_port, 6443);
	assert_null(m.token);
	assert_int_equal(m.pod_network, MODEL_PODS_ROUTED);
	assert_int_equal(m.os.distribution, MODEL_UBUNTU);
	assert_string_equal(m.os.release, "noble");
	assert_string_equal(net_cidr_text(&m.network.subnet, buf), "192.168.10.0/24");
	assert_int_equal(m.network.n_nameservers, 1);
	assert_string_equal(m.network.ntp[0], "192.168.10.1");
	assert_null(m.network.ntp[1]);
	assert_string_equal(m.admin.user, "ubuntu");
	assert_null(m.admin.ssh_keys[0]);
	assert_int_equal(m.n_registries, 2);
	assert_string_equal(m.registries[0].host, "registry:5000");
	assert_string_equal(m.registries[0].password_file, "secrets/registry");
	assert_string_equal(m.registries[1].mirrors[0], "registry:5000/hub");
	assert_int_equal(m.n_shares, 1);
	assert_true(m.shares[0].volume_bytes == 10ull << 30);
	assert_int_equal(m.n_nodes, 5);
	gpu = model_node(&m, "gpu1");
	assert_int_equal(gpu->roles, MODEL_WORKER);
	assert_string_equal(ip(&gpu->address, buf), "192.168.10.30");
	assert_true(gpu->has_mac);
	assert_int_equal(gpu->mac.bytes[5], 0x1e);
	assert_int_equal(gpu->vm.mark.line, 0);
	assert_string_equal(gpu->disk.serial, "S6Z1NX0T");
	assert_int_equal(gpu->gpu, MODEL_GPU_NONE);
	assert_string_equal(gpu->labels[0].key, "tier");
	assert_string_equal(gpu->labels[0].value, "gpu");
	assert_int_equal(m.nodes[0].vm.cpus, 4);
	assert_true(m.nodes[0].vm.memory_bytes == 8ull << 30);
}

static void test_defaults_are_filled_in(void **state)
{
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	char buf[NET_CIDR_LEN];

	(void)state;
	parse("apiVersion: rackseed/v1\n"
	      "cluster: {name: a, kubernetes: {version: 1.20.2}}\n"
	      "os: {distribution: debian, release: bookworm}\n"
	      "network: {subnet: 10.0.0.0/24}\n"
	      "nodes:\n"
	      "  w: {role: worker, address: 10.0.0.3, mac: 52:54:00:00:00:03}\n"
	      "  m: {role: [control-plane, worker], address: 10.0.0.2, mac: 52:54:00:00:00:02}\n",
	      &m, &c);
	assert_int_equal(c.n, 0);
	assert_string_equal(net_cidr_text(&m.pod_subnet, buf), "10.244.0.0/16");
	assert_string_equal(net_cidr_text(&m.service_subnet, buf), "10.96.0.0/12");
	assert_string_equal(m.endpoint_host, "m");
	assert_int_equal(m.endpoint_port, 6443);
	assert_int_equal(m.kubernetes.patch, 2);
	assert_int_equal(m.nodes[1].roles, MODEL_CONTROL_PLANE | MODEL_WORKER);
	assert_int_equal(m.network.gateway.family, 0);
	assert_int_equal(m.vm.accel, MODEL_ACCEL_AUTO);
	assert_null(m.admin.user);
	assert_int_equal(m.installer.wait_s, 10);
	assert_int_equal(m.snapshots.every_s, 6 * 3600);
	assert_int_equal(m.snapshots.keep, 8);
	assert_string_equal(m.snapshots.path, "/var/lib/rackseed/snapshots");
}

static void test_what_is_given_is_no_default(void **state)
{
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	char buf[NET_CIDR_LEN];

	(void)state;
	parse("cluster: {podSubnet: 10.1.0.0/16, serviceSubnet: 10.2.0.0/16, endpoint: \"m:443\",\n"
	      " snapshots: {path: /srv/x, every: 30m, keep: 3}}\n"
	      "installer: {waitSeconds: 5}\n",
	      &m, &c);
	assert_string_equal(net_cidr_text(&m.pod_subnet, buf), "10.1.0.0/16");
	assert_string_equal(net_cidr_text(&m.service_subnet, buf), "10.2.0.0/16");
	assert_int_equal(m.endpoint_port, 443);
	assert_int_equal(m.installer.wait_s, 5);
	assert_int_equal(m.snapshots.every_s, 30 * 60);
	assert_int_equal(m.snapshots.keep, 3);
	assert_string_equal(m.snapshots.path, "/srv/x");
}

/* Each text as the value of that key: what code is it complained of with, if any. */
static void test_values_and_what_is_said_of_them(void **state)
{
	static const struct {
		const char *line, *code; /* NULL: nothing but what is missing */
	} cases[] = {
		{ "apiVersion: [x]", "type" },
		{ "cluster: ~", "value-missing" },
		{ "cluster: [a]", "type" },
		{ "vm: ~", NULL },
		{ "vm: [a]", "type" },
		{ "cluster: {endpoint: [a]}", "type" },
		{ "cluster: {podNetwork: [a]}", "type" },
		{ "cluster: {podSubnet: [a]}", "type" },
		{ "cluster: {podSubnet: 10.0.0.0}", "network-form" },
		{ "cluster: {podSubnet: foo/24}", "network-form" },
		{ "cluster: {podSubnet: 10.0.0.0/33}", "network-form" },
		{ "cluster: {podSubnet: 10.0.0.0/000000024}", "network-form" },
		{ "cluster: {podSubnet: 010.0.0.0/8}", "network-form" },
		{ "cluster: {podSubnet: 10.0.0.1/8}", "network-form" },
		{ "cluster: {podSubnet: 111111111111111111111111111111111111111111111111/8}",
		  "network-form" },
		{ "cluster: {snapshots: {every: [a]}}", "type" },
		{ "cluster: {snapshots: {every: m}}", "duration-form" },
		{ "cluster: {snapshots: {every: 0m}}", "duration-form" },
		{ "cluster: {snapshots: {every: 12345m}}", "duration-form" },
		{ "cluster: {snapshots: {every: 5x}}", "duration-form" },
		{ "cluster: {snapshots: {every: 2d}}", NULL },
		{ "cluster: {snapshots: {keep: [a]}}", "type" },
		{ "cluster: {snapshots: {keep: 4097}}", "number-form" },
		{ "cluster: {kubernetes: {version: [a]}}", "type" },
		{ "cluster: {kubernetes: {version: vx}}", "version-form" },
		{ "cluster: {kubernetes: {version: 1.2.3.4}}", "version-form" },
		{ "cluster: {kubernetes: {version: 12345.1}}", "version-form" },
		{ "cluster: {kubernetes: {version: 1.02}}", "version-form" },
		{ "cluster: {kubernetes: {version: 2.0}}", "version-range" },
		{ "os: {distribution: zzzzzz}", "word-unknown" },
		{ "os: {packages: vim}", "type" },
		{ "os: {packages: ~}", NULL },
		{ "os: {packages: {a: b}}", "type" },
		{ "os: {packages: [[a]]}", "type" },
		{ "network: {gateway: [a]}", "type" },
		{ "network: {gateway: foo/24}", "address-form" },
		{ "network: {gateway: 10.0.0.1/24}", "address-form" },
		{ "network: {gateway: 1..1.1}", "address-form" },
		{ "network: {gateway: 1234.1.1.1}", "address-form" },
		{ "network: {gateway: 1.1.1.1.1}", "address-form" },
		{ "network: {gateway: 01.1.1}", "address-form" },
		{ "network: {gateway: 01.1.1.1x}", "address-form" },
		{ "network: {gateway: 01.1.1.999}", "address-form" },
		{ "network: {gateway: 00.1.1.1}", "address-form" },
		{ "network: {gateway: 111111111111111111111111111111111111111111111111/8}",
		  "address-form" },
		{ "network: {nameservers: ~}", NULL },
		{ "network: {nameservers: {a: b}}", "type" },
		{ "network: {nameservers: 1.1.1.1}", "type" },
		{ "firewall: {ports: ~}", NULL },
		{ "firewall: {ports: 80}", "type" },
		{ "firewall: {ports: [[80]]}", "type" },
		{ "firewall: {ports: [1234567/tcp]}", "port-form" },
		{ "firewall: {ports: [80/sctp]}", "port-form" },
		{ "firewall: {ports: [0]}", "port-form" },
		{ "firewall: {ports: [80, 80/tcp, 53/udp]}", NULL },
		{ "registries: ~", NULL },
		{ "registries: [a]", "type" },
		{ "registries: {r: {insecure: [a]}}", "type" },
		{ "registries: {r: {insecure: \"true\"}}", "boolean-form" },
		{ "registries: {r: {insecure: yes}}", "boolean-form" },
		{ "registries: {r: {insecure: false}}", NULL },
		{ "shares: ~", NULL },
		{ "shares: [a]", "type" },
		{ "gpus: {nvidia: {driver: 58x}}", "version-form" },
		{ "gpus: {nvidia: {driver: \"58\"}}", "version-form" },
		{ "nodes: {a: {role: {a: b}}}", "type" },
		{ "nodes: {a: {role: []}}", "value-missing" },
		{ "nodes: {a: {role: [[a]]}}", "type" },
		{ "nodes: {a: {role: wurker}}", "role-unknown" },
		{ "nodes: {a: {role: node}}", "role-unknown" },
		{ "nodes: {a: {role: zzzzzzzz}}", "role-unknown" },
		{ "nodes: {a: {labels: ~}}", NULL },
		{ "nodes: {a: {labels: [a]}}", "type" },
		{ "nodes: {a: {labels: {a: ~}}}", NULL },
		{ "nodes: {a: {labels: {a: [b]}}}", "type" },
		{ "nodes: {a: {taints: ~}}", NULL },
		{ "nodes: {a: {taints: {a: b}}}", "type" },
		{ "nodes: {a: {taints: [a=b]}}", "taint-form" },
		{ "nodes: {a: {taints: [[a]]}}", "type" },
		{ "nodes: {a: {mac: [a]}}", "type" },
		{ "nodes: {a: {mac: 5254.000a.0b0}}", "mac-form" },
		{ "nodes: {a: {mac: \"52:54:000:00:00:01\"}}", "mac-form" },
		{ "nodes: {a: {mac: \"52:54:00:00:00:00:01\"}}", "mac-form" },
		{ "nodes: {a: {mac: \"52:54:00:00:01\"}}", "mac-form" },
		{ "nodes: {a: {mac: \"52:54:00:00:00:zz\"}}", "mac-form" },
		{ "nodes: {a: {mac: \"52:54:00:00:00:0z\"}}", "mac-form" },
		{ "nodes: {a: {mac: \"52:54:0:0:0:1\"}}", "mac-form" },
		{ "nodes: {a: {vm: {cpus: [a], memory: 1Gi, disk: 1Gi}}}", "type" },
		{ "nodes: {a: {vm: {cpus: 1, memory: [a], disk: 1Gi}}}", "type" },
		{ "nodes: {a: {vm: {cpus: 1, memory: 9000Pi, disk: 1Gi}}}", "size-form" },
		{ "nodes: {a: {vm: {cpus: 1, memory: 8 gigabytes, disk: 1Gi}}}", "size-form" },
		{ "nodes: {a: {vm: {cpus: 1, memory: 8x, disk: 1Gi}}}", "size-form" },
		{ "nodes: {a: {vm: {cpus: 1, memory: 8G., disk: 1Gi}}}", "size-form" },
		{ "nodes: {a: {vm: {cpus: 1, memory: 1Gi, disk: 1Gi, data: 1Gi}}}", NULL },
		{ "nodes: {a: {vm: {cpus: 1, memory: 1Gi, disk: 1Gi, data: 1Gi}, data: {disk: "
		  "{serial: x}}}}",
		  NULL },
		{ "nodes: {a: {gpu: {vendor: nvidia, count: [a]}}}", "type" },
		{ "nodes: {a: {network: {version: 3}}}", "network-own" },
		{ "nodes: {a: {network: {version: [2]}}}", "network-own" },
		{ "nodes: {a: {network: {renderer: x}}}", "network-own" },
		{ "nodes: {a: {network: {renderer: [x]}}}", "network-own" },
		{ "nodes: {a: {network: {version: 2, renderer: networkd}}}", NULL },
		{ "nodes: {a: {network: {ethernets: [a]}}}", "type" },
		{ "nodes: {a: {network: {ethernets: {a: [b]}}}}", "type" },
		{ "nodes: {a: {network: {openvswitch: {a: [b]}}}}", NULL },
		{ "nodes: {a: {network: {ethernets: {a: {addresses: 1.1.1.1/8}}}}}", NULL },
		{ "nodes: {a: {network: {ethernets: {a: {addresses: [{}, ~, x]}}}}}", NULL },
		{ "nodes: {a: {network: {ethernets: {a: {macaddress: x}}}}}", NULL },
		{ "nodes: {a: {address: 1.1.1.1, network: {ethernets: {a: {}}}}}",
		  "network-address" },
	};

	(void)state;
	CASES (c, cases) {
		scoped(model_done) struct model m = { 0 };
		scoped(complaints_done) struct complaints list = { 0 };
		size_t i, n = 0;

		parse(c->line, &m, &list);
		for (i = 0; i < list.n; i++)
			n += strcmp(list.list[i].code, "key-missing") != 0 &&
			     (!c->code || strcmp(list.list[i].code, c->code) == 0);
		if (!n != !c->code)
			fail_msg("%s: %s", c->line, c->code ? "nothing" : list.list[0].message);
	}
}

static void test_taints_have_a_most(void **state)
{
	scoped(text_done) struct text t = { 0 };
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	size_t i;

	(void)state;
	text_add(&t, "nodes: {a: {taints: [");
	for (i = 0; i < 65; i++)
		text_addf(&t, "\"t%zu:NoSchedule\", ", i);
	text_add(&t, "]}}");
	parse(text_str(&t), &m, &c);
	assert_int_equal(m.nodes[0].n_taints, 0);
	for (i = 0; i < c.n && strcmp(c.list[i].message, "65 taints; 64 are the most") != 0; i++)
		;
	assert_true(i < c.n);
}

static void test_endpoints_are_split(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
	} cases[] = {
		{ "m1", "m1", 6443 },
		{ "m1:443", "m1", 443 },
		{ "10.0.0.2:8443", "10.0.0.2", 8443 },
		{ "\"[fd00::50]:443\"", "fd00::50", 443 },
		{ "\"[fd00::50]\"", "fd00::50", 6443 },
		{ "\"fd00::50\"", "fd00::50", 6443 },
		{ "api.example.org", "api.example.org", 6443 },
		{ "m1:0", NULL, 0 },
		{ "m1:65536", NULL, 0 },
		{ "m1:", NULL, 0 },
		{ "m1:443:2", NULL, 0 },
		{ "https://m1", NULL, 0 },
		{ "\"[fd00::50\"", NULL, 0 },
		{ "192.168.10.500:6443", NULL, 0 },
		{ "192.168.10:6443", NULL, 0 },
		{ "192.168.010.050:6443", NULL, 0 },
		{ "\"10\"", NULL, 0 },
		{ "10.example", "10.example", 6443 },
		{ "api.1a", "api.1a", 6443 },
	};

	(void)state;
	CASES (c, cases) {
		scoped(model_done) struct model m = { 0 };
		scoped(complaints_done) struct complaints list = { 0 };
		scoped(text_done) struct text t = { 0 };

		text_addf(&t, "cluster: {endpoint: %s}\n", c->text);
		parse(text_str(&t), &m, &list);
		if (c->host) {
			assert_string_equal(m.endpoint_host, c->host);
			assert_int_equal(m.endpoint_port, c->port);
		} else {
			assert_null(m.endpoint_host);
		}
	}
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t want; /* 0: refused */
		const char *hint;
	} cases[] = {
		{ "512Mi", 512ull << 20, NULL },
		{ "8Gi", 8ull << 30, NULL },
		{ "40G", 40000000000ull, NULL },
		{ "1k", 1000, NULL },
		{ "2Ti", 2ull << 40, NULL },
		{ "7P", 7000000000000000ull, NULL },
		{ "8GB", 0, "write 8G" },
		{ "8gb", 0, "write 8G" },
		{ "8g", 0, "write 8Gi" },
		{ "8GiB", 0, "write 8Gi" },
		{ "512 Mi", 0, "write 512Mi" },
		{ "8", 0, "write 8Gi" },
		{ "1.5Gi", 0, "a whole number with a unit, such as 512Mi, 8Gi or 40G" },
		{ "-1Gi", 0, "a whole number with a unit, such as 512Mi, 8Gi or 40G" },
		{ "Gi", 0, "a whole number with a unit, such as 512Mi, 8Gi or 40G" },
		{ "0Gi", 0, NULL },
		{ "99999999Pi", 0, NULL },
		{ "9999999999999999999Gi", 0, "write 9999999999999999999Gi" },
	};

	(void)state;
	CASES (c, cases) {
		scoped(model_done) struct model m = { 0 };
		scoped(complaints_done) struct complaints list = { 0 };
		scoped(text_done) struct text t = { 0 };
		size_t i;

		text_addf(&t, "nodes: {a: {vm: {memory: \"%s\"}}}\n", c->text);
		parse(text_str(&t), &m, &list);
		if (c->want) {
			assert_true(m.nodes[0].vm.memory_bytes == c->want);
			continue;
		}
		for (i = 0; i < list.n && strcmp(list.list[i].code, "size-form") != 0; i++)
			;
		assert_true(i < list.n);
		if (c->hint)
			assert_string_equal(list.list[i].hint, c->hint);
	}
}

static void test_taints_in_both_spellings(void **state)
{
	static const char *const want[][3] = { { "a", "b", "NoSchedule" },
					       { "a", "", "NoExecute" },
					       { "x/y", "v", "PreferNoSchedule" },
					       { "k", "", "NoSchedule" } };
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	size_t i;

	(void)state;
	parse("nodes: {n: {taints: [\"a=b:NoSchedule\", a:NoExecute,\n"
	      "  {key: x/y, value: v, effect: PreferNoSchedule}, {key: k, effect: NoSchedule}]}}\n",
	      &m, &c);
	assert_int_equal(m.nodes[0].n_taints, COUNT(want));
	for (i = 0; i < COUNT(want); i++) {
		assert_string_equal(m.nodes[0].taints[i].key, want[i][0]);
		assert_string_equal(m.nodes[0].taints[i].value, want[i][1]);
		assert_string_equal(m.nodes[0].taints[i].effect, want[i][2]);
	}
}

static void test_own_network_goes_through_as_it_is(void **state)
{
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };

	(void)state;
	parse("nodes:\n"
	      "  n:\n"
	      "    network:\n"
	      "      bonds: {b0: {interfaces: [e0, e1], parameters: {mode: 802.3ad}, mtu: 9000}}\n"
	      "      ethernets: {e0: {match: {macaddress: \"52:54:00:00:00:01\"}}, e1: {}}\n"
	      "    address: 10.0.0.1\n",
	      &m, &c);
	assert_string_equal(m.nodes[0].network, "bonds:\n"
						"  b0:\n"
						"    interfaces:\n"
						"      - e0\n"
						"      - e1\n"
						"    parameters:\n"
						"      mode: 802.3ad\n"
						"    mtu: 9000\n"
						"ethernets:\n"
						"  e0:\n"
						"    match:\n"
						"      macaddress: \"52:54:00:00:00:01\"\n"
						"  e1: {}\n");
	assert_int_equal(m.nodes[0].network_mark.line, 4);
}

static void test_marks_are_those_of_the_values(void **state)
{
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };

	(void)state;
	parse("images: [a/b:1,\n  ./c.tar]\n"
	      "nodes:\n"
	      "  n:\n"
	      "    address: 10.0.0.1\n"
	      "    vm: {cpus: 2}\n",
	      &m, &c);
	assert_int_equal(m.mark.images[0].column, 10);
	assert_int_equal(m.mark.images[1].line, 2);
	assert_int_equal(m.nodes[0].mark.line, 4);
	assert_int_equal(m.nodes[0].mark.column, 3);
	assert_int_equal(m.nodes[0].address_mark.line, 5);
	assert_int_equal(m.nodes[0].address_mark.column, 14);
	assert_int_equal(m.nodes[0].vm.mark.line, 6);
	assert_int_equal(m.nodes[0].vm.cpus_mark.column, 16);
	assert_int_equal(m.nodes[0].mac_mark.line, 0);
}

static void test_what_others_forms_accept(void **state)
{
	static const struct {
		const struct parse_form *form;
		const char *good[8], *bad[8];
	} cases[] = {
		{ &parse_form_label,
		  { "a", "a-1", "1a", "0" },
		  { "", "-a", "a-", "A", "a.b", "a_b",
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" } },
		{ &parse_form_place, { "a b", "~" }, { "", "a\x7f", "a\nb" } },
		{ &parse_form_release, { "noble", "a-1" }, { "", "1a", "-a", "a b", "A" } },
		{ &parse_form_user,
		  { "a b", "LAB\\u", "a@b" },
		  { "", "a:b", " a", "a ", "a\"b", "a\nb" } },
		{ &parse_form_serial, { "a b", "S6Z1" }, { "", " a", "a ", "a\nb" } },
		{ &parse_form_claim, { "default/data" }, { "", "a", "A/b", "a/B", "/b", "a/" } },
		{ &parse_form_node, { "a.b", "w-1.lab" }, { "a..b", ".a", "a.", "a b", "a/b" } },
		{ &parse_form_token,
		  { "abcdef.0123456789abcdef" },
		  { "abcdef.0123456789abcde", "abcdef.0123456789abcdefg", "abcde.00123456789abcdef",
		    "Abcdef.0123456789abcdef", "abcdef-0123456789abcdef",
		    "abcdef.0123456789ABCDEF" } },
		{ &parse_form_phase,
		  { "addon/coredns", "upload-certs" },
		  { "", "/a", "a/", "a//b", "A" } },
		{ &parse_form_package,
		  { "vim", "g++", "libc6:amd64", "curl=7.88.1-10+deb12u5", "lib-x.y" },
		  { "", "Vim", "a", "a b", "vim=", "vim:", "vim;x", "--force" } },
		{ &parse_form_source,
		  { "deb http://x y z", "deb [trusted=yes] copy:/x ./", "./debs", "debs" },
		  { "", "deb x y", "deb [a http://x y", "http://x/y", "deb http://x",
		    "deb http://x ", "./a\nb", "./a://b" } },
		{ &parse_form_url,
		  { "http://x/debian", "https://x", "file:/srv/x", "deb http://x y z" },
		  { "", "x/y", "http://", "ftp://x", "http://a b", "deb x y", "deb http://x\ny" } },
		{ &parse_form_argument,
		  { "quiet", "console=ttyS0,115200n8", "a.b=c" },
		  { "", "a b", "a\"b", "a$b", "a`b", "a\\b" } },
		{ &parse_form_image,
		  { "busybox", "docker.io/library/busybox:1.36", "r:5000/a/b", "./x y.tar" },
		  { "", "a b", "a@sha256:00", "http://x", "-x", "a::b", "./a\nb" } },
		{ &parse_form_mirror,
		  { "registry:5000/hub", "mirror.example", "10.0.0.1:5000", "[fd00::1]:5000/x" },
		  { "", "https://x", "x:0", "x:99999", "x/", "x//y", "x/y/",
		    "10.0.0.300:5000/x" } },
		{ &parse_form_registry,
		  { "_default", "docker.io", "r:5000" },
		  { "", "_x", "r/x", "r:", "r.7:5000", "[fd00::1", "[fd00::1]x", "[fd00::1]:0" } },
		{ &parse_form_path,
		  { "/", "/a", "/a b/c", "/.a/b./..c/..d" },
		  { "", "a", "/a/", "//a", "/a/../b", "/./a", "/a\n" } },
		{ &parse_form_server,
		  { "//nas.example/archive", "//10.0.0.1/a/b", "//NAS/archive", "//MY_NAS/a" },
		  { "", "//", "//nas", "//nas/", "/nas/x", "//nas//x", "//nas/../x",
		    "//nas/x\n" } },
		{ &parse_form_password_file,
		  { "secrets/a", "secrets/a/b" },
		  { "", "a", "/secrets/a", "secrets/", "secrets/../a", "secrets",
		    "../secrets/a" } },
		{ &parse_form_account, { "ubuntu", "_a", "a-1" }, { "", "A", "1a", "a b", "a:b" } },
		{ &parse_form_interface,
		  { "br0", "eth0.7" },
		  { "", "a/b", "0123456789abcdef", "a b", ".", ".." } },
		{ &parse_form_host,
		  { "pool.ntp.org", "10.0.0.1", "fd00::1" },
		  { "", "a_b", "a b", "-a", "10.0.0.300", "10.0.0", "010.0.0.1", "ntp.7" } },
		{ &parse_form_place,
		  { "a.qcow2", "/srv/a b.img", "http://h/a", "https://h:8443/a?b=c@d" },
		  { "", "a\nb", "ftp://h/a", "file:///a", "https://h", "https:///a",
		    "https://u:p@h/a", "https://h/a b" } },
		{ &parse_form_sha256,
		  { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF" },
		  { "", "0123",
		    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEG" } },
	};

	(void)state;
	CASES (c, cases) {
		size_t i;

		for (i = 0; i < 8 && c->good[i]; i++)
			if (!c->form->ok(c->good[i]))
				fail_msg("%s: '%s' was refused", c->form->what, c->good[i]);
		for (i = 0; i < 8 && c->bad[i]; i++)
			if (c->form->ok(c->bad[i]))
				fail_msg("%s: '%s' was accepted", c->form->what, c->bad[i]);
	}
}

static void test_forms_have_their_lengths(void **state)
{
	static const struct {
		const struct parse_form *form;
		size_t most;
	} cases[] = {
		{ &parse_form_account, 32 },
		{ &parse_form_interface, 15 },
		{ &parse_form_serial, 128 },
		{ &parse_form_label, 63 },
	};
	char s[300];
	size_t i;

	(void)state;
	CASES (c, cases) {
		memset(s, 'a', sizeof(s));
		s[c->most + 1] = '\0';
		assert_false(c->form->ok(s));
		s[c->most] = '\0';
		assert_true(c->form->ok(s));
	}
	/* Labels with dots between. */
	memset(s, 'a', sizeof(s));
	for (i = 10; i < sizeof(s); i += 10)
		s[i] = '.';
	s[254] = '\0';
	assert_false(parse_is_subdomain(s));
	assert_false(parse_form_registry.ok(s));
	s[253] = '\0';
	assert_true(parse_is_subdomain(s));
	assert_true(parse_form_registry.ok(s));
	memset(s, 'a', sizeof(s));
	s[299] = '\0';
	assert_false(parse_form_registry.ok(s));
}

static void test_label_keys_as_kubernetes_has_them(void **state)
{
	static const char *const good[] = { "a", "A.b_c-1", "example.com/a",
					    "node-role.kubernetes.io/x" };
	static const char *const bad[] = { "",	 "/a", "a/",  "a/b/c", "-a",
					   "a-", "_a", "a b", "A.B/c", "a_b/c" };

	(void)state;
	CASES (s, good)
		assert_true(parse_is_qualified(*s));
	CASES (s, bad)
		assert_false(parse_is_qualified(*s));
	assert_true(parse_is_label_value(""));
	assert_true(parse_is_label_value("1.2_3-x"));
	assert_false(parse_is_label_value(".a"));
	assert_false(parse_is_label_value("a/b"));
}

static void test_public_keys(void **state)
{
	static const char *const good[] = {
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f "
		"a b",
		"from=\"10.0.0.1\" ssh-ed25519 "
		"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f x",
		"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAACQDerb7vAAAAAA== x",
	};
	static const char *const bad[] = {
		"",
		"ssh-ed25519",
		"ssh-ed25519 AAAA",
		"ssh-ed25519 "
		"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFx"
		"gZGhscHR4", /* cut */
		"ssh-ed25519 "
		"AAAAC3NzaC1lZDI1NTE5AAAAHwABAgMEBQYHCAkKCwwNDg8QERITFBUWFx"
		"gZGhsc", /* short */
		"ssh-rsa "
		"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFx"
		"gZGhscHR4f", /* type */
		"ssh-dss AAAAB3NzaC1kc3MAAAAA",
		"ssh-rsa AAAAB3NzaC1kc3MAAAADAQABAAAACQ==", /* of its length, not its name */
		"ssh-rsa AQAAB3NzaC1yc2EAAAADAQABAAAACQ==", /* longer than there is */
		"ssh-rsa ====",
		"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAC!==",
		"-----BEGIN OPENSSH PRIVATE KEY-----",
		"ssh-ed25519 "
		"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFx"
		"gZGhscHR4f\nx",
	};

	(void)state;
	CASES (s, good)
		if (!parse_is_ssh_key(*s))
			fail_msg("refused: %s", *s);
	CASES (s, bad)
		if (parse_is_ssh_key(*s))
			fail_msg("accepted: %s", *s);
}

static void test_a_public_key_has_a_most(void **state)
{
	char s[8 + 6000 + 1] = "ssh-rsa AAAAB3NzaC1yc2E";
	size_t n = strlen(s);

	(void)state;
	memset(s + n, 'A', sizeof(s) - n);
	s[8 + 5460] = '\0'; /* 4095 bytes */
	assert_true(parse_is_ssh_key(s));
	s[8 + 5460] = 'A';
	s[8 + 5464] = '\0'; /* 4098, which is one key and a half */
	assert_false(parse_is_ssh_key(s));
}

static void test_bytes_that_are_no_document_leave_an_empty_model(void **state)
{
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };

	(void)state;
	parse("{", &m, &c);
	assert_int_equal(c.n, 1);
	assert_string_equal(c.list[0].code, "not-yaml");
	assert_int_equal(m.n_nodes, 0);
	document_check(&m, &c);
	assert_int_equal(c.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_example_as_a_model),
		cmocka_unit_test(test_defaults_are_filled_in),
		cmocka_unit_test(test_what_is_given_is_no_default),
		cmocka_unit_test(test_values_and_what_is_said_of_them),
		cmocka_unit_test(test_taints_have_a_most),
		cmocka_unit_test(test_forms_have_their_lengths),
		cmocka_unit_test(test_a_public_key_has_a_most),
		cmocka_unit_test(test_endpoints_are_split),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_taints_in_both_spellings),
		cmocka_unit_test(test_own_network_goes_through_as_it_is),
		cmocka_unit_test(test_marks_are_those_of_the_values),
		cmocka_unit_test(test_what_others_forms_accept),
		cmocka_unit_test(test_label_keys_as_kubernetes_has_them),
		cmocka_unit_test(test_public_keys),
		cmocka_unit_test(test_bytes_that_are_no_document_leave_an_empty_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
