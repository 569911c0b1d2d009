/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_check_rows.h"

static void test_networks(void **state)
{
	static const struct row rows[] = {
		{ "endpoint-nobody", 0, .endpoint = "10.0.0.9", .network = "gateway: 10.0.0.1" },
		{ "endpoint-nobody", 1, .endpoint = "10.0.0.9" },
#define TWO NODE("m2", 12, ", role: control-plane")
		{ "endpoint-nobody", 0, .endpoint = "10.0.0.9", .nodes = TWO },
		{ "endpoint-nobody", 1, .endpoint = "10.0.0.0", .nodes = TWO },
		{ "endpoint-nobody", 1, .endpoint = "10.0.0.255", .nodes = TWO },
		{ "endpoint-nobody", 1, .endpoint = "10.0.0.1", .nodes = TWO },
		{ "endpoint-unknown", 1, .endpoint = "10.9.0.1", .nodes = TWO },
		{ "network-family", 1, .cluster = ", podSubnet: \"fd00::/48\"" },
		{ "network-family", 2, .network = "subnet: \"fd00::/64\"" },
		{ "subnet-small", 1, .network = "subnet: 10.0.0.10/31" },
		{ "subnet-small", 0, .network = "subnet: \"fd00::/1\"" },
		{ "gateway-host", 1, .network = "subnet: 10.0.0.0/24, gateway: 10.0.0.0" },
		{ "gateway-host", 1, .network = "subnet: 10.0.0.0/24, gateway: 10.0.0.255" },
		{ "gateway-host", 0, .network = "subnet: 10.0.0.0/24, gateway: 10.0.0.254" },
		{ "service-subnet-small", 0, .cluster = ", serviceSubnet: foo" },
		{ "service-subnet-small", 1, .cluster = ", serviceSubnet: 10.96.0.0/29" },
		{ "networks-overlap", 1, .cluster = ", podSubnet: 10.0.0.0/16" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void test_nodes(void **state)
{
#define OWN ", network: {ethernets: {e: {addresses: [10.0.0.30/24]}}}"
#define FAR ", network: {ethernets: {e: {addresses: [10.7.0.30/24]}}}"
	static const struct row rows[] = {
		{ "name-reserved", 1, .nodes = NODE("localhost", 30, ", role: worker") },
		{ "name-reserved", 1, .nodes = NODE("localhost.lab", 30, ", role: worker") },
		{ "name-reserved", 1, .nodes = NODE("lab.7", 30, ", role: worker") },
		{ "name-reserved", 0, .nodes = NODE("localhosts", 30, ", role: worker") },
		{ "mac-missing", 1, .nodes = "  w: {role: worker, address: 10.0.0.30}\n" },
		{ "mac-missing", 1, .nodes = "  w: {role: worker, vm: {cpus: 1}}\n" },
		{ "mac-missing", 1, .nodes = "  w: {address: 10.0.0.30}\n" },
		{ "mac-missing", 0, .nodes = "  w: {serial: X}\n" },
		{ "mac-missing", 0, .nodes = "  w: {role: worker, mac: x}\n" },
		{ "mac-missing", 0, .nodes = "  w: {role: worker, macs: x}\n" },
		{ "mac-missing", 1,
		  .nodes = "  w: {role: worker, address: 10.0.0.30, serial: X}\n" },
		{ "mac-missing", 0,
		  .nodes = "  w: {role: worker, address: 10.0.0.30, serial: X" OWN "}\n" },
		{ "mac-missing", 1,
		  .nodes = "  w: {role: worker, address: 10.0.0.30, serial: X" OWN
			   ", vm: {cpus: 1}}\n" },
		{ "mac-missing", 0, .nodes = "  w: {role: worker, mac: [a]}\n" },
		{ "mac-twice", 0,
		  .nodes = WORKER(30, ", network: {ethernets: {e: {macaddress: "
				      "\"00:00:00:00:00:00\"}}}")
			  WORKER(31, ", network: {ethernets: {e: {macaddress: "
				     "\"00:00:00:00:00:00\"}}}") },
		{ "mac-twice", 1,
		  .nodes = WORKER(
			  30, ", network: {ethernets: {e: {macaddress: \"52:54:00:00:00:31\"}}}")
			  WORKER(31, "") },
		{ "address-twice", 1, .endpoint = "[a]",
		  .nodes = WORKER(
			  30,
			  ", network: {ethernets: {e: {addresses: [10.0.0.30/24, 10.0.0.77/24]}}}")
			  WORKER(31, ", network: {ethernets: {e: {addresses: [10.0.0.31/24, "
				     "10.0.0.77/24]}}}") },
		{ "address-twice", 0, .endpoint = "10.0.0.77",
		  .nodes = WORKER(
			  30,
			  ", network: {ethernets: {e: {addresses: [10.0.0.30/24, 10.0.0.77/24]}}}")
			  WORKER(31, ", network: {ethernets: {e: {addresses: [10.0.0.31/24, "
				     "10.0.0.77/24]}}}") },
		{ "address-twice", 1, .endpoint = "10.0.0.31",
		  .nodes = WORKER(
			  30,
			  ", network: {ethernets: {e: {addresses: [10.0.0.30/24, 10.0.0.31/24]}}}")
			  WORKER(31, "") },
		{ "data-role", 1, .nodes = WORKER(30, ", data: {disk: {serial: x}}") },
		{ "data-role", 0, .nodes = NODE("s", 30, ", data: {disk: {serial: x}}") },
		{ "data-none", 1, .nodes = NODE("s", 30, ", role: storage, data: {disk: {}}") },
		{ "data-none", 0,
		  .nodes = NODE("s", 30, ", role: storage, data: {disk: {size: 1Ti}}") },
		{ "data-none", 0,
		  .nodes = NODE("s", 30, ", role: storage, data: {disk: {wwn: x}}") },
		{ "address-outside", 1,
		  .nodes = "  w: {role: worker, address: 10.7.0.30, " MAC(30) "}\n" },
		{ "routed-subnets", 1,
		  .nodes = "  w: {role: worker, address: 10.7.0.30, " MAC(30) FAR "}\n" },
		{ "routed-subnets", 0,
		  .nodes = "  w: {role: storage, address: 10.7.0.30, " MAC(30) FAR "}\n" },
		{ "routed-subnets", 0, .cluster = ", podNetwork: flannel",
		  .nodes = "  w: {role: worker, address: 10.7.0.30, " MAC(30) FAR "}\n" },
		{ "gpu-role", 0, .nodes = NODE("g", 30, ", gpu: nvidia") },
		{ "gpu-role", 1, .nodes = NODE("g", 30, ", role: storage, gpu: nvidia") },
		{ "gpu-role", 0, .nodes = WORKER(30, ", gpu: zzzzzz") },
		{ "gpu-no-source", 1, .nodes = WORKER(30, ", gpu: nvidia") },
		{ "gpu-no-source", 0, .nodes = WORKER(30, ", gpu: nvidia"),
		  .os = "distribution: debian, release: bookworm, cloudImage: ./x" },
		{ "gpu-no-source", 0, .nodes = WORKER(30, ", gpu: nvidia"),
		  .os = "distribution: debian, release: bookworm, sources: [./x]" },
		{ "gpu-unused", 1, .more = "gpus: {amd: {devicePlugin: a/b:1}}" },
		{ "gpu-unused", 0, .nodes = WORKER(30, ", gpu: amd"),
		  .more = "gpus: {amd: {devicePlugin: a/b:1}}" },
		{ "gpu-driver", 0, .os = "distribution: zzzzzz, release: bookworm",
		  .more = "gpus: {nvidia: {driver: \"580\"}}" },
		{ "disk-twice", 1,
		  .nodes = WORKER(30, ", disk: {wwn: \"wwn-0x5000C5\"}")
			  WORKER(31, ", disk: {wwn: naa.5000c5}") },
		{ "disk-twice", 1,
		  .nodes = WORKER(30, ", disk: {wwn: \"0x5000C5\"}")
			  WORKER(31, ", disk: {wwn: EUI.5000c5}") },
		{ "disk-twice", 0,
		  .nodes = WORKER(30, ", disk: {wwn: \"0x5000C5\"}")
			  WORKER(31, ", disk: {wwn: nop.5000c5}") },
		{ "serial-twice", 1,
		  .nodes = WORKER(30, ", serial: x1") WORKER(31, ", serial: X1") },
		{ "release-unknown", 0, .os = "release: bookwurm" },
		{ "release-unknown", 0, .os = "distribution: debian, release: zzzzzzzz" },
		{ "release-unknown", 1, .os = "distribution: debian, release: bookwurm" },
		{ "release-unknown", 0, .os = "distribution: debian, release: Bookwurm" },
		{ "release-unknown", 0, .os = "distribution: debian" },
		{ "addon-unknown", 0, .cluster = ", podNetwork: cilium" },
		{ "addon-unknown", 1, .cluster = ", podNetwork: zzzzzzzz" },
		{ "addon-unknown", 1, .cluster = ", podNetwork: flanel" },
		{ "addon-unknown", 0, .cluster = ", podNetwork: Flannel" },
	};
#undef OWN
#undef FAR

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void test_pods(void **state)
{
#define PART(n, part) WORKER(n, ", podCIDR: " part)
	static const struct row rows[] = {
		{ "pod-cidr-twice", 1,
		  .nodes = PART(30, "10.244.1.0/24") PART(31, "10.244.1.0/25") },
		{ "pod-cidr-twice", 1,
		  .nodes = PART(30, "10.244.1.0/25") PART(31, "10.244.1.0/24") },
		{ "pod-cidr-twice", 1,
		  .nodes = PART(30, "10.244.1.0/24") PART(31, "10.244.1.0/24") },
		{ "pod-cidr-twice", 0,
		  .nodes = PART(30, "10.244.1.0/25") PART(31, "10.244.1.128/25") },
		{ "pod-cidr-twice", 1, .nodes = PART(30, "10.244.31.0/24") WORKER(31, "") },
		{ "pod-cidr-twice", 1, .nodes = WORKER(30, "") PART(31, "10.244.30.0/24") },
		/* One address for two is what is said, and not what follows. */
		{ "pod-cidr-twice", 0,
		  .nodes =
			  WORKER(30, "") "  x: {role: worker, address: 10.0.0.30, " MAC(31) "}\n" },
		{ "pod-subnet-small", 1, .cluster = ", podSubnet: 10.244.0.0/25" },
		{ "pod-subnet-small", 1,
		  .cluster = ", podSubnet: \"fd00:1::/63\", serviceSubnet: \"fd00:2::/112\"",
		  .network = "subnet: \"fd00::/64\"",
		  .m1 = "role: control-plane, address: \"fd00::7\"" },
		{ "pod-cidr-outside", 1, .nodes = PART(30, "10.244.0.0/8") },
		{ "pod-cidr-outside", 1, .nodes = PART(30, "10.243.0.0/24") },
		{ "pod-cidr-outside", 0, .nodes = PART(30, "10.244.7.0/24") },
		{ "pod-cidr-outside", 0, .nodes = PART(30, "foo") },
		{ "pod-cidr-outside", 1, .cluster = ", podSubnet: 172.16.0.0/16",
		  .nodes = WORKER(30, ", podCIDR: 172.16.0.0/12") },
		{ "pod-subnet-small", 1,
		  .cluster = ", podSubnet: \"fd01::/16\", serviceSubnet: \"fe00::/112\"",
		  .network = "subnet: \"fd00:0:0:1::/64\"",
		  .m1 = "role: control-plane, address: \"fd00:0:0:1:ffff::7\"" },
		{ "pod-cidr-small", 1, .nodes = PART(30, "10.244.7.0/30") },
		{ "pod-cidr-unused", 1, .cluster = ", podNetwork: flannel",
		  .nodes = PART(30, "10.244.7.0/24") },
		{ "pod-subnet-small", 1,
		  .cluster = ", podNetwork: flannel, podSubnet: 10.244.0.0/25" },
		{ "pod-subnet-small", 1,
		  .cluster = ", podNetwork: flannel, podSubnet: 10.244.0.0/24",
		  .nodes = WORKER(30, "") },
		{ "pod-subnet-small", 0,
		  .cluster = ", podNetwork: flannel, podSubnet: 10.244.0.0/23",
		  .nodes = WORKER(30, "") },
		{ "pod-subnet-small", 0,
		  .cluster = ", podNetwork: flannel, podSubnet: \"8000::/1\"" },
		{ "pod-subnet-small", 0, .cluster = ", podNetwork: flannel, podSubnet: foo" },
	};
#undef PART

	(void)state;
	check_rows(rows, COUNT(rows));
}

/* A guess must stay cheap, so that there is none among so many; and so many need a large podSubnet.
 */
static void test_many(void **state)
{
	enum { MANY = COMPLAINT_GUESSES + 1 };
	scoped(text_done) struct text nodes = { 0 };
	scoped(text_done) struct text more = { 0 };
	struct row row = { .network = "subnet: 10.0.0.0/8", .cluster = ", podNetwork: flannel" };
	static const struct {
		const char *code;
		size_t n;
	} want[] = { { "reference-missing", 1 },
		     { "registry-unknown", 1 },
		     { "pod-subnet-small", 1 } };
	size_t i;

	(void)state;
	for (i = 0; i < MANY; i++)
		text_addf(&nodes,
			  "  n%zu: {role: worker, address: 10.1.%zu.%zu, mac: "
			  "\"52:54:00:00:%02zx:%02zx\"}\n",
			  i, 1 + i / 200, 1 + i % 200, i / 200, i % 200);
	text_add(&more, "images: [\"r9999x:5000/a:1\"]\n"
			"shares: {a: {node: n9999x, path: /srv/a, mount: /mnt/a, guest: true}}\n"
			"registries:\n");
	for (i = 0; i < MANY; i++)
		text_addf(&more, "  r%zu.lab:5000: {mirrors: [docker.io]}\n", i);
	row.nodes = text_str(&nodes);
	row.more = text_str(&more);
	CASES (w, want) {
		row.code = w->code;
		row.n = w->n;
		check_rows(&row, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_pods),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
