/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_check_rows.h"

#include <errno.h>

#include "cluster/plan.h"

/*
 * The plan of a node from a document with one thing changed at a time. What the checks would
 * complain of is planned as well: it must be refused, or do no harm.
 */

struct plan_row {
	struct row row;
	const char *node;
	const char *has, *lacks; /* of "KIND PATH\nCONTENT\nSOURCE\n" of all actions */
	const char *refused;	 /* or what the fault says */
};

static void show(const struct plan *plan, struct text *out)
{
	size_t i;

	for (i = 0; i < plan->n; i++)
		text_addf(out, "%d %s\n%s\n%s\n", (int)plan->actions[i].kind, plan->actions[i].path,
			  plan->actions[i].content ? plan->actions[i].content : "",
			  plan->actions[i].source ? plan->actions[i].source : "");
}

static void plan_rows(const struct plan_row *rows, size_t n)
{
	static const struct plan_facts unknown = { .kubernetes.patch = -1 };
	const struct plan_row *p;

	for (p = rows; p < rows + n; p++) {
		scoped(model_done) struct model m = { 0 };
		scoped(complaints_done) struct complaints c = { 0 };
		scoped(text_done) struct text t = { 0 };
		scoped(text_done) struct text shown = { 0 };
		struct plan plan = { 0 };
		struct fault why = { 0 };
		int r;

		write_document(&p->row, &t);
		assert_int_equal(document_parse("a.yaml", text_str(&t), t.len, &m, &c, &why), 0);
		r = plan_make(&m, model_node(&m, p->node ? p->node : "m1"), &unknown, &plan, &why);
		show(&plan, &shown);
		if ((r < 0) != (p->refused != NULL) ||
		    (p->refused && !strstr(why.text, p->refused)))
			fail_msg("%d %s in\n%s", r, r < 0 ? why.text : "", text_str(&t));
		if (p->has && !strstr(text_str(&shown), p->has))
			fail_msg("no '%s' of\n%s", p->has, text_str(&t));
		if (p->lacks && strstr(text_str(&shown), p->lacks))
			fail_msg("'%s' of\n%s", p->lacks, text_str(&t));
		plan_done(&plan);
	}
}

#define CERTS "/etc/containerd/certs.d/"
#define LOGIN "user: u, passwordFile: secrets/u"
#define REG NODE("reg", 60, ", role: registry")
#define ST NODE("st", 40, ", role: storage")
#define ALL "role: [control-plane, worker, registry], address: 10.0.0.11, " MAC(11)
#define MORE(s) .row.more = s

static void test_registries_of_others(void **state)
{
	static const struct plan_row rows[] = {
		{ MORE("registries: {a.b: {clientCertFile: secrets/c, clientKeyFile: secrets/k}}"),
		  .has = CERTS "a.b/client.key" },
		{ MORE("registries: {a.b: {clientCertFile: secrets/c}}"), .lacks = "client.cert" },
		{ MORE("registries: {a.b: {clientCertFile: secrets/c, clientKeyFile: secrets/k, "
		       "insecure: true}}"),
		  .lacks = "client.cert" },
		{ MORE("registries: {a.b: {clientCertFile: c, clientKeyFile: secrets/k}}"),
		  .refused = "registry 'a.b': 'c' must be a plain word" },
		{ MORE("registries: {a.b: {caFile: ./secrets/c}}"), .has = CERTS "a.b/ca.crt" },
		{ MORE("registries: {a.b: {caFile: \"secrets/a:b\"}}"), .refused = "plain word" },
		{ MORE("registries: {a.b: {caFile: \"secrets/a\\x7f\"}}"),
		  .refused = "plain word" },
		{ MORE("registries: {a.b: {caFile: secrets/c, insecure: true}}"),
		  .lacks = CERTS "a.b/ca.crt" },
		{ MORE("registries: {a.b: {caFile: secrets/c, node: m1}}"),
		  .lacks = CERTS "a.b/ca.crt" },
		{ MORE("registries: {a.b: {" LOGIN "}}"), .has = "authorization = " },
		{ MORE("registries: {a.b: {user: u}}"), .lacks = "authorization = " },
		{ MORE("registries: {a.b: {passwordFile: secrets/u}}"),
		  .lacks = "authorization = " },
		{ MORE("registries: {a.b: {user: \"a:b\", passwordFile: secrets/u}}"),
		  .refused = "plain words" },
		{ MORE("registries: {a.b: {user: u, passwordFile: u}}"), .refused = "plain words" },
		{ MORE("registries: {_default: {mirrors: [m.x/y]}}"), .has = CERTS "_default/" },
		{ MORE("registries: {a/b: {mirrors: [m.x]}}"), .refused = "a/b" },
		{ MORE("registries: {.a: {mirrors: [m.x]}}"), .refused = ".a" },
		{ MORE("registries: {\"\": {mirrors: [m.x]}}"), .refused = "" },
		{ MORE("registries: {\"[fd00::1]:5000\": {" LOGIN "}}"),
		  .has = "rackseed--fd00--1--5000" },
		{ MORE("registries: {\"[fd00::1]\": {" LOGIN "}}"), .has = "rackseed--fd00--1?" },
		{ MORE("registries: {A_b.c: {" LOGIN "}}"), .has = "rackseed-a-b.c?" },
		{ MORE("registries: {\"a.b:5\": {" LOGIN "}, a.b.5: {" LOGIN "}}"),
		  .refused = "would both be called" },
		{ MORE("registries: {a.b: {" LOGIN "}, c.d: {" LOGIN "}}"), .has = "rackseed-c.d" },
		{ MORE("registries: {_default: {" LOGIN "}}"), .lacks = "rackseed--default" },
		{ MORE("registries: {a.b: {" LOGIN ", namespaces: []}}"), .lacks = "rackseed-a.b" },
		{ MORE("registries: {a.b: {" LOGIN ", namespaces: [x, x, y]}}"),
		  .has = "/namespaces/y/secrets/rackseed-a.b" },
	};

	(void)state;
	plan_rows(rows, COUNT(rows));
}

static void test_registries_of_ours(void **state)
{
#define OURS(more) MORE("registries:\n  reg:5000: {node: reg" more), .row.nodes = REG, .node = "reg"
	static const struct plan_row rows[] = {
		{ OURS("}"), .has = "tls.key", .lacks = "htpasswd" },
		{ OURS(", insecure: true}"), .lacks = "tls.key" },
		{ OURS(", user: u}"), .lacks = "htpasswd" },
		{ OURS(", " LOGIN "}"), .has = "5000.htpasswd" },
		{ OURS(", user: \"a:b\", passwordFile: secrets/u}"), .refused = "user must be" },
		{ OURS(", user: u, passwordFile: x}"), .refused = "passwordFile" },
		{ OURS(", upstream: a.b}"), .has = "https://a.b", .lacks = "gc@" },
		{ OURS(", upstream: a.b}\n  a.b: {insecure: true, caFile: secrets/c}"),
		  .has = "http://a.b", .lacks = "5000.crt" },
		{ OURS(", upstream: a.b}\n  a.b: {caFile: secrets/c}"), .has = "5000.crt" },
		{ OURS(", upstream: a.b}\n  a.b: {caFile: c}"), .refused = "caFile" },
		{ OURS(", upstream: a.b}\n  a.b: {user: u}"), .lacks = "username" },
		{ OURS(", upstream: a.b}\n  a.b: {" LOGIN "}"), .has = "username: \"u\"" },
		{ OURS(", upstream: a.b}\n  a.b: {user: u, passwordFile: x}"),
		  .refused = "passwordFile" },
		{ OURS("}\n  reg:5001: {node: m1}\n  reg:5002: {node: reg}"), .has = "5002.yml",
		  .lacks = "5001.yml" },
		{ MORE("registries: {m1:5000: {node: m1}}"), .row.m1 = ALL, .has = "tls.key" },
		{ MORE("registries: {m1: {node: m1, insecure: true}}"), .row.m1 = ALL,
		  .has = "80.yml" },
	};
#undef OURS

	(void)state;
	plan_rows(rows, COUNT(rows));
}

static void test_shares(void **state)
{
#define OURS(more)                                                                                 \
	MORE("shares:\n  a: {node: st, mount: /mnt/a" more), .row.nodes = ST, .node = "st"
	static const struct plan_row rows[] = {
		{ MORE("shares: {a: {node: nobody, path: /srv/a, mount: /mnt/a}}"),
		  .refused = "share 'a'" },
		{ MORE("shares: {a: {server: //nas/a, guest: true}}"), .lacks = ".mount" },
		{ MORE("shares: {a: {server: //nas/a, mount: /etc, guest: true}}"),
		  .refused = "share 'a'" },
		{ MORE("shares: {a: {server: //nas/a, mount: /mnt/a, user: u}}"),
		  .lacks = "a.cred" },
		{ MORE("shares: {a: {server: //nas/a, mount: /mnt/a, " LOGIN "}}"),
		  .has = "a.cred" },
		{ MORE("shares: {a: {node: st, path: /srv/a, mount: /mnt/a, guest: true}}"),
		  .row.nodes = "  st: {role: storage, address: \"fd00::40\", " MAC(40) "}\n",
		  .has = "What=//fd00::40/a" },
		{ OURS(", path: /srv/a, " LOGIN "}\n  b: {node: st, path: /srv/b, " LOGIN "}"),
		  .has = "[b]" },
		{ OURS(", path: /srv/a, user: u}"), .has = "u u " },
		{ OURS(", " LOGIN "}"), .lacks = "[a]" },
		{ OURS(", path: /srv/a, user: u, passwordFile: ./secrets/u}"), .has = "u u " },
		{ OURS(", path: /srv/a, user: u, passwordFile: x}"), .has = "u u " },
		{ OURS(", path: /srv/a, guest: true}\n  b: {node: st, path: /srv/b, user: ops}\n"
		       "admin: {user: ops}"),
		  .has = "[b]", .lacks = "u ops 6" },
		{ OURS(", path: /srv/a, user: mlops}\nadmin: {user: ops}"), .has = "u mlops " },
		{ OURS(", path: /srv/a, guest: true}\nfirewall: {shares: [10.0.0.0/24, "
		       "10.0.0.0/25, "
		       "10.9.0.0/24]}"),
		  .has = "hosts allow = 127.0.0.1 ::1 10.0.0.0/24 10.0.0.0/25 10.9.0.0/24\n" },
		{ OURS(", path: /srv/a, guest: true}\n"),
		  .row.network = "subnet: 10.0.0.0/26, gateway: 10.0.0.1",
		  .row.m1 = "role: control-plane, address: 10.0.0.77, " MAC(77),
		  .has = "hosts allow = 127.0.0.1 ::1 10.0.0.0/26 10.0.0.77/32\n" },
		{ MORE("shares: {a: {server: //nas/a, mount: /mnt/a, guest: true, volume: 3k}}"),
		  .has = "\"3k\"" },
		{ MORE("shares: {a: {server: //nas/a, mount: /mnt/a, guest: true, volume: 5P}}"),
		  .has = "\"4882812500000Ki\"" },
		{ MORE("shares: {a: {server: //nas/a, mount: /mnt/a, guest: true, volume: "
		       "4096Pi}}"),
		  .has = "\"4Ei\"" },
	};
#undef OURS

	(void)state;
	plan_rows(rows, COUNT(rows));
}

static void test_hosts(void **state)
{
	static const struct plan_row rows[] = {
		{ MORE("admin: {user: 0a}"), .refused = "admin.user" },
		{ MORE("admin: {user: -a}"), .refused = "admin.user" },
		{ MORE("admin: {user: a:b}"), .refused = "admin.user" },
		{ MORE("admin: {user: root}"), .refused = "admin.user" },
		{ MORE("admin: {user: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}"),
		  .refused = "admin.user" },
		{ MORE("admin: {user: \"\"}"), .lacks = "administrator" },
		{ MORE("admin: {user: ops}"), .has = "u ops - \"administrator\"" },
		{ .row.network = "subnet: 10.0.0.0/24, ntp: []", .lacks = "NTP=" },
		{ .row.network = "subnet: 10.0.0.0/24, ntp: [a.b, c.d]", .has = "NTP=a.b c.d\n" },
		{ .row.cluster = ", podSubnet: \"fd00::/48\"", .has = "ipv6.conf.all.forwarding" },
		{ .row.cluster = ", serviceSubnet: \"fd00::/112\"",
		  .has = "ipv6.conf.all.forwarding" },
		{ .row.cluster = ", podSubnet: \"fd00::/48\"",
		  .row.nodes = WORKER(30, ""),
		  .refused = "routes to the pods" },
		{ .row.nodes = "  w: {role: worker, address: 10.0.0.30}\n",
		  .node = "w",
		  .refused = "neither mac: nor network:" },
		{ .row.nodes = "  w: {role: worker, serial: x, address: 10.0.0.30, network: "
			       "{ethernets: {e: {addresses: [10.0.0.30/24]}}}}\n",
		  .node = "w",
		  .has = "10.0.0.30/24" },
		{ .row.endpoint = "\"[fd00::50]:6443\"", .has = "[fd00::50]:6443" },
		{ .row.endpoint = "\"[fd00::50]:6443\"",
		  .row.nodes = WORKER(30, ""),
		  .node = "w30",
		  .has = "[fd00::50]:6443" },
		{ .row.nodes = WORKER(30, ", taints: [\"a:NoSchedule\"]"), .has = "NoSchedule" },
	};

	(void)state;
	plan_rows(rows, COUNT(rows));
}

static void test_nodes(void **state)
{
#define TWO                                                                                        \
	"shares:\n  a: {server: //nas/a, mount: /mnt/a, guest: true, volume: 1Gi}\n"               \
	"  b: {server: //nas/b, mount: /mnt/b, guest: true, volume: 1Gi}"
	static const struct plan_row rows[] = {
		{ .row.nodes = WORKER(30, ", labels: {a: b, c: d}"),
		  .node = "w30",
		  .has = "a=b,c=d" },
		{ .row.nodes = WORKER(30, ", taints: [\"a:NoSchedule\", \"b=c:NoExecute\"]"),
		  .has = "NoExecute" },
		{ MORE(TWO), .has = "/a\":\"mounted\",\"" },
		{ MORE(TWO), .row.network = "subnet: \"fd00::/64\"", .lacks = "udp sport 137" },
		{ MORE(TWO), .has = "udp sport 137" },
		{ MORE("shares: {a: {server: //nas.lab/a, mount: /mnt/a, guest: true}}"),
		  .lacks = "udp sport 137" },
		{ MORE("shares: {a: {server: nas, mount: /mnt/a, guest: true}}"),
		  .refused = "share 'a'" },
		{ .row.nodes = REG, .node = "reg", .has = "tcp dport { 5000 }" },
		{ MORE("registries: {reg: {node: reg}}"), .row.nodes = REG, .node = "reg",
		  .has = "tcp dport { 443 }" },
		{ MORE("registries: {reg: {node: reg, insecure: true}}"), .row.nodes = REG,
		  .node = "reg", .has = "tcp dport { 80 }" },
		{ .row.cluster = ", podNetwork: flannel", .has = "chain forward" },
	};
#undef TWO

	(void)state;
	plan_rows(rows, COUNT(rows));
}

static void test_facts(void **state)
{
	static const struct {
		const char *json;
		int minor, containerd; /* negative: refused; 0: not known */
	} cases[] = {
		{ "{\"kubernetes\": \"1.20.2\", \"containerd\": \"1.6.20~ds1\"}", 20, 6 },
		{ "{\"kubernetes\": \"1.20\", \"containerd\": \"1\"}", 0, 0 },
		{ "{\"kubernetes\": \"1.x\", \"containerd\": \"1.:\"}", 0, 0 },
		{ "{\"kubernetes\": \"1./\", \"containerd\": [1]}", 0, 0 },
		{ "{\"kubernetes\": \"1.100001.2\", \"containerd\": \"\"}", 0, 0 },
		{ "{}", 0, 0 },
		{ "[]", -1, 0 },
		{ "{", -1, 0 },
	};
	struct plan_facts f = { .pause = "kept" };
	struct text json = { 0 };
	struct fault why = { 0 };
	size_t i;

	(void)state;
	CASES (c, cases) {
		struct plan_facts got = { .pause = "kept" };
		int r = plan_facts_parse(c->json, strlen(c->json), &got, &why);

		assert_int_equal(r, c->minor < 0 ? -EBADMSG : 0);
		assert_int_equal(got.kubernetes.minor, c->minor < 0 ? 0 : c->minor);
		assert_int_equal(got.containerd_minor, c->containerd);
		assert_string_equal(got.pause, "kept");
	}
	text_add(&json, "{\"pause\": \"");
	for (i = 0; i < sizeof(f.pause); i++)
		text_add(&json, "a");
	text_add(&json, "\"}");
	assert_int_equal(plan_facts_parse(text_str(&json), json.len, &f, &why), -EBADMSG);
	assert_string_equal(f.pause, "kept");
	assert_int_equal(plan_facts_parse("{\"pause\": \"a\"}", 14, &f, &why), 0);
	assert_string_equal(f.pause, "a");
	text_done(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registries_of_others),
		cmocka_unit_test(test_registries_of_ours),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
