/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_plan.h"

#include <errno.h>
#include <unistd.h>

#include "base/run.h"
#include "base/yaml.h"

static void assert_golden_plan(const char *document, const char *node, const char *name)
{
	struct model m;
	struct plan plan = { 0 };
	struct text out = { 0 };
	char golden[96];

	load_document(document, &m);
	make_plan(&m, node, NULL, &plan);
	plan_print(&plan, &out);
	snprintf(golden, sizeof(golden), "plan/%s-%s.txt", name, node);
	assert_golden(golden, text_str(&out));
	text_done(&out);
	plan_done(&plan);
	model_done(&m);
}

static void test_plans_of_the_example(void **state)
{
	struct model m;
	size_t i;

	(void)state;
	load_document(document_example, &m);
	assert_true(m.n_nodes >= 4);
	for (i = 0; i < m.n_nodes; i++)
		assert_golden_plan(document_example, m.nodes[i].name, "example");
	model_done(&m);
}

static void test_plans_of_the_lab(void **state)
{
	static const char *const nodes[] = { "cp1", "w1" };

	(void)state;
	CASES (node, nodes) {
		assert_golden_plan(lab_document, *node, "lab");
	}
}

static void test_plans_of_a_rich_cluster(void **state)
{
	static const char *const nodes[] = { "a", "b", "c", "reg" };

	(void)state;
	CASES (node, nodes) {
		assert_golden_plan(rich_document, *node, "rich");
	}
}

/* Two disks for data: a machine's second one, and one that the file names. */
static const char data_document[] =
	"apiVersion: rackseed/v1\n"
	"cluster: {name: lab, kubernetes: {version: \"1.31\"}, endpoint: \"cp1:6443\"}\n"
	"os: {distribution: debian, release: bookworm}\n"
	"network: {subnet: 192.168.10.0/24}\n"
	"shares: {data: {node: nas, path: /srv/data, mount: /mnt/data, guest: true}}\n"
	"registries: {\"reg:5000\": {node: reg}}\n"
	"nodes:\n"
	"  cp1: {role: control-plane, address: 192.168.10.50, mac: \"52:54:00:00:00:32\"}\n"
	"  nas:\n"
	"    role: storage\n"
	"    address: 192.168.10.40\n"
	"    mac: \"52:54:00:00:00:28\"\n"
	"    vm: {cpus: 1, memory: 1Gi, disk: 4Gi, data: 4Gi}\n"
	"  reg:\n"
	"    role: registry\n"
	"    address: 192.168.10.41\n"
	"    mac: \"52:54:00:00:00:29\"\n"
	"    data: {disk: {serial: S6Z1NX0T}}\n";

static void test_plans_of_nodes_with_a_disk_for_data(void **state)
{
	static const char *const nodes[] = { "nas", "reg" };

	(void)state;
	CASES (node, nodes) {
		assert_golden_plan(data_document, *node, "data");
	}
}

/* Samba lets in whom the firewall does: beside the nodes, the networks of its door. */
static void test_samba_allows_what_the_firewall_does(void **state)
{
	static const struct {
		const char *firewall, *allow;
	} cases[] = {
		{ "", "hosts allow = 127.0.0.1 ::1 192.168.10.0/24\n" },
		{ "firewall: {shares: []}\n", "hosts allow = 127.0.0.1 ::1 192.168.10.0/24\n" },
		{ "firewall: {shares: [192.168.10.0/24]}\n",
		  "hosts allow = 127.0.0.1 ::1 192.168.10.0/24\n" },
		{ "firewall: {shares: [10.7.0.0/16, 192.168.10.0/24, \"fd00:7::/64\"]}\n",
		  "hosts allow = 127.0.0.1 ::1 192.168.10.0/24 10.7.0.0/16 fd00:7::/64\n" },
	};

	(void)state;
	CASES (c, cases) {
		struct text document = { 0 };
		struct plan plan = { 0 };
		struct model m;
		const char *conf;

		text_addf(&document, "%s%s", data_document, c->firewall);
		load_document(text_str(&document), &m);
		make_plan(&m, "nas", NULL, &plan);
		conf = find_action(&plan, "/etc/samba/smb.conf")->content;
		if (!strstr(conf, c->allow))
			fail_msg("%s%s", c->firewall, conf);
		plan_done(&plan);
		model_done(&m);
		text_done(&document);
	}
}

/* The network of tests/storage/test_netbios.c, which loads this rule set. */
static const char netbios_document[] =
	"apiVersion: rackseed/v1\n"
	"cluster: {name: lab, kubernetes: {version: \"1.31\"}, endpoint: \"cp1:6443\"}\n"
	"os: {distribution: debian, release: bookworm}\n"
	"network: {subnet: 192.168.99.0/24}\n"
	"shares: {data: {server: //nasbox/data, mount: /mnt/data, guest: true}}\n"
	"nodes:\n"
	"  cp1: {role: control-plane, address: 192.168.99.50, mac: \"52:54:00:00:00:32\"}\n"
	"  st: {role: storage, address: 192.168.99.40, mac: \"52:54:00:00:00:28\"}\n";

static void replace(struct text *document, const char *from, const char *to)
{
	struct text out = { 0 };
	const char *at = strstr(text_str(document), from);

	assert_non_null(at);
	text_add_n(&out, document->data, (size_t)(at - document->data));
	text_add(&out, to);
	text_add(&out, at + strlen(from));
	text_done(document);
	*document = out;
}

/* The answer to a broadcast comes in where a share's server may have no other name, only. */
static void test_answers_to_broadcasts_may_come_in(void **state)
{
	static const struct {
		const char *node, *from, *to;
		bool open;
	} cases[] = {
		{ "cp1", "nasbox", "nasbox", true },
		{ "st", "nasbox", "nasbox", false },
		{ "cp1", "nasbox", "nasbox.lab", false },
		{ "cp1", "nasbox", "192.168.99.9", false },
		{ "cp1", "nasbox", "st", false },
	};

	(void)state;
	CASES (c, cases) {
		struct text document = { 0 };
		struct plan plan = { 0 };
		struct model m;
		const char *ruleset;

		text_add(&document, netbios_document);
		replace(&document, c->from, c->to);
		load_document(text_str(&document), &m);
		make_plan(&m, c->node, NULL, &plan);
		ruleset = find_action(&plan, "/etc/rackseed/firewall.nft")->content;
		if (!strstr(ruleset, "udp sport 137") != !c->open)
			fail_msg("%s: %s: %s", c->node, c->to, ruleset);
		if (c == cases)
			assert_golden("plan/netbios-firewall.nft", ruleset);
		plan_done(&plan);
		model_done(&m);
		text_done(&document);
	}
}

static const char *const documents[] = { document_example, lab_document, rich_document };

/* Calls visit with the plan of every node of every document. */
static void walk(void (*visit)(const struct model *m, const struct model_node *node,
			       const struct plan *plan))
{
	CASES (document, documents) {
		struct model m;
		size_t i;

		load_document(*document, &m);
		for (i = 0; i < m.n_nodes; i++) {
			struct plan plan = { 0 };

			make_plan(&m, m.nodes[i].name, NULL, &plan);
			visit(&m, &m.nodes[i], &plan);
			plan_done(&plan);
		}
		model_done(&m);
	}
}

static void check_shape(const struct model *m, const struct model_node *node,
			const struct plan *plan)
{
	size_t i, k;

	(void)m;
	(void)node;
	for (i = 0; i < plan->n; i++) {
		const struct plan_action *a = &plan->actions[i];
		bool has_mode = a->kind == PLAN_FILE || a->kind == PLAN_TEMPLATE ||
				a->kind == PLAN_SECRET || a->kind == PLAN_FOLDER ||
				a->kind == PLAN_HTPASSWD;
		bool has_source = a->kind == PLAN_SECRET || a->kind == PLAN_ACCOUNT;

		assert_true(i == 0 || plan->actions[i - 1].step <= a->step);
		assert_int_equal(a->path[0] == '/', a->kind != PLAN_ACCOUNT);
		assert_null(strstr(a->path, ".."));
		assert_int_equal(has_mode, a->mode != 0);
		assert_int_equal(has_source, a->source != NULL);
		if (!has_source && a->kind != PLAN_ABSENT)
			assert_non_null(a->content);
		if (a->kind == PLAN_FILE || a->kind == PLAN_FIELDS)
			assert_null(strpbrk(a->content, PLAN_PLACE));
		if (a->kind == PLAN_TEMPLATE)
			assert_int_equal(a->mode, 0600);
		for (k = 0; k < i; k++)
			assert_string_not_equal(plan->actions[k].path, a->path);
	}
}

static void test_actions_stand_in_order_and_once(void **state)
{
	(void)state;
	walk(check_shape);
}

static void check_roles(const struct model *m, const struct model_node *node,
			const struct plan *plan)
{
	bool is_control_plane = node->roles & MODEL_CONTROL_PLANE;
	char own[128], status[128];
	size_t i;

	(void)m;
	for (i = 0; i < plan->n; i++) {
		const struct plan_action *a = &plan->actions[i];

		if (!model_is_kubernetes(node)) {
			assert_null(strstr(a->path, "kubernetes"));
			assert_true(a->step <= PLAN_NETWORK || a->step == PLAN_CLOCK ||
				    a->step == PLAN_FIREWALL || a->step == PLAN_STORAGE ||
				    (a->step == PLAN_REGISTRY && node->roles & MODEL_REGISTRY));
		}
		if (!is_control_plane) {
			/* A server's own key goes to that server, and no other to anybody. */
			snprintf(own, sizeof(own), "pki/registry/%s.key", node->name);
			snprintf(status, sizeof(status), "pki/status/%s.key", node->name);
			assert_true(a->kind != PLAN_SECRET || !strstr(a->source, ".key") ||
				    strcmp(a->source, own) == 0 || strcmp(a->source, status) == 0);
			assert_int_not_equal(a->kind, PLAN_OBJECT);
			/* It says of itself alone what is mounted on it. */
			if (a->kind == PLAN_FIELDS)
				assert_non_null(strstr(a->path, PLAN_SHARE_MANAGER));
			assert_true(!a->content || !strstr(a->content, ".key" PLAN_PLACE));
		}
	}
	assert_int_equal(is_control_plane, find_action(plan, "/etc/kubernetes/pki/ca.key") != NULL);
	assert_int_equal(model_is_kubernetes(node),
			 find_action(plan, "/etc/rackseed/kubeadm.yaml") != NULL);
}

static void test_no_key_and_no_object_reaches_a_worker(void **state)
{
	(void)state;
	walk(check_roles);
}

static void check_token(const struct model *m, const struct model_node *node,
			const struct plan *plan)
{
	struct text shown = { 0 };

	(void)node;
	plan_print(plan, &shown);
	plan_json(plan, &shown);
	assert_null(strpbrk(text_str(&shown), PLAN_PLACE));
	if (m->token)
		assert_null(strstr(text_str(&shown), m->token));
	text_done(&shown);
}

static void test_a_plan_shows_no_secret(void **state)
{
	(void)state;
	walk(check_token);
}

static void check_json(const struct model *m, const struct model_node *node,
		       const struct plan *plan)
{
	struct text json = { 0 };
	struct yaml tree = { 0 };
	struct yaml_error error = { 0 };
	size_t i;

	(void)m;
	(void)node;
	plan_json(plan, &json);
	if (yaml_parse(text_str(&json), json.len, &tree, &error) < 0)
		fail_msg("%u:%u: %s", error.line, error.column, error.message);
	assert_int_equal(tree.n_items, plan->n);
	for (i = 0; i < plan->n; i++) {
		const struct plan_action *a = &plan->actions[i];

		assert_string_equal(yaml_text(yaml_get(&tree.items[i], "path")), a->path);
		assert_string_equal(yaml_text(yaml_get(&tree.items[i], "step")),
				    plan_step_name(a->step));
		assert_string_equal(yaml_text(yaml_get(&tree.items[i], "kind")),
				    plan_kind_name(a->kind));
		if (a->kind == PLAN_FILE)
			assert_string_equal(yaml_text(yaml_get(&tree.items[i], "content")),
					    a->content);
	}
	yaml_done(&tree);
	text_done(&json);
}

static void test_json_reads_back(void **state)
{
	(void)state;
	walk(check_json);
}

static void test_a_plan_for_programs(void **state)
{
	struct text json = { 0 };
	struct plan plan = { 0 };
	struct model m;

	(void)state;
	load_document(lab_document, &m);
	make_plan(&m, "w1", NULL, &plan);
	plan_json(&plan, &json);
	text_add(&json, "\n");
	assert_golden("plan/lab-w1.json", text_str(&json));
	text_done(&json);
	plan_done(&plan);
	model_done(&m);
}

/* Objects and the CNI list are JSON that other programs read. */
static void check_contents(const struct model *m, const struct model_node *node,
			   const struct plan *plan)
{
	const struct plan_action *cni = find_action(plan, "/etc/cni/net.d/10-rackseed.conflist");
	size_t i, n_nodes = 0;

	for (i = 0; i < plan->n; i++) {
		const struct plan_action *a = &plan->actions[i];
		struct yaml tree = { 0 };
		struct yaml_error error = { 0 };

		if (a->kind != PLAN_OBJECT && a->kind != PLAN_FIELDS && a != cni)
			continue;
		n_nodes += a->kind == PLAN_FIELDS && strstr(a->path, "/nodes/") &&
			   !strstr(a->path, PLAN_SHARE_MANAGER);
		/* A place is no JSON until it is filled, nor is what people are shown of it. */
		if (strpbrk(a->content, PLAN_PLACE))
			continue;
		assert_int_equal(yaml_parse(a->content, strlen(a->content), &tree, &error), 0);
		assert_int_equal(tree.kind, YAML_MAPPING);
		yaml_done(&tree);
	}
	for (i = 0; i < m->n_nodes; i++)
		if ((node->roles & MODEL_CONTROL_PLANE) && model_is_kubernetes(&m->nodes[i]))
			n_nodes--;
	assert_int_equal(n_nodes, 0);
}

static void test_objects_and_cni_are_json(void **state)
{
	(void)state;
	walk(check_contents);
}

static void test_the_first_control_plane_joins_what_serves_already(void **state)
{
	const struct plan_facts facts = { .kubernetes = { 1, 31, 4 },
					  .containerd_major = 1,
					  .containerd_minor = 7,
					  .control_plane_ready = true };
	struct model m;
	struct plan plan = { 0 };
	const struct plan_action *a;

	(void)state;
	load_document(rich_document, &m);
	make_plan(&m, "a", &facts, &plan);
	a = find_action(&plan, "/etc/rackseed/kubeadm.yaml");
	assert_non_null(strstr(a->content, "kind: JoinConfiguration"));
	assert_null(strstr(a->content, "kind: InitConfiguration"));
	assert_non_null(strstr(a->content, "controlPlane:"));
	assert_non_null(find_action(&plan, "/etc/rackseed/discovery.conf"));
	plan_done(&plan);
	model_done(&m);
}

static void test_text_that_could_change_a_file_is_refused(void **state)
{
	static char place[] = "x" PLAN_PLACE "word:pki/ca.key" PLAN_PLACE;
	static char two_lines[] = "ssh-ed25519 AAAA\nssh-ed25519 BBBB";
	static char wheel[] = "%sudo";
	static char *keys[] = { two_lines, NULL };
	struct plan plan = { 0 };
	struct fault why = { 0 };
	struct model m, bad;

	(void)state;
	load_document(rich_document, &m);
	bad = m;
	bad.admin.user = wheel;
	assert_int_equal(plan_make(&bad, &m.nodes[0], &(struct plan_facts){ 0 }, &plan, &why),
			 -EINVAL);
	assert_string_equal(why.text, "node 'a': admin.user '%sudo' is no name for an account");
	bad = m;
	bad.admin.ssh_keys = keys;
	assert_int_equal(plan_make(&bad, &m.nodes[0], &(struct plan_facts){ 0 }, &plan, &why),
			 -EINVAL);
	bad = m;
	bad.registries = calloc(1, sizeof(*bad.registries));
	assert_non_null(bad.registries);
	bad.n_registries = 1;
	bad.registries[0] = m.registries[0];
	bad.registries[0].user = place;
	assert_int_equal(plan_make(&bad, &m.nodes[0], &(struct plan_facts){ 0 }, &plan, &why),
			 -EINVAL);
	free(bad.registries);
	/* Where it may stand it is quoted: the veil finds no place in it. */
	bad = m;
	bad.name = place;
	assert_int_equal(plan_make(&bad, &m.nodes[0], &(struct plan_facts){ 0 }, &plan, &why), 0);
	assert_non_null(strstr(find_action(&plan, "/etc/rackseed/kubeadm.yaml")->content,
			       "clusterName: \"x\\u001aword:pki/ca.key\\u001a\""));
	plan_done(&plan);
	model_done(&m);
}

static void test_a_node_without_mac_needs_its_own_network(void **state)
{
	struct model m;
	struct plan plan = { 0 };
	struct fault why = { 0 };

	(void)state;
	load_document(lab_document, &m);
	m.nodes[1].has_mac = false;
	assert_int_equal(plan_make(&m, &m.nodes[1], &(struct plan_facts){ 0 }, &plan, &why),
			 -EINVAL);
	assert_non_null(strstr(why.text, "node 'w1'"));
	model_done(&m);
}

static void test_facts_come_from_the_image(void **state)
{
	static const char json[] = "{\"distribution\":\"debian\",\"release\":\"bookworm\","
				   "\"kubernetes\":\"1.20.2\",\"containerd\":\"1.6.20~ds1\","
				   "\"pause\":\"k8s.gcr.io/pause:3.2\"}";
	struct plan_facts facts = { .kubernetes.patch = -1 };
	struct fault why = { 0 };
	struct model m;

	(void)state;
	assert_int_equal(plan_facts_parse(json, strlen(json), &facts, &why), 0);
	assert_int_equal(facts.kubernetes.minor, 20);
	assert_int_equal(facts.kubernetes.patch, 2);
	assert_int_equal(facts.containerd_major, 1);
	assert_int_equal(facts.containerd_minor, 6);
	assert_string_equal(facts.pause, "k8s.gcr.io/pause:3.2");
	assert_int_equal(plan_facts_parse("[]", 2, &facts, &why), -EBADMSG);
	assert_int_equal(plan_facts_parse("{", 1, &facts, &why), -EBADMSG);

	load_document(rich_document, &m);
	facts = (struct plan_facts){ .kubernetes.patch = -1 };
	plan_facts_assume(&m, &facts);
	assert_int_equal(facts.kubernetes.minor, 31);
	assert_int_equal(facts.kubernetes.patch, 0);
	assert_int_equal(facts.containerd_major, 1);
	assert_int_equal(facts.containerd_minor, 7);
	assert_string_equal(facts.pause, "registry.lab/k8s/pause:3.10");
	model_done(&m);
}

/* The kernel's own opinion, in a network namespace of our own: twice, for it replaces itself. */
static void test_nft_takes_the_ruleset(void **state)
{
	char path[] = "/tmp/test_plan.XXXXXX";
	const char *const probe[] = { "unshare", "-rn", "nft", "list", "ruleset", NULL };
	const char *argv[] = {
		"unshare", "-rn", "sh", "-ec", "nft -f \"$0\"; nft -f \"$0\"; nft -s list ruleset",
		path,	   NULL
	};
	struct text out = { 0 };
	struct run what = { .argv = probe };
	struct plan plan = { 0 };
	struct fault why = { 0 };
	struct model m;
	const char *ruleset;
	int fd;

	(void)state;
	if (run(&what, &why) < 0)
		skip();
	fd = mkstemp(path);
	assert_true(fd >= 0);
	load_document(document_example, &m);
	make_plan(&m, "master", NULL, &plan);
	ruleset = find_action(&plan, "/etc/rackseed/firewall.nft")->content;
	assert_int_equal(write(fd, ruleset, strlen(ruleset)), (long)strlen(ruleset));
	close(fd);
	what = (struct run){ .argv = argv, .out = &out };
	if (run(&what, &why) < 0)
		fail_msg("%s", why.text);
	unlink(path);
	assert_non_null(
		strstr(text_str(&out), "ip saddr 10.244.0.0/16 ip daddr != @routed_4 masquerade"));
	assert_null(strstr(strstr(text_str(&out), "masquerade") + 1, "masquerade"));
	text_done(&out);
	plan_done(&plan);
	model_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans_of_the_example),
		cmocka_unit_test(test_plans_of_the_lab),
		cmocka_unit_test(test_plans_of_a_rich_cluster),
		cmocka_unit_test(test_plans_of_nodes_with_a_disk_for_data),
		cmocka_unit_test(test_actions_stand_in_order_and_once),
		cmocka_unit_test(test_no_key_and_no_object_reaches_a_worker),
		cmocka_unit_test(test_a_plan_shows_no_secret),
		cmocka_unit_test(test_json_reads_back),
		cmocka_unit_test(test_a_plan_for_programs),
		cmocka_unit_test(test_objects_and_cni_are_json),
		cmocka_unit_test(test_the_first_control_plane_joins_what_serves_already),
		cmocka_unit_test(test_text_that_could_change_a_file_is_refused),
		cmocka_unit_test(test_a_node_without_mac_needs_its_own_network),
		cmocka_unit_test(test_facts_come_from_the_image),
		cmocka_unit_test(test_samba_allows_what_the_firewall_does),
		cmocka_unit_test(test_answers_to_broadcasts_may_come_in),
		cmocka_unit_test(test_nft_takes_the_ruleset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
