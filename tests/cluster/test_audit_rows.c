/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_audit.h"

#include "base/macros.h"

/* What rules see in the odd forms that files have: a disk of those files alone, without a seed. */

#define UNITS "/usr/lib/systemd/system/"
#define WANTS "/etc/systemd/system/sockets.target.wants/"
#define MULTI "/etc/systemd/system/multi-user.target.wants/"
#define JOINED                                                                                     \
	{                                                                                          \
		"/etc/kubernetes/kubelet.conf", 0600, "x"                                          \
	}
#define API "/etc/kubernetes/manifests/kube-apiserver.yaml"

enum { FILES = 4 };

struct row {
	struct {
		const char *path;
		mode_t mode; /* 0: 0644 */
		const char *content;
	} files[FILES];
	const char *has, *lacks; /* of what is printed */
};

/* Longer than what cmocka prints. */
#define told(...)                                                                                  \
	do {                                                                                       \
		fprintf(stderr, __VA_ARGS__);                                                      \
		fail();                                                                            \
	} while (0)

static void see_rows(const struct row *rows, size_t n)
{
	const struct row *r;

	for (r = rows; r < rows + n; r++) {
		struct disk disk = { 0 };
		struct audit a = { 0 };
		struct text out = { 0 };
		size_t i;

		disk_put(&disk, "/etc/passwd", 0644, "root:x:0:0::/root:/bin/sh\n");
		for (i = 0; i < FILES && r->files[i].path; i++)
			disk_put(&disk, r->files[i].path,
				 r->files[i].mode ? r->files[i].mode : 0644,
				 r->files[i].content ? r->files[i].content : "");
		judge_disk(&disk, NULL, &a);
		audit_print(&a, "x", &out);
		if (r->has && !strstr(text_str(&out), r->has))
			told("row %td: no '%s' in\n%s", r - rows, r->has, text_str(&out));
		if (r->lacks && strstr(text_str(&out), r->lacks))
			told("row %td: '%s' in\n%s", r - rows, r->lacks, text_str(&out));
		text_done(&out);
		audit_done(&a);
		disk_done(&disk);
	}
}

static void test_swap_and_accounts(void **state)
{
	static const struct row rows[] = {
		{ { JOINED, { "/etc/fstab", 0, "/a none swap sw 0 0\n/b\tnone\tswap sw\n" } },
		  .has = "/etc/fstab: /a none swap sw 0 0; /etc/fstab: /b" },
		{ { JOINED,
		    { "/etc/fstab", 0, "a b\n  \n # x y swap\n/ / ext4\n/x y swapx\na b \nx" } },
		  .lacks = "/etc/fstab:" },
		{ { JOINED, { "/swap.img", 0, "" }, { "/swapfile", 0, "" } },
		  .has = "/swap.img is there; /swapfile is there" },
		{ { { "/etc/shadow", 0640, "a::1:\nb:x:1\n:y:\nnone\nc:!:\nd:*\n" } },
		  .has = "a needs no password; b has a password; none has a password\n" },
		{ { { "/etc/passwd", 0,
		      "root:x:0:0\ntoor:x:0:0\nfoot:x:00:0\nuser:x::0\nx:y\nbin0:x:1:1\n"
		      "admin:x:0:0\n" } },
		  .has = "toor is root too; foot is root too; admin is root too\n" },
	};

	(void)state;
	see_rows(rows, COUNT(rows));
}

static void test_modes_and_owners(void **state)
{
#define CNI "/etc/cni/net.d/"
#define ETCD                                                                                       \
	{ API, 0600, "" },                                                                         \
	{                                                                                          \
		"/var/lib/etcd", S_IFDIR | 0700, ""                                                \
	}
	static const struct row rows[] = {
		{ { { "/etc/a", 0666, "" }, { "/a", S_IFDIR | 0777, "" }, { "/etc/b", 0666, "" } },
		  .has = "/etc/a; " },
		{ { { "/a", S_IFDIR | 01777, "" }, { "/odd", S_IFCHR | 0666, "" } },
		  .lacks = "/odd" },
		{ { { "/opt/sudo", 04755, "" }, { "/usr/bin/odd", 02755, "" } },
		  .has = "/opt/sudo; /usr/bin/odd" },
		{ { { "/usr/bin/odd", 04644, "" } }, .lacks = "/usr/bin/odd" },
		{ { { "/usr/bin/odd", S_IFLNK | 06777, "" } }, .lacks = "/usr/bin/odd" },
		{ { { "/usr/bin/sudo", 04755, "" } }, .lacks = "/usr/bin/sudo" },
		{ { { CNI "a.conf", 0666, "" }, { CNI "b.conf", 0666, "" }, { API, 0600, "" } },
		  .has = CNI "a.conf has mode 0666; " CNI "b.conf has mode 0666" },
		{ { JOINED, { "/etc/systemd/system/x.swap", S_IFDIR | 0755, "" } },
		  .lacks = "x.swap is there" },
		{ { ETCD,
		    { "/etc/passwd", 0, "etcd:x:0:0\n" },
		    { "/etc/group", 0, "etcdx:x:0\netcd:x:0:\n" } },
		  .lacks = "/var/lib/etcd belongs to" },
		{ { ETCD,
		    { "/etc/passwd", 0, "etcd:x:0:0\n" },
		    { "/etc/group", 0, "etcd:x:7:\n" } },
		  .has = "/var/lib/etcd belongs to 0:0, not to etcd:etcd" },
		{ { ETCD,
		    { "/etc/passwd", 0, "etcd:x:5:0\n" },
		    { "/etc/group", 0, "etcd:x:0:\n" } },
		  .has = "/var/lib/etcd belongs to" },
		{ { ETCD,
		    { "/etc/passwd", 0, "etcd:x:a:0\n" },
		    { "/etc/group", 0, "etcd:x:0:\n" } },
		  .has = "/var/lib/etcd belongs to" },
		{ { ETCD,
		    { "/etc/passwd", 0, "etcd:x:/:0\n" },
		    { "/etc/group", 0, "etcd:x:0:\n" } },
		  .has = "/var/lib/etcd belongs to" },
		{ { ETCD, { "/etc/passwd", 0, "etcd:x:0:0\n" }, { "/etc/group", 0, "etcd:x" } },
		  .has = "/var/lib/etcd belongs to" },
	};
#undef CNI
#undef ETCD

	(void)state;
	see_rows(rows, COUNT(rows));
}

static void test_units(void **state)
{
#define SOCKET(listen)                                                                             \
	{                                                                                          \
		{ WANTS "a.socket", S_IFLNK | 0777, "x" },                                         \
		{                                                                                  \
			UNITS "a.socket", 0, listen                                                \
		}                                                                                  \
	}
	static const struct row rows[] = {
		{ SOCKET("[Socket]\nFoo=1\nnothing\nListenStream=22\n"),
		  .has = "a.socket is enabled" },
		{ SOCKET("ListenStream= [::]:22\nListenStream=/x\n"),
		  .has = "a.socket is enabled" },
		{ SOCKET("ListenStream=/run/x\nListenStream=@x\nFoo=1\n"),
		  .lacks = "a.socket is enabled" },
		{ SOCKET("Foo=1\n"), .lacks = "a.socket is enabled" },
		{ { { WANTS "ssh.socket", S_IFLNK | 0777, "x" },
		    { UNITS "ssh.socket", 0, "ListenStream=22\n" } },
		  .lacks = "ssh.socket is enabled" },
		{ { { MULTI "nmbd.service", S_IFLNK | 0777, "x" },
		    { WANTS "nmbd.service", S_IFLNK | 0777, "x" },
		    { MULTI "rpcbind.service", S_IFLNK | 0777, "x" },
		    { "/etc/systemd/system/rpcbind.service", S_IFLNK | 0777, "/lib/x" } },
		  .has = "nmbd.service is enabled; rpcbind.service is enabled" },
		{ { { MULTI "nmbx.service", S_IFLNK | 0777, "x" } }, .lacks = "is enabled" },
	};
#undef SOCKET

	(void)state;
	see_rows(rows, COUNT(rows));
}

static void test_settings(void **state)
{
#define KPTR "kernel.kptr_restrict"
	static const struct row rows[] = {
		{ { { "/etc/sysctl.d/a.conf", 0, KPTR " = 1 \t\r\n" } }, .lacks = KPTR " is 0" },
		{ { { "/etc/sysctl.d/a.conf", 0, KPTR "=1\n" },
		    { "/usr/lib/sysctl.d/a.conf", 0, KPTR "=0\n" } },
		  .lacks = KPTR " is 0" },
		{ { { "/etc/sysctl.d/a.conf", 0, KPTR "=1\n" },
		    { "/usr/lib/sysctl.d/b.conf", 0, KPTR "=0\n" } },
		  .lacks = KPTR "=1" },
		{ { { "/etc/sysctl.d/a.conf", 0, KPTR "s=1\n" KPTR "=\n" KPTR "= \n" KPTR } },
		  .lacks = KPTR "s" },
		{ { { "/etc/ssh/sshd_config.d/a.conf", 0, "Match all\nPermitRootLogin no\n" },
		    { "/etc/ssh/sshd_config.d/b.conf", 0, "PermitRootLogin yes\n" },
		    { "/etc/ssh/sshd_config", 0, "PermitRootLogin no\n" } },
		  .has = "yes" },
		{ { { "/var/lib/dpkg/status", 0,
		      "Old-Package: kubelet\nPackage: x\nStatus: hold ok installed\n\n"
		      "Package: kubelet\nStatus: hold ok installed\nVersion: 7\n" } },
		  .lacks = "kubelet is not held" },
	};
#undef KPTR

	(void)state;
	see_rows(rows, COUNT(rows));
}

static void test_manifests(void **state)
{
#define PROFILING "profiling"
#define POD(command)                                                                               \
	{                                                                                          \
		{                                                                                  \
			API, 0600, "spec: {containers: [{command: " command "}]}\n"                \
		}                                                                                  \
	}
	static const struct row rows[] = {
		{ { { API, 0600, "spec: {}\n" } }, .has = "kube-apiserver" },
		{ { { API, 0600, "spec: {containers: x}\n" } }, .has = "kube-apiserver" },
		{ { { API, 0600, "spec: {containers: []}\n" } }, .has = "kube-apiserver" },
		{ POD("[x, [y], -z, --" PROFILING "]"), .has = "true" },
		{ POD("[--" PROFILING "=false, --" PROFILING "=maybe]"), .has = "maybe" },
		{ POD("[--" PROFILING "x=maybe]"), .lacks = "maybe" },
		{ POD("[\"--authorization-mode=NodeX,RBAC\"]"), .has = "NodeX,RBAC" },
	};
#undef POD
#undef PROFILING

	(void)state;
	see_rows(rows, COUNT(rows));
}

static void test_an_audit_of_nothing_is_json_and_xml(void **state)
{
	char none[] = "", words[] = "a\x7f<\x01>&\"b";
	struct audit_result result = { .number = "1", .title = "t", .seen = words };
	struct audit a = { .node = none, .roles = none };
	struct text json = { 0 }, xml = { 0 };
	struct audit back = { 0 };
	struct fault why = { 0 };

	(void)state;
	audit_json(&a, "x", &json);
	assert_non_null(strstr(text_str(&json), "\"results\": [],\n  \"setuid\": [],"));
	a.results = &result;
	a.n = 1;
	result.outcome = AUDIT_FAIL;
	audit_junit(&a, "x", &xml);
	assert_non_null(strstr(text_str(&xml), "a &lt; &gt;&amp;&quot;b"));
	assert_int_equal(audit_parse(text_str(&json), (size_t)1 << 40, &back, &why), -EFBIG);
	text_done(&json);
	text_done(&xml);
}

static void test_a_seed_names_its_node(void **state)
{
	static const char document[] =
		"apiVersion: rackseed/v1\n"
		"cluster: {name: lab, kubernetes: {version: \"1.30\"}}\n"
		"os: {distribution: debian, release: bookworm}\n"
		"network: {subnet: 10.0.0.0/24}\n"
		"nodes: {a: {role: [control-plane, worker, storage], address: 10.0.0.1, "
		"mac: \"52:54:00:00:00:01\"}}\n";
	static const struct {
		const char *node, *document, *refused;
	} cases[] = {
		{ "a\n", document, NULL },
		{ "b", document, "the seed's document has no node 'b'" },
		{ NULL, document, "the seed holds no node" },
		{ "a", NULL, "the seed holds no node" },
	};

	(void)state;
	CASES (c, cases) {
		struct disk disk = { 0 };
		const struct audit_tree tree = { disk_stat, disk_read, disk_link, disk_list,
						 &disk };
		struct seed seed = { 0 };
		struct audit a = { 0 };
		struct fault why = { 0 };
		int r;

		disk_put(&disk, "/etc/passwd", 0644, "root:x:0:0::/root:/bin/sh\n");
		if (c->node)
			assert_int_equal(seed_add(&seed, "node", c->node, strlen(c->node), &why),
					 0);
		if (c->document)
			assert_int_equal(seed_add(&seed, "cluster.yaml", c->document,
						  strlen(c->document), &why),
					 0);
		r = audit_judge(&tree, &seed, &a, &why);
		assert_int_equal(r, c->refused ? -EBADMSG : 0);
		if (c->refused)
			assert_string_equal(why.text, c->refused);
		else
			assert_string_equal(a.roles, "control-plane, worker, storage");
		audit_done(&a);
		seed_done(&seed);
		disk_done(&disk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_swap_and_accounts),
		cmocka_unit_test(test_modes_and_owners),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_manifests),
		cmocka_unit_test(test_an_audit_of_nothing_is_json_and_xml),
		cmocka_unit_test(test_a_seed_names_its_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
