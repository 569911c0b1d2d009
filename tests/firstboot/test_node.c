/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "cluster/decide.h"
#include "cluster/pki.h"
#include "cluster/seed.h"
#include "firstboot/etcd.h"
#include "firstboot/explain.h"
#include "firstboot/node.h"
#include "firstboot/probe.h"

/* From a seed in a folder to a plan, and from files to the facts that decide. */

#define HEAD                                                                                       \
	"apiVersion: rackseed/v1\n"                                                                \
	"cluster:\n"                                                                               \
	"  name: lab\n"                                                                            \
	"  kubernetes: {version: \"1.20\"}\n"                                                      \
	"  endpoint: master:6443\n"                                                                \
	"os: {distribution: debian, release: bookworm}\n"                                          \
	"network: {subnet: 192.168.10.0/24, gateway: 192.168.10.1}\n"                              \
	"admin: {user: ops, sshKeys: [\"ssh-ed25519 "                                              \
	"AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS ops\"]}\n"           \
	"nodes:\n"                                                                                 \
	"  master: {role: control-plane, address: 192.168.10.50, mac: \"52:54:00:00:00:32\"}\n"

static const char document[] =
	HEAD "  w1: {role: worker, address: 192.168.10.101, mac: \"52:54:00:00:00:65\"}\n";
static const char bad_document[] =
	HEAD "  w1: {role: worker, address: 192.168.10.50, mac: \"52:54:00:00:00:65\"}\n";

/* A tree with a seed of the node, below "seed", whose CA is in "secrets"; node looks at "root". */
struct lab {
	struct tree tree;
	struct node node;
	char seed_dir[96];
};

static void put_seed(struct lab *lab, const char *name, const char *yaml)
{
	static const char *const secrets[] = { "pki/ca.crt", "token" };
	struct seed seed = { 0 };
	struct fault why = { 0 };
	char path[128];
	size_t i;

	assert_int_equal(seed_add(&seed, "node", name, strlen(name), &why), 0);
	assert_int_equal(seed_add(&seed, "cluster.yaml", yaml, strlen(yaml), &why), 0);
	CASES (s, secrets) {
		struct text bytes = { 0 };

		snprintf(path, sizeof(path), "secrets/%s", *s);
		assert_int_equal(fs_read(lab->tree.fd, path, 1 << 20, &bytes, &why), 0);
		assert_int_equal(seed_add(&seed, path, text_str(&bytes), bytes.len, &why), 0);
		text_done(&bytes);
	}
	assert_int_equal(seed_seal(&seed, &why), 0);
	for (i = 0; i < seed.n; i++) {
		snprintf(path, sizeof(path), "seed/%s", seed.files[i].path);
		assert_true(fs_write(lab->tree.fd, path, 0600, seed.files[i].data,
				     seed.files[i].len, &why) >= 0);
	}
	seed_done(&seed);
}

static void make_ca(struct lab *lab, const char *folder)
{
	struct model m = { .name = (char *)(uintptr_t) "lab" };
	struct text report = { 0 };
	struct fault why = { 0 };
	int fd;

	assert_true(fs_mkdirs(lab->tree.fd, folder, 0700, &why) >= 0);
	fd = openat(lab->tree.fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pki_create(&m, fd, time(NULL), &report, &why) < 0)
		fail_msg("%s", why.text);
	text_done(&report);
	drop_fd(&fd);
}

static void lab_make(struct lab *lab, const char *name, const char *yaml)
{
	struct fault why = { 0 };

	*lab = (struct lab){ 0 };
	tree_make(&lab->tree);
	make_ca(lab, "secrets");
	put_seed(lab, name, yaml);
	assert_true(fs_mkdirs(lab->tree.fd, "root", 0755, &why) >= 0);
	snprintf(lab->seed_dir, sizeof(lab->seed_dir), "%s/seed", lab->tree.path);
	lab->node.seed_dir = lab->seed_dir;
	lab->node.root = openat(lab->tree.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void lab_done(struct lab *lab)
{
	node_done(&lab->node);
	drop_fd(&lab->node.root);
	tree_done(&lab->tree);
}

static void test_a_seed_becomes_a_plan(void **s)
{
	struct fault why = { 0 };
	struct text token = { 0 };
	struct lab lab;

	(void)s;
	lab_make(&lab, "w1\n", document);
	tree_put(&lab.tree, "root/usr/lib/rackseed/image.json",
		 "{\"kubernetes\":\"1.20.2\",\"containerd\":\"1.6.20~ds1\"}");
	if (node_load(&lab.node, &why) < 0)
		fail_msg("%s", why.text);
	assert_string_equal(lab.node.self->name, "w1");
	assert_int_equal(lab.node.facts.kubernetes.patch, 2);
	assert_int_equal(lab.node.facts.containerd_minor, 6);
	assert_true(lab.node.plan.n > 5);
	assert_non_null(node_secret(&lab.node, "pki/ca.crt"));
	assert_null(node_secret(&lab.node, "pki/ca.key"));
	assert_int_equal(node_token(&lab.node, &token, &why), 0);
	assert_int_equal(token.len, 23);
	assert_int_equal(node_load(&lab.node, &why), 0);
	text_done(&token);
	lab_done(&lab);
}

static void test_a_damaged_seed_is_refused(void **s)
{
	struct fault why = { 0 };
	struct lab lab;

	(void)s;
	lab_make(&lab, "w1\n", document);
	tree_put(&lab.tree, "seed/secrets/token", "abcdef.0123456789abcdef\n");
	assert_true(node_load(&lab.node, &why) < 0);
	assert_non_null(strstr(why.text, "the seed is damaged"));
	assert_false(lab.node.loaded);
	lab_done(&lab);
}

static const struct {
	const char *name, *yaml, *said;
} refused[] = {
	{ "w2\n", document, "no node 'w2'" },
	{ "w1\n", bad_document, "cluster.yaml:11:" },
	{ "w1\n", "nonsense", "cluster.yaml:" },
};

static void test_a_seed_that_makes_no_sense_is_refused(void **s)
{
	(void)s;
	CASES (c, refused) {
		struct fault why = { 0 };
		struct lab lab;

		lab_make(&lab, c->name, c->yaml);
		assert_true(node_load(&lab.node, &why) < 0);
		if (!strstr(why.text, c->said))
			fail_msg("'%s' does not say '%s'", why.text, c->said);
		lab_done(&lab);
	}
}

#define FLAGS "KUBELET_KUBEADM_ARGS=\"--network-plugin=cni\"\n"

/* A client certificate of the CA in folder, where kubelet keeps its own. */
static void put_kubelet(struct lab *lab, const char *folder)
{
	struct text crt = { 0 }, key = { 0 };
	struct fault why = { 0 };
	int fd = openat(lab->tree.fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(pki_admin(fd, time(NULL), &crt, &key, &why), 0);
	text_add(&crt, text_str(&key));
	tree_put(&lab->tree, "root/var/lib/kubelet/pki/kubelet-client-current.pem", text_str(&crt));
	tree_put(&lab->tree, "root/etc/kubernetes/kubelet.conf", "kind: Config\nusers: []\n");
	tree_put(&lab->tree, "root/var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\n");
	tree_put(&lab->tree, "root/var/lib/kubelet/kubeadm-flags.env", FLAGS);
	text_done(&crt);
	text_wipe(&key);
	drop_fd(&fd);
}

/* What bbolt finds good: magic, version and FNV-1a of the first meta page. */
static void put_database(struct lab *lab)
{
	unsigned char page[4096] = { 0 };
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	struct fault why = { 0 };
	int i;

	memcpy(page + 16, "\xed\xda\x0c\xed\x02\0\0\0\0\x10\0\0", 12);
	for (i = 16; i < 16 + 56; i++)
		sum = (sum ^ page[i]) * UINT64_C(0x100000001b3);
	for (i = 0; i < 8; i++)
		page[72 + i] = (unsigned char)(sum >> (8 * i));
	if (fs_write(lab->tree.fd, "root/var/lib/etcd/member/snap/db", 0600, (char *)page,
		     sizeof(page), &why) < 0)
		fail_msg("%s", why.text);
}

static void test_facts_of_an_empty_disk(void **s)
{
	struct decide_facts facts;
	struct fault why = { 0 };
	struct lab lab;

	(void)s;
	lab_make(&lab, "w1\n", document);
	assert_int_equal(node_load(&lab.node, &why), 0);
	assert_int_equal(probe_disk(&lab.node, &facts, &why), 0);
	assert_false(facts.control_plane || facts.first || facts.completed || facts.started);
	assert_false(facts.has_kubelet_conf || facts.has_etcd_data || facts.was_healthy);
	lab_done(&lab);
}

static void test_a_kubelet_counts_by_its_certificate(void **s)
{
	struct decide_facts facts;
	struct fault why = { 0 };
	struct lab lab;

	(void)s;
	lab_make(&lab, "w1\n", document);
	assert_int_equal(node_load(&lab.node, &why), 0);
	tree_put(&lab.tree, "root/etc/kubernetes/kubelet.conf", "kind: Config\nusers: []\n");
	assert_int_equal(probe_disk(&lab.node, &facts, &why), 0);
	assert_false(facts.has_kubelet_conf);
	put_kubelet(&lab, "secrets");
	assert_int_equal(probe_disk(&lab.node, &facts, &why), 0);
	assert_true(facts.has_kubelet_conf);
	make_ca(&lab, "other");
	put_kubelet(&lab, "other");
	assert_int_equal(probe_disk(&lab.node, &facts, &why), 0);
	assert_false(facts.has_kubelet_conf); /* somebody else's */
	assert_true(facts.foreign);
	put_kubelet(&lab, "secrets");
	tree_put(&lab.tree, "root/etc/kubernetes/kubelet.conf", "");
	assert_int_equal(probe_disk(&lab.node, &facts, &why), 0);
	assert_false(facts.has_kubelet_conf); /* emptied by a power cut */
	assert_false(facts.foreign || facts.expired);
	lab_done(&lab);
}

/* Each is what a power cut makes of a file that nobody synced. */
static void test_a_kubelet_needs_its_settings_whole(void **s)
{
	static const struct {
		const char *path, *content;
	} cases[] = {
		{ "root/etc/kubernetes/kubelet.conf", "" },
		{ "root/etc/kubernetes/kubelet.conf", "apiVersion: [v1\n" },
		{ "root/var/lib/kubelet/config.yaml", "" },
		{ "root/etc/kubernetes/kubelet.conf", "kind: Config\n" },
		{ "root/var/lib/kubelet/config.yaml", "kind: Kubelet" },
		{ "root/var/lib/kubelet/kubeadm-flags.env", "" },
		{ "root/var/lib/kubelet/kubeadm-flags.env", "KUBELET_KUBEADM_ARGS=\"--net" },
		{ "root/var/lib/kubelet/kubeadm-flags.env", "KUBELET_KUBEADM_ARGS=\"\n" },
	};
	struct decide_facts facts;
	struct fault why = { 0 };
	struct lab lab;

	(void)s;
	lab_make(&lab, "w1\n", document);
	assert_int_equal(node_load(&lab.node, &why), 0);
	CASES (c, cases) {
		put_kubelet(&lab, "secrets");
		assert_int_equal(probe_disk(&lab.node, &facts, &why), 0);
		assert_true(facts.has_kubelet_conf);
		tree_put(&lab.tree, c->path, c->content);
		assert_int_equal(probe_disk(&lab.node, &facts, &why), 0);
		assert_false(facts.has_kubelet_conf);
	}
	lab_done(&lab);
}

static void test_kubelet_starts_no_etcd_where_its_data_is_gone(void **s)
{
	struct lab lab;

	(void)s;
	lab_make(&lab, "master\n", document);
	assert_true(etcd_kubelet_may_start(lab.node.root)); /* before kubeadm wrote the manifest */
	tree_put(&lab.tree, "root/etc/kubernetes/manifests/etcd.yaml", "kind: Pod\n");
	assert_false(etcd_kubelet_may_start(lab.node.root));
	tree_put(&lab.tree, "root/var/lib/etcd/member/wal/0.wal", "log");
	assert_true(etcd_kubelet_may_start(lab.node.root));
	lab_done(&lab);
}

static enum etcd_data look(const struct lab *lab, const char *member)
{
	struct fault why = { 0 };
	enum etcd_data data;

	assert_int_equal(etcd_look(lab->node.root, member, &data, &why), 0);
	return data;
}

/* Its two meta pages begin each database; without a right one no etcd opens it. */
static void test_etcd_data_is_judged(void **s)
{
	struct lab lab;
	struct fault why = { 0 };

	(void)s;
	lab_make(&lab, "master\n", document);
	assert_int_equal(look(&lab, ETCD_DIR "/member"), ETCD_NONE);
	assert_int_equal(etcd_set_aside(lab.node.root, &why), FS_SAME);
	tree_put(&lab.tree, "root/var/lib/etcd/member/wal/0.wal", "log");
	assert_int_equal(look(&lab, ETCD_DIR "/member"), ETCD_DAMAGED);
	put_database(&lab);
	assert_int_equal(look(&lab, ETCD_DIR "/member"), ETCD_FIT);
	tree_put(&lab.tree, "root/var/lib/etcd/member/wal/0.wal", "");
	assert_int_equal(look(&lab, ETCD_DIR "/member"), ETCD_DAMAGED);
	assert_int_equal(etcd_set_aside(lab.node.root, &why), FS_CHANGED);
	assert_int_equal(look(&lab, ETCD_DIR "/member"), ETCD_NONE);
	assert_int_equal(look(&lab, ETCD_DIR "/damaged-1"), ETCD_DAMAGED);
	lab_done(&lab);
}

static void test_facts_of_a_control_plane(void **s)
{
	struct decide_facts facts;
	struct fault why = { 0 };
	struct lab lab;

	(void)s;
	lab_make(&lab, "master\n", document);
	tree_put(&lab.tree, "root/var/lib/etcd/member/wal/0.wal", "log");
	put_database(&lab);
	assert_int_equal(node_load(&lab.node, &why), 0);
	lab.node.state = (struct state){ .init_started = true, .healthy = true };
	assert_int_equal(probe_disk(&lab.node, &facts, &why), 0);
	assert_true(facts.control_plane && facts.first && facts.has_etcd_data && facts.started);
	assert_true(facts.was_healthy);
	assert_false(facts.completed);
	assert_int_equal(facts.peers, DECIDE_NO_PEERS);
	lab_done(&lab);
}

/* A failed read is no fact: a cluster once began anew over one. */
static void test_a_disk_that_does_not_answer_decides_nothing(void **s)
{
	enum etcd_data data;
	struct decide_facts facts;
	struct fault why = { 0 };
	struct lab lab;
	int root;

	(void)s;
	lab_make(&lab, "master\n", document);
	assert_int_equal(node_load(&lab.node, &why), 0);
	root = lab.node.root;
	lab.node.root = -1;
	assert_int_equal(probe_disk(&lab.node, &facts, &why), -EBADF);
	assert_int_equal(etcd_look(-1, ETCD_DIR "/member", &data, &why), -EBADF);
	lab.node.root = root;
	lab_done(&lab);
}

static void test_explain_says_what_and_why_and_touches_nothing(void **s)
{
	struct text out = { 0 };
	struct fault why = { 0 };
	struct stat st;
	struct lab lab;

	(void)s;
	lab_make(&lab, "master\n", document);
	assert_int_equal(explain(&lab.node, &out, &why), 0);
	assert_golden("firstboot/explain", text_str(&out));
	assert_true(fstatat(lab.tree.fd, "root/etc", &st, 0) < 0);
	assert_true(fstatat(lab.tree.fd, "root/var", &st, 0) < 0);
	text_done(&out);
	lab_done(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_seed_becomes_a_plan),
		cmocka_unit_test(test_a_damaged_seed_is_refused),
		cmocka_unit_test(test_a_seed_that_makes_no_sense_is_refused),
		cmocka_unit_test(test_facts_of_an_empty_disk),
		cmocka_unit_test(test_a_kubelet_counts_by_its_certificate),
		cmocka_unit_test(test_a_kubelet_needs_its_settings_whole),
		cmocka_unit_test(test_kubelet_starts_no_etcd_where_its_data_is_gone),
		cmocka_unit_test(test_etcd_data_is_judged),
		cmocka_unit_test(test_facts_of_a_control_plane),
		cmocka_unit_test(test_a_disk_that_does_not_answer_decides_nothing),
		cmocka_unit_test(test_explain_says_what_and_why_and_touches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
