/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_audit.h"

#include "cluster/audit_parts.h"

/*
 * A good control plane passes every rule; then each rule of the tables is broken in its turn, and
 * is seen to fail. The manifests are those that kubeadm 1.20.2 wrote for a plan of ours.
 */

#define MANIFESTS "/etc/kubernetes/manifests/"
#define KUBELET "/var/lib/kubelet/config.yaml"
#define SSHD "/etc/ssh/sshd_config.d/50-rackseed.conf"
#define SYSCTL "/usr/lib/sysctl.d/60-rackseed.conf"

static const char document[] =
	"apiVersion: rackseed/v1\n"
	"cluster: {name: lab, kubernetes: {version: \"1.20.2\"}, endpoint: 192.168.10.50}\n"
	"os: {distribution: debian, release: bookworm}\n"
	"network: {subnet: 192.168.10.0/24}\n"
	"nodes:\n"
	"  cp1: {role: control-plane, address: 192.168.10.50, mac: \"52:54:00:00:00:32\"}\n"
	"  w1: {role: worker, address: 192.168.10.51, mac: \"52:54:00:00:00:33\"}\n";

static const char dpkg[] = "Package: kubeadm\nStatus: hold ok installed\nVersion: 1.20.2-1.1\n\n"
			   "Package: kubelet\nStatus: hold ok installed\nVersion: 1.20.2-1.1\n\n"
			   "Package: kubectl\nStatus: hold ok installed\nVersion: 1.20.2-1.1\n\n"
			   "Package: containerd\nStatus: hold ok installed\nVersion: 1.6.20\n\n"
			   "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
			   "Package: unattended-upgrades\nStatus: install ok installed\n"
			   "Priority: optional\nVersion: 2.9.1\n";

struct lab {
	struct disk disk;
	struct seed seed;
	struct audit audit;
};

/* Files of every node: path, mode, content. */
static const struct {
	const char *path;
	mode_t mode;
	const char *content;
} files[] = {
	{ "/etc/passwd", 0644, "root:x:0:0:root:/root:/bin/bash\netcd:x:998:997::/:/bin/false\n" },
	{ "/etc/group", 0644, "root:x:0:\netcd:x:997:\n" },
	{ "/etc/shadow", 0640, "root:*:20454:0:99999:7:::\netcd:!*:20454::::::\nops:!:1::::::\n" },
	{ "/etc/gshadow", 0640, "root:*::\n" },
	{ "/etc/fstab", 0644, "# swap is not here\nUUID=1 / ext4 defaults 0 1\n" },
	{ "/etc/cni/net.d/10-rackseed.conflist", 0600, "{}" },
	{ "/etc/kubernetes/pki/ca.crt", 0600, "x" },
	{ "/etc/kubernetes/kubelet.conf", 0600, "x" },
	{ "/usr/lib/systemd/system/kubelet.service", 0600, "x" },
	{ "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", 0600, "x" },
	{ "/var/lib/dpkg/status", 0644, dpkg },
	{ "/usr/bin/sudo", 04755, "" },
	{ "/tmp", S_IFDIR | 01777, "" },
	{ "/srv/share/everybodys", 0666, "" },
	{ "/etc/systemd/system/multi-user.target.wants/ssh.service", S_IFLNK | 0777, "x" },
	{ "/etc/systemd/system/sockets.target.wants/dbus.socket", S_IFLNK | 0777, "x" },
	{ "/usr/lib/systemd/system/dbus.socket", 0644, "[Socket]\nListenStream=/run/dbus\n" },
	{ "/etc/systemd/system/nftables.service", S_IFLNK | 0777, "/dev/null" },
	{ "/etc/systemd/system/multi-user.target.wants/nmbd.service", S_IFLNK | 0777, "x" },
	{ "/etc/systemd/system/nmbd.service", S_IFLNK | 0777, "/dev/null" },
	{ "/etc/ssh/sshd_config", 0600, "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n" },
	{ SSHD, 0644,
	  "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin no\n"
	  "PermitEmptyPasswords no\n" },
	{ SYSCTL, 0644,
	  "kernel.core_pattern = |/bin/false\nfs.suid_dumpable = 0\nkernel.dmesg_restrict=1\n"
	  "kernel.kptr_restrict = 1\nkernel.unprivileged_bpf_disabled = 2\n"
	  "net.ipv4.conf.all.accept_redirects = 0\nnet.ipv4.conf.all.accept_source_route = 0\n"
	  "net.ipv4.tcp_syncookies = 1\n" },
	{ "/etc/rackseed/firewall.nft", 0644,
	  "chain input {\ntype filter hook input priority 0; policy drop;\n}\n" },
	{ "/etc/apt/apt.conf.d/60-rackseed", 0644, "APT::Periodic::Unattended-Upgrade \"1\";\n" },
};

static const char *const control_files[] = {
	"/etc/kubernetes/admin.conf",
	"/etc/kubernetes/scheduler.conf",
	"/etc/kubernetes/controller-manager.conf",
	"/etc/kubernetes/pki/ca.key",
	"/etc/kubernetes/pki/sa.key",
	"/etc/kubernetes/pki/etcd/ca.crt",
	"/etc/kubernetes/pki/etcd/ca.key",
};

static void put_seed(struct lab *lab, const char *node)
{
	static const char *const secrets[] = { "pki/ca.crt", "token", "pki/ca.key", "pki/sa.key" };
	size_t n = strcmp(node, "cp1") == 0 ? 4 : 2, i;
	struct fault why = { 0 };
	char path[64];

	assert_int_equal(seed_add(&lab->seed, "node", node, strlen(node), &why), 0);
	assert_int_equal(seed_add(&lab->seed, "cluster.yaml", document, strlen(document), &why), 0);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "secrets/%s", secrets[i]);
		assert_int_equal(seed_add(&lab->seed, path, "x", 1, &why), 0);
	}
}

static void lab_make(struct lab *lab, const char *node)
{
	static const char *const manifests[] = { "kube-apiserver", "kube-controller-manager",
						 "kube-scheduler", "etcd" };
	char path[128], golden[64];

	*lab = (struct lab){ 0 };
	put_seed(lab, node);
	CASES (f, files) {
		disk_put(&lab->disk, f->path, f->mode, f->content);
	}
	disk_put_golden(&lab->disk, KUBELET, 0600, "kubelet.yaml");
	if (strcmp(node, "cp1") != 0)
		return;
	CASES (f, control_files) {
		disk_put(&lab->disk, *f, 0600, "x");
	}
	disk_put(&lab->disk, "/var/lib/etcd", S_IFDIR | 0700, "");
	disk_find(&lab->disk, "/var/lib/etcd")->st.uid = 998;
	disk_find(&lab->disk, "/var/lib/etcd")->st.gid = 997;
	CASES (m, manifests) {
		snprintf(path, sizeof(path), MANIFESTS "%s.yaml", *m);
		snprintf(golden, sizeof(golden), "%s.yaml", *m);
		disk_put_golden(&lab->disk, path, 0600, golden);
	}
}

static void lab_done(struct lab *lab)
{
	audit_done(&lab->audit);
	seed_done(&lab->seed);
	disk_done(&lab->disk);
}

static const struct audit_result *result_of(const struct audit *a, const struct audit_row *row)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (strcmp(a->results[i].number, row->number) == 0 &&
		    strcmp(a->results[i].title, row->title) == 0)
			return &a->results[i];
	return NULL;
}

static void test_a_good_node_passes_everything(void **state)
{
	static const char *const nodes[] = { "cp1", "w1" };

	(void)state;
	CASES (node, nodes) {
		struct text shown = { 0 };
		struct lab lab;
		char golden[64];

		lab_make(&lab, *node);
		judge_disk(&lab.disk, &lab.seed, &lab.audit);
		audit_print(&lab.audit, "out/node.raw", &shown);
		if (lab.audit.counts[AUDIT_FAIL] || lab.audit.counts[AUDIT_LATER])
			fail_msg("%s", text_str(&shown));
		snprintf(golden, sizeof(golden), "audit/%s.txt", *node);
		assert_golden(golden, text_str(&shown));
		text_done(&shown);
		lab_done(&lab);
	}
}

/* ---- breaking ---- */

static void first_path(const struct audit_row *row, struct lab *lab, char *ret, size_t size)
{
	size_t n = strcspn(row->where, " "), i;
	const char *star = strstr(row->where, "/*");

	snprintf(ret, size, "%.*s", (int)n, row->where);
	if (!star || star > row->where + n)
		return;
	n = (size_t)(star - row->where);
	for (i = 0; i < lab->disk.n; i++) {
		const char *path = lab->disk.files[i].path;
		const char *end = star + 2;
		size_t m = strcspn(end, " ");

		if (strncmp(path, row->where, n) == 0 && path[n] == '/' && strlen(path) > m &&
		    strncmp(path + strlen(path) - m, end, m) == 0) {
			snprintf(ret, size, "%s", path);
			return;
		}
	}
}

/* The flag with this value in the manifest, or without it for NULL. */
static void set_flag(struct disk *d, const struct audit_row *row, const char *value)
{
	char path[128], line[384], with[256] = "    - --zz-nothing=1\n";
	struct disk_file *f;
	const char *at;

	snprintf(path, sizeof(path), MANIFESTS "%s.yaml", row->where);
	if (value)
		snprintf(with, sizeof(with), "    - --%s=%s\n", row->key, value);
	f = disk_find(d, path);
	assert_non_null(f);
	snprintf(line, sizeof(line), "    - --%s=", row->key);
	at = strstr(f->content, line);
	if (at) {
		char whole[1024];

		snprintf(whole, sizeof(whole), "%.*s", (int)strcspn(at, "\n") + 1, at);
		disk_edit(d, path, whole, with);
	} else {
		char first[64];

		snprintf(first, sizeof(first), "    - %s\n", row->where);
		snprintf(line, sizeof(line), "%.40s%s", first, with);
		disk_edit(d, path, first, line);
	}
}

static void break_flag(struct lab *lab, const struct audit_row *row)
{
	switch (row->demand) {
	case AUDIT_IS_SET:
		set_flag(&lab->disk, row, NULL);
		break;
	case AUDIT_IS_UNSET:
		set_flag(&lab->disk, row, "/some/file");
		break;
	case AUDIT_AT_LEAST:
		set_flag(&lab->disk, row, "1");
		break;
	case AUDIT_IS:
	case AUDIT_HAS:
		set_flag(&lab->disk, row, "another");
		break;
	case AUDIT_IS_NOT:
	case AUDIT_HAS_NOT:
		set_flag(&lab->disk, row, row->value);
		break;
	}
}

static const struct {
	const char *number, *path, *from, *with;
} edits[] = {
	{ "4.2.1", KUBELET, "enabled: false", "enabled: true" },
	{ "4.2.2", KUBELET, "mode: Webhook", "mode: AlwaysAllow" },
	{ "4.2.3", KUBELET, "clientCAFile:", "other:" },
	{ "4.2.4", KUBELET, "kind:", "readOnlyPort: 10255\nkind:" },
	{ "4.2.5", KUBELET, "streamingConnectionIdleTimeout: 1h0m0s",
	  "streamingConnectionIdleTimeout: 0s" },
	{ "4.2.6", KUBELET, "makeIPTablesUtilChains: true", "makeIPTablesUtilChains: false" },
	{ "4.2.8", KUBELET, "eventRecordQPS: 5", "eventRecordQPS: 0" },
	{ "4.2.9", KUBELET, "tlsCertFile:", "other:" },
	{ "4.2.10", KUBELET, "rotateCertificates: true", "rotateCertificates: false" },
	{ "4.2.12", KUBELET, "tlsCipherSuites:", "other:" },
	{ "4.2.13", KUBELET, "podPidsLimit: 4096", "podPidsLimit: -1" },
	{ "R.1", "/etc/fstab", "UUID=1", "UUID=2 none swap sw 0 0\nUUID=1" },
	{ "R.4", "/etc/shadow", "ops:!:", "ops::" },
	{ "R.5", "/etc/passwd", "etcd:", "toor:x:0:0::/:/bin/sh\netcd:" },
	{ "R.10", "/usr/lib/systemd/system/dbus.socket", "ListenStream=/run/dbus",
	  "ListenStream=0.0.0.0:99" },
	{ "R.11", SSHD, "PasswordAuthentication no", "PasswordAuthentication yes" },
	{ "R.12", SSHD, "KbdInteractiveAuthentication no\n", "" },
	{ "R.13", SSHD, "PermitRootLogin no", "Match User x\nPermitRootLogin no" },
	{ "R.14", SSHD, "PermitEmptyPasswords no", "PermitEmptyPasswords yes" },
	{ "R.15", "/etc/rackseed/firewall.nft", "policy drop", "policy accept" },
	{ "R.16", "/etc/systemd/system/nftables.service", "/dev/null", "/usr/lib/x" },
	{ "R.17", SYSCTL, "|/bin/false", "/var/core" },
	{ "R.18", SYSCTL, "suid_dumpable = 0", "suid_dumpable = 2" },
	{ "R.19", SYSCTL, "dmesg_restrict=1", "dmesg_restrict=0" },
	{ "R.20", SYSCTL, "kptr_restrict = 1", "kptr_restrict = 0" },
	{ "R.21", SYSCTL, "kernel.unprivileged_bpf_disabled = 2\n", "" },
	{ "R.22", SYSCTL, "accept_redirects = 0", "accept_redirects = 1" },
	{ "R.23", SYSCTL, "accept_source_route = 0", "accept_source_route = 1" },
	{ "R.24", SYSCTL, "syncookies = 1", "syncookies = 0" },
	{ "R.25", "/etc/apt/apt.conf.d/60-rackseed", "\"1\"", "\"0\"" },
	{ "R.26", "/var/lib/dpkg/status", "upgrades\nStatus: install ok",
	  "upgrades\nStatus: deinstall ok" },
	{ "R.27", "/var/lib/dpkg/status", "hold ok", "install ok" },
};

static bool break_by_edit(struct lab *lab, const struct audit_row *row)
{
	CASES (e, edits) {
		if (strcmp(e->number, row->number) != 0)
			continue;
		disk_edit(&lab->disk, e->path, e->from, e->with);
		return true;
	}
	return false;
}

static void break_row(struct lab *lab, const struct audit_row *row)
{
	struct fault why = { 0 };
	char path[256];

	if (row->check == audit_mode || row->check == audit_owner) {
		first_path(row, lab, path, sizeof(path));
		assert_non_null(disk_find(&lab->disk, path));
		if (row->check == audit_mode)
			disk_find(&lab->disk, path)->st.mode |= 0044 | (row->mode & 0040) >> 1;
		else
			disk_find(&lab->disk, path)->st.uid = 1000;
	} else if (row->check == audit_flag) {
		break_flag(lab, row);
	} else if (row->check == audit_seed_secrets) {
		assert_int_equal(seed_add(&lab->seed, "secrets/admin.key", "x", 1, &why), 0);
	} else if (row->check == audit_no_foreign_keys) {
		disk_put(&lab->disk, "/etc/kubernetes/pki/sa.key", 0600, "x");
	} else if (row->check == audit_writable) {
		disk_put(&lab->disk, "/etc/cron.d/job", 0666, "");
	} else if (row->check == audit_setuid) {
		disk_put(&lab->disk, "/usr/local/bin/shell", 04755, "");
	} else if (!break_by_edit(lab, row)) {
		fail_msg("no test breaks %s", row->number);
	}
}

static void break_table(const struct audit_row *rows)
{
	const struct audit_row *row;

	for (row = rows; row->number; row++) {
		/* The keys of a cluster are right on a control plane. */
		bool worker = row->check == audit_no_foreign_keys;
		const struct audit_result *r;
		struct lab lab;

		lab_make(&lab, worker ? "w1" : "cp1");
		break_row(&lab, row);
		judge_disk(&lab.disk, &lab.seed, &lab.audit);
		r = result_of(&lab.audit, row);
		assert_non_null(r);
		if (r->outcome != AUDIT_FAIL)
			fail_msg("%s %s was broken and says: %s", row->number, row->title, r->seen);
		assert_true(r->seen[0]);
		/* Three rules at most judge one file or flag; all others are content. */
		assert_in_range(lab.audit.counts[AUDIT_FAIL], 1, 3);
		lab_done(&lab);
	}
}

static void test_each_rule_is_seen_to_fail(void **state)
{
	(void)state;
	break_table(audit_rows_control);
	break_table(audit_rows_node);
	break_table(audit_rows_own);
}

static void test_what_comes_with_the_first_boot_is_no_failure(void **state)
{
	static const char *const unborn[] = { KUBELET, "/etc/kubernetes/kubelet.conf",
					      "/etc/rackseed/firewall.nft",
					      MANIFESTS "kube-apiserver.yaml" };
	struct lab lab;

	(void)state;
	lab_make(&lab, "cp1");
	CASES (path, unborn) {
		disk_remove(&lab.disk, *path);
	}
	judge_disk(&lab.disk, &lab.seed, &lab.audit);
	assert_int_equal(lab.audit.counts[AUDIT_FAIL], 0);
	assert_true(lab.audit.counts[AUDIT_LATER] > 30);
	lab_done(&lab);
}

static void test_what_cannot_be_read_is_a_failure(void **state)
{
	struct text shown = { 0 };
	struct lab lab;

	(void)state;
	lab_make(&lab, "cp1");
	disk_put(&lab.disk, MANIFESTS "etcd.yaml", 0600, "spec: {containers: [{command: 1}]}");
	disk_put(&lab.disk, KUBELET, 0600, "a: [");
	judge_disk(&lab.disk, &lab.seed, &lab.audit);
	audit_print(&lab.audit, "x", &shown);
	assert_non_null(strstr(text_str(&shown), "fail  2.2 "));
	assert_non_null(strstr(text_str(&shown), "fail  4.2.1 "));
	text_done(&shown);
	lab_done(&lab);
}

static void test_a_tree_without_a_seed_shows_its_roles(void **state)
{
	struct lab lab;

	(void)state;
	lab_make(&lab, "cp1");
	judge_disk(&lab.disk, NULL, &lab.audit);
	assert_non_null(result_of(&lab.audit, &audit_rows_control[0]));
	assert_int_equal(lab.audit.counts[AUDIT_LATER], 1);
	lab_done(&lab);
}

static void test_results_for_programs(void **state)
{
	struct text json = { 0 }, junit = { 0 };
	struct lab lab;

	(void)state;
	lab_make(&lab, "w1");
	disk_put(&lab.disk, "/usr/local/bin/<&\">", 04755, "");
	disk_remove(&lab.disk, "/etc/rackseed/firewall.nft");
	judge_disk(&lab.disk, &lab.seed, &lab.audit);
	audit_json(&lab.audit, "out/w1.raw", &json);
	audit_junit(&lab.audit, "out/w1.raw", &junit);
	assert_golden("audit/w1.json", text_str(&json));
	assert_golden("audit/w1.xml", text_str(&junit));
	text_done(&json);
	text_done(&junit);
	lab_done(&lab);
}

/* What one machine wrote says the same on another. */
static void test_results_are_read_back(void **state)
{
	struct text json = { 0 }, again = { 0 }, people = { 0 };
	struct audit audit = { 0 };
	struct fault why = { 0 };
	struct lab lab;

	(void)state;
	lab_make(&lab, "w1");
	disk_put(&lab.disk, "/usr/local/bin/<&\">", 04755, "");
	judge_disk(&lab.disk, &lab.seed, &lab.audit);
	lab.audit.judged = 1764252300;
	audit_json(&lab.audit, "w1", &json);
	assert_int_equal(audit_parse(text_str(&json), json.len, &audit, &why), 0);
	audit_json(&audit, "w1", &again);
	assert_string_equal(text_str(&again), text_str(&json));
	audit_print(&audit, "w1", &people);
	assert_non_null(strstr(text_str(&people), "w1: node w1 (worker), judged 2025-11-27 "
						  "14:05:00 UTC\n"));
	audit_done(&audit);
	text_done(&json);
	text_done(&again);
	text_done(&people);
	lab_done(&lab);
}

static void test_what_is_no_result_is_refused(void **state)
{
	static const char *const cases[] = {
		"", "{", "[]", "{\"results\": []}", "{\"results\": [{\"outcome\": \"well\"}]}",
		"{\"results\": [3]}", "{\"results\": {}, \"setuid\": 1}",
	};

	(void)state;
	CASES (c, cases) {
		struct audit audit = { 0 };
		struct fault why = { 0 };

		assert_int_equal(audit_parse(*c, strlen(*c), &audit, &why), -EBADMSG);
		assert_null(audit.results);
	}
}

static void test_what_is_told_is_safe_for_a_terminal(void **state)
{
	static const char json[] =
		"{\"node\": \"w\\u001b1\", \"packages\": [\"a\\nb\", \"a\\u009bb\"], "
		"\"results\": [{\"number\": \"R.1\\u001b\", \"outcome\": \"pass\"}]}";
	struct audit audit = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(audit_parse(json, strlen(json), &audit, &why), 0);
	assert_string_equal(audit.node, "w?1");
	assert_string_equal(audit.packages[0], "a b");
	assert_string_equal(audit.packages[1], "a?b");
	assert_string_equal(audit.results[0].number, "R.1?");
	assert_string_equal(audit.results[0].title, "");
	assert_int_equal(audit.counts[AUDIT_PASS], 1);
	audit_done(&audit);
}

/* Two letters of an escape stand for three bytes: what is told is longer than the telling. */
static void test_texts_may_grow_as_they_are_read(void **state)
{
	enum { MANY = 400 };
	struct audit audit = { 0 };
	struct fault why = { 0 };
	struct text json = { 0 };
	size_t i;

	(void)state;
	text_add(&json, "{\"results\": [{\"outcome\": \"pass\", \"number\": \"");
	for (i = 0; i < MANY; i++)
		text_add(&json, "\\L");
	text_add(&json, "\", \"title\": \"last\"}]}");
	assert_int_equal(audit_parse(text_str(&json), json.len, &audit, &why), 0);
	assert_int_equal(strlen(audit.results[0].number), 3 * MANY);
	assert_string_equal(audit.results[0].title, "last");
	audit_done(&audit);
	text_done(&json);
}

static void test_a_folder_that_is_no_root_is_refused(void **state)
{
	struct disk empty = { .n = 0 };
	const struct audit_tree tree = { .stat = disk_stat,
					 .read = disk_read,
					 .link = disk_link,
					 .list = disk_list,
					 .data = &empty };
	struct audit audit = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(audit_judge(&tree, NULL, &audit, &why), -ENOENT);
	assert_non_null(strstr(why.text, "/etc/passwd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_node_passes_everything),
		cmocka_unit_test(test_each_rule_is_seen_to_fail),
		cmocka_unit_test(test_what_comes_with_the_first_boot_is_no_failure),
		cmocka_unit_test(test_what_cannot_be_read_is_a_failure),
		cmocka_unit_test(test_a_tree_without_a_seed_shows_its_roles),
		cmocka_unit_test(test_results_for_programs),
		cmocka_unit_test(test_results_are_read_back),
		cmocka_unit_test(test_what_is_no_result_is_refused),
		cmocka_unit_test(test_what_is_told_is_safe_for_a_terminal),
		cmocka_unit_test(test_texts_may_grow_as_they_are_read),
		cmocka_unit_test(test_a_folder_that_is_no_root_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
