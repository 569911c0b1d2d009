/* SPDX-License-Identifier: MIT */
#include "tests/memory.h"

#include <string.h>

#include "base/yaml.h"
#include "cluster/api.h"
#include "cluster/depot_page.h"
#include "cluster/installer.h"
#include "cluster/machine.h"
#include "cluster/peer.h"
#include "cluster/seed.h"
#include "cluster/whole.h"
#include "registry/registry.h"
#include "storage/share.h"
#include "storage/storage.h"
#include "tests/cluster/test_audit.h"
#include "tests/cluster/test_plan.h"

/* What decides and renders, with each allocation refused in turn. */

#define SSH "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdgkGqBFTMhe0vZ+gHkEk4mQBM0m2EfL7zZ9s3DjPpF o@x"

/* All that a file can say: served and mounted shares, registries, doors, data, GPUs. */
static const char full_document[] =
	"apiVersion: rackseed/v1\n"
	"cluster:\n"
	"  name: full\n"
	"  kubernetes: {version: \"1.31\"}\n"
	"  endpoint: cp:6443\n"
	"os: {distribution: debian, release: bookworm, packages: [htop]}\n"
	"network: {subnet: 192.168.10.0/24, gateway: 192.168.10.1, nameservers: [192.168.10.1]}\n"
	"images: [docker.io/library/busybox:1.36]\n"
	"admin: {user: ops, sshKeys: [\"" SSH "\"]}\n"
	"firewall: {ssh: [192.168.10.5/32], nodePorts: [10.0.0.0/8], ports: [80, 53/udp]}\n"
	"registries:\n"
	"  reg:5000: {node: reg, user: puller, passwordFile: secrets/registry}\n"
	"  reg:5001: {node: reg, upstream: quay.example, probe: a/b:1}\n"
	"  quay.example: {mirrors: [\"reg:5001\"], user: q, passwordFile: secrets/quay, caFile: "
	"secrets/quay.crt, probe: a/b:1}\n"
	"  docker.io: {mirrors: [\"reg:5000/hub\"]}\n"
	"  cert.example: {clientCertFile: secrets/c.crt, clientKeyFile: secrets/c.key}\n"
	"  ns.example: {user: n, passwordFile: secrets/quay, namespaces: [apps, dev], probe: a}\n"
	"  ns.example:5000: {user: n, passwordFile: secrets/quay, namespaces: [apps, apps]}\n"
	"shares:\n"
	"  own: {node: st, path: /srv/own, mount: /mnt/own, user: mlops, passwordFile: "
	"secrets/samba, volume: 10Gi, claim: default/data}\n"
	"  nas: {server: //nas/data, mount: /mnt/nas, guest: true}\n"
	"nodes:\n"
	"  cp: {role: control-plane, address: 192.168.10.50, mac: \"52:54:00:00:00:32\"}\n"
	"  w1:\n"
	"    role: worker\n"
	"    address: 192.168.10.101\n"
	"    mac: \"52:54:00:00:00:65\"\n"
	"    labels: {tier: gpu}\n"
	"    taints: [\"gpu=yes:NoSchedule\", \"x:NoExecute\"]\n"
	"    network:\n"
	"      ethernets: {nic0: {addresses: [192.168.10.101/24]}}\n"
	"  st: {role: storage, address: 192.168.10.40, mac: \"52:54:00:00:00:28\"}\n"
	"  reg:\n"
	"    role: registry\n"
	"    address: 192.168.10.60\n"
	"    mac: \"52:54:00:00:00:3c\"\n"
	"    data: {disk: {serial: ZL2A}}\n";

static const char six_document[] =
	"apiVersion: rackseed/v1\n"
	"cluster: {name: six, kubernetes: {version: \"1.20.2\"}, endpoint: a:6443,\n"
	"  podSubnet: \"fd00:244::/48\", serviceSubnet: \"fd00:96::/112\"}\n"
	"os: {distribution: debian, release: bookworm}\n"
	"network: {subnet: \"fd00:10::/64\", gateway: \"fd00:10::1\"}\n"
	"nodes:\n"
	"  a: {role: [control-plane, worker], address: \"fd00:10::50\", mac: "
	"\"52:54:00:00:00:32\"}\n"
	"  b: {role: worker, address: \"fd00:10::51\", mac: \"52:54:00:00:00:33\"}\n";

/* Somebody else's pod network; one machine is everything, and serves without TLS. */
static const char alone_document[] =
	"apiVersion: rackseed/v1\n"
	"cluster: {name: alone, kubernetes: {version: \"1.22\"}, podNetwork: "
	"none}\n"
	"os: {distribution: debian, release: bookworm}\n"
	"network: {subnet: 192.168.10.0/24, nameservers: [10.0.0.1]}\n"
	"firewall: {ports: [80, 53/udp]}\n"
	"registries:\n"
	"  reg.lab: {node: a, insecure: true}\n"
	"  up.lab: {insecure: true}\n"
	"  reg.lab:5001: {node: a, insecure: true, upstream: up.lab}\n"
	"shares:\n"
	"  x: {node: a, path: /srv/x, user: u, passwordFile: secrets/u, mount: /mnt/x}\n"
	"  y: {node: a, path: /srv/y, user: u, passwordFile: secrets/u, mount: /mnt/y}\n"
	"  win: {server: //WINBOX/data, mount: /mnt/win, guest: true}\n"
	"nodes:\n"
	"  a: {role: [control-plane, worker, registry, storage], address: 192.168.10.50, mac: "
	"\"52:54:00:00:00:32\"}\n";

static const char bad_document[] =
	"apiVersion: rackseed/v1\n"
	"cluster: {name: Bad_, kubernets: {version: 1}, endpoint: nobody:6443}\n"
	"os: {distribution: debian, release: bookwurm}\n"
	"network: {subnet: 192.168.10.0/33, gateway: 10.0.0.1}\n"
	"registries: {reg: {node: wl}}\n"
	"shares: {a: {node: w1, path: srv, mount: /mnt/a}, b: {server: nas, mount: /mnt/a/b}}\n"
	"nodes:\n"
	"  w1: {role: werker, address: 192.168.10.300, mac: 1, taints: [\"a:Never\"], labels: 7}\n"
	"  w2: {role: worker, address: 192.168.10.5, mac: \"52:54:00:00:00:01\"}\n"
	"  w3: {role: worker, address: 192.168.10.5, mac: \"52:54:00:00:00:01\"}\n";

static const char *const documents[] = { lab_document, rich_document,  full_document,
					 six_document, alone_document, bad_document };

static int parse_and_complain(size_t row, struct text *out)
{
	const char *bytes = documents[row];
	struct complaints c = { 0 };
	struct model m = { 0 };
	struct fault why = { 0 };
	int r = document_parse("cluster.yaml", bytes, strlen(bytes), &m, &c, &why);

	if (r == 0) {
		document_check(&m, &c);
		complaints_sort(&c);
		r = c.truncated ? -ENOMEM : 0;
	}
	if (r == 0) {
		complaints_print(&c, "cluster.yaml", bytes, strlen(bytes), out);
		complaints_json(&c, "cluster.yaml", out);
	}
	complaints_done(&c);
	model_done(&m);
	return r;
}

/* These are read with all the memory that they need; the nodes' plans are not made so. */
static struct model models[5];
static const struct model *const planned = &models[0];

enum { NODES = 16 }; /* more than a document here has */

static int plan_a_node(size_t row, struct text *out)
{
	static const struct plan_facts unknown = { .kubernetes.patch = -1 };
	const struct model *m = &models[row / NODES];
	size_t held, i;
	struct plan plan = { 0 };
	struct fault why = { 0 };
	int r = plan_make(m, &m->nodes[row % NODES], &unknown, &plan, &why);

	held = memory_countdown;
	memory_countdown = 0;
	for (i = 0; r == 0 && i < plan.n; i++) {
		const struct plan_action *a = &plan.actions[i];

		text_addf(out, "%s\n%s\n%s\n", a->path, a->content ? a->content : "",
			  a->source ? a->source : "");
	}
	memory_countdown = held;
	plan_done(&plan);
	return r;
}

/* The smallest of the plans, shown in each form. */
static struct plan shown;

static int show_a_plan(size_t row, struct text *out)
{
	static const struct plan none = { 0 };

	if (row == 0)
		plan_print(&shown, out);
	else if (row == 1)
		plan_json(&shown, out);
	else
		plan_diff(&none, &shown, out);
	return 0;
}

static int add(struct seed *seed, const char *path, const char *data)
{
	struct fault why = { 0 };

	return seed_add(seed, path, data, strlen(data), &why);
}

static int seal_and_fill(size_t row, struct text *out)
{
	static const char content[] = PLAN_PLACE
		"word:token" PLAN_PLACE " " PLAN_PLACE "base64:ca" PLAN_PLACE " " PLAN_PLACE
		"pull:r:5/u:pw" PLAN_PLACE " " PLAN_PLACE "yaml:pw" PLAN_PLACE " " PLAN_PLACE
		"line:pw" PLAN_PLACE " " PLAN_PLACE "basic:u:pw" PLAN_PLACE;
	struct seed seed = { 0 };
	struct fault why = { 0 };
	int r = add(&seed, "secrets/token", "abcdef.0123456789abcdef\n");

	(void)row;
	if (r == 0)
		r = add(&seed, "secrets/ca", "-----BEGIN CERTIFICATE-----\n");
	if (r == 0)
		r = add(&seed, "secrets/pw", "pa:ss\"word\n");
	if (r == 0)
		r = seed_seal(&seed, &why);
	if (r == 0)
		r = seed_verify(&seed, &why);
	if (r == 0)
		r = plan_fill(content, &seed, out, &why);
	if (r == 0)
		text_add(out, seed_find(&seed, "SHA256SUMS")->data);
	seed_done(&seed);
	return r;
}

static int name_the_secrets(size_t row, struct text *out)
{
	const char **paths = NULL;
	struct fault why = { 0 };
	int r = seed_secrets(planned, &planned->nodes[row], &paths, &why);
	size_t i;

	for (i = 0; r == 0 && paths[i]; i++)
		text_addf(out, "%s\n", paths[i]);
	free(paths);
	return r;
}

static int read_a_stick(size_t row, struct text *out)
{
	struct installer i = { 0 };
	struct text json = { 0 };
	struct fault why = { 0 };
	size_t held = memory_countdown;
	int r;

	(void)row;
	memory_countdown = 0;
	assert_int_equal(fs_read(AT_FDCWD, "tests/golden/installer/two.json", 1 << 20, &json, &why),
			 0);
	memory_countdown = held;
	r = installer_parse(text_str(&json), json.len, &i, &why);
	if (r == 0)
		installer_render(&i, out);
	installer_done(&i);
	text_done(&json);
	return r;
}

/* What cannot be looked at now is not called broken: it would be removed. */
static int judge_files(size_t row, struct text *out)
{
	static const char pod[] =
		"{\"kind\": \"Pod\", \"spec\": {\"containers\": [{\"name\": \"a\", "
		"\"volumeMounts\": [{\"name\": \"v\"}]}], \"volumes\": [{\"name\": "
		"\"v\"}]}}";
	static const char config[] =
		"kind: Config\nusers:\n- name: a\n  user:\n    client-certificate-data: "
		"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=\n"
		"    client-key-data: "
		"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="
		"\n";
	bool whole = row ? whole_object(config, strlen(config), "Config")
			 : whole_object(pod, strlen(pod), "Pod");
	size_t held = memory_countdown;

	memory_countdown = 0;
	text_add(out, whole ? "whole" : "broken");
	memory_countdown = held;
	return 0;
}

/* A disk of which every rule finds something; what the disk itself needs is not refused. */
static struct disk disk;
static struct seed disk_seed;

static int judge(size_t row, struct text *out)
{
	const struct audit_tree tree = { disk_stat, disk_read, disk_link, disk_list, &disk };
	struct audit a = { 0 }, again = { 0 };
	struct text json = { 0 };
	struct fault why = { 0 };
	int r = audit_judge(&tree, &disk_seed, &a, &why);

	(void)row;
	if (r == 0) {
		audit_print(&a, "cp", out);
		audit_junit(&a, "cp", out);
		audit_json(&a, "cp", &json);
		r = text_error(&json);
	}
	if (r == 0)
		r = audit_parse(text_str(&json), json.len, &again, &why);
	if (r == 0)
		audit_print(&again, "cp", out);
	audit_done(&a);
	audit_done(&again);
	text_done(&json);
	return r;
}

static void make_the_disk(void)
{
	static const char *const manifests[] = { "kube-apiserver", "kube-controller-manager",
						 "kube-scheduler", "etcd" };
	char path[128], golden[64];

	CASES (m, manifests) {
		snprintf(path, sizeof(path), "/etc/kubernetes/manifests/%s.yaml", *m);
		snprintf(golden, sizeof(golden), "%s.yaml", *m);
		disk_put_golden(&disk, path, 0600, golden);
	}
	disk_put_golden(&disk, "/var/lib/kubelet/config.yaml", 0600, "kubelet.yaml");
	disk_put(&disk, "/etc/passwd", 0644, "root:x:0:0:root:/root:/bin/bash\n");
	disk_put(&disk, "/etc/shadow", 0640, "root:*:1:0:99999:7:::\nops:$y$x:1::::::\n");
	disk_put(&disk, "/etc/fstab", 0644, "/swap none swap sw 0 0\n");
	disk_put(&disk, "/var/lib/dpkg/status", 0644,
		 "Package: kubelet\nStatus: hold ok installed\nVersion: 1\n");
	disk_put(&disk, "/etc/ssh/sshd_config.d/a.conf", 0644, "PermitRootLogin no\n");
	disk_put(&disk, "/etc/sysctl.d/a.conf", 0644, "kernel.kptr_restrict = 1\n");
	disk_put(&disk, "/usr/lib/systemd/system/x.socket", 0644, "[Socket]\nListenStream=99\n");
	disk_put(&disk, "/etc/systemd/system/sockets.target.wants/x.socket", S_IFLNK | 0777, "x");
	disk_put(&disk, "/etc/rackseed/firewall.nft", 0644, "x");
	disk_put(&disk, "/usr/bin/odd", 04755, "");
	disk_put(&disk, "/srv/everybodys", 0666, "");
	disk_put(&disk, "/etc/systemd/system/multi-user.target.wants/ssh.service", S_IFLNK | 0777,
		 "x");
	assert_int_equal(add(&disk_seed, "node", "cp"), 0);
	assert_int_equal(add(&disk_seed, "cluster.yaml", full_document), 0);
	assert_int_equal(add(&disk_seed, "secrets/token", "x"), 0);
}

static int read_yaml(size_t row, struct text *out)
{
	static const char bytes[] = "a: [1, \"two\", {b: null}]\n"
				    "c: |\n  lines\n  more\n"
				    "d: {e: ~, f: 'x'}\n";
	static const char json[] = "{\"a\": [1, \"\\u00e4\\n\", {\"b\": null}], \"c\": true}";
	struct yaml_error error = { 0 };
	struct yaml y = { 0 };
	int r = yaml_parse(row ? json : bytes, strlen(row ? json : bytes), &y, &error);

	if (r == 0)
		yaml_emit(&y, 2, out);
	yaml_done(&y);
	return r;
}

static int read_answers(size_t row, struct text *out)
{
	static const char nodes[] =
		"{\"kind\":\"NodeList\",\"metadata\":{\"continue\":\"next\"},\"items\":[{"
		"\"metadata\":{"
		"\"name\":\"w1\"},\"status\":{\"nodeInfo\":{\"kubeletVersion\":\"v1.20.2\"},"
		"\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"10.0.0.1\"}],\"conditions\":"
		"[{"
		"\"type\":\"Ready\",\"status\":\"False\",\"message\":\"no\"}]}}]}";
	struct api_node *list = NULL;
	unsigned long n = 0;
	struct fault why = { 0 };
	int r = api_nodes_parse(nodes, strlen(nodes), &list, &n, out, &why);

	(void)row;
	if (r == 0)
		text_addf(out, "%s %s %s %s", list[0].name, list[0].version, list[0].address,
			  list[0].reason);
	api_nodes_free(list, n);
	return r;
}

static int read_pages(size_t row, struct text *out)
{
	static const char json[] = "{\"tags\": [\"1\", \"2\", \"3\"]}";
	static const char head[] = "HTTP/1.1 200 OK\r\n"
				   "Link: </v2/_catalog?last=b&n=2>; rel=\"next\"\r\n"
				   "Location: https://reg:5000/v2/x?y=z\r\n\r\n";
	struct depot_names names = { 0 };
	struct fault why = { 0 };
	int r = depot_page_names(json, strlen(json), "tags", &names, &why);
	size_t i;

	(void)row;
	for (i = 0; r == 0 && i < names.n; i++)
		text_add(out, names.list[i]);
	if (r == 0 && (!depot_page_next(head, out) || !depot_page_location(head, out)))
		r = -ENOMEM;
	depot_names_done(&names);
	return r;
}

static int read_peers_and_shares(size_t row, struct text *out)
{
	static const char status[] = "{\"name\":\"w1\",\"phase\":\"waiting\",\"step\":\"cluster\","
				     "\"version\":\"0.1.0\",\"steps\":[{\"name\":\"cluster\","
				     "\"state\":\"waiting\",\"reason\":\"for it\"}]}";
	static const char facts[] = "{\"kubernetes\": \"1.20.2\", \"containerd\": \"1.6.20\", "
				    "\"pause\": \"registry/pause:3.2\"}";
	struct share_result share = { .share = "//nas/a", .code = SHARE_FULL, .reason = "full" };
	struct share_result again = { 0 };
	struct plan_facts found = { .kubernetes.patch = -1 };
	struct peer *peer = __real_calloc(1, sizeof(*peer));
	struct text json = { 0 };
	struct fault why = { 0 };
	int r = peer_parse(status, strlen(status), peer, &why);

	(void)row;
	if (r == 0)
		r = plan_facts_parse(facts, strlen(facts), &found, &why);
	share_result_json(&share, &json);
	if (r == 0)
		r = text_error(&json);
	if (r == 0)
		r = share_result_parse(text_str(&json), json.len, &again, &why);
	if (r == 0) {
		share_result_print(&again, out);
		text_addf(out, "%s %s %d", peer->name, peer->steps[0].reason,
			  found.kubernetes.patch);
	}
	free(peer);
	text_done(&json);
	return r;
}

static int render_the_rest(size_t row, struct text *out)
{
	static const struct machine here = { .links = { { "eth0", { { 2, 0, 0, 0, 0, 1 } } } },
					     .n_links = 1 };
	const struct registry_auth auth = { "docker.io", "dTpw" };
	const struct registry_containerd containerd = {
		.major = 2, .pause = "p", .cni_bin_dir = "/c", .auths = &auth, .n_auths = 1
	};
	struct storage_credentials read = { 0 };
	struct text credentials = { 0 };
	struct fault why = { 0 };
	int r;

	(void)row;
	registry_containerd_config(&containerd, out);
	registry_docker_config(&auth, 1, out);
	machine_print_refusal(&here, MACHINE_LACKS_MAC, planned, &planned->nodes[0], out);
	storage_credentials("LAB\\u", "p w", &credentials);
	r = text_error(&credentials);
	if (r == 0)
		r = storage_credentials_parse(text_str(&credentials), &read, &why);
	if (r == 0)
		r = storage_mount_unit_name("/mnt/a-b", out, &why);
	text_add(out, read.user);
	text_done(&credentials);
	return r;
}

static void test_a_document_that_is_read_without_memory_is_not_taken_for_whole(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		assert_refusals_are_told(parse_and_complain, i);
}

static void test_a_plan_that_lacks_something_is_none(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		for (k = 0; k < models[i].n_nodes; k++)
			assert_refusals_are_told(plan_a_node, i * NODES + k);
	for (i = 0; i < 3; i++)
		assert_refusals_are_told(show_a_plan, i);
}

static void test_the_others_say_so_too(void **state)
{
	static memory_maker *const makers[] = {
		seal_and_fill, name_the_secrets,      read_a_stick,    judge,	   read_yaml,
		read_answers,  read_peers_and_shares, render_the_rest, read_pages,
	};

	(void)state;
	CASES (m, makers) {
		assert_refusals_are_told(*m, 0);
	}
	assert_refusals_are_told(read_yaml, 1);
	assert_refusals_are_told(judge_files, 0);
	assert_refusals_are_told(judge_files, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_document_that_is_read_without_memory_is_not_taken_for_whole),
		cmocka_unit_test(test_a_plan_that_lacks_something_is_none),
		cmocka_unit_test(test_the_others_say_so_too),
	};
	int bad;

	load_document(full_document, &models[0]);
	load_document(rich_document, &models[1]);
	load_document(lab_document, &models[2]);
	load_document(six_document, &models[3]);
	load_document(alone_document, &models[4]);
	make_plan(&models[2], "w1", NULL, &shown);
	make_the_disk();
	bad = cmocka_run_group_tests(tests, NULL, NULL);
	plan_done(&shown);
	CASES (m, models) {
		model_done(m);
	}
	seed_done(&disk_seed);
	disk_done(&disk);
	return bad;
}
