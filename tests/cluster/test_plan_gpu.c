/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_plan.h"

#include "base/yaml.h"
#include "cluster/gpu.h"

/* A node of each vendor; %s are the version of Kubernetes, the release, and roles of the last. */
static const char document[] =
	"apiVersion: rackseed/v1\n"
	"cluster: {name: lab, kubernetes: {version: \"%s\"}, endpoint: \"cp1:6443\"}\n"
	"os: {distribution: %s, sources: [./debs]}\n"
	"network: {subnet: 192.168.10.0/24}\n"
	"gpus:\n"
	"  nvidia: {devicePlugin: \"reg.lab/nvidia/k8s-device-plugin:v1\"}\n"
	"  amd: {devicePlugin: \"reg.lab/rocm/k8s-device-plugin:v1\"}\n"
	"  intel: {devicePlugin: \"reg.lab/intel/intel-gpu-plugin:v1\"}\n"
	"nodes:\n"
	"  cp1: {role: control-plane, address: 192.168.10.50, mac: \"52:54:00:00:00:32\"}\n"
	"  n1:\n"
	"    role: worker\n"
	"    address: 192.168.10.61\n"
	"    mac: \"52:54:00:00:00:61\"\n"
	"    gpu: {vendor: nvidia, count: 8}\n"
	"    taints: [\"team=ml:NoSchedule\"]\n"
	"  a1: {role: worker, address: 192.168.10.62, mac: \"52:54:00:00:00:62\", gpu: amd}\n"
	"  i1: {role: %s, address: 192.168.10.63, mac: \"52:54:00:00:00:63\", gpu: intel}\n";

static void load(const char *version, const char *release, const char *roles, struct model *m)
{
	struct text out = { 0 };
	const char *const words[] = { version, release, roles };
	const char *at = document, *hole;
	size_t i;

	for (i = 0; (hole = strstr(at, "%s")); i++) {
		text_add_n(&out, at, (size_t)(hole - at));
		text_add(&out, words[i]);
		at = hole + 2;
	}
	text_add(&out, at);
	load_document(text_str(&out), m);
	text_done(&out);
}

#define NOBLE "ubuntu, release: noble"
#define BOOKWORM "debian, release: bookworm"

/* The parts of a plan that GPUs have a say in, as they are printed. */
static void assert_parts(const struct model *m, const char *node, const char *golden)
{
	static const char *const paths[] = {
		GPU_MODPROBE_PATH,
		"/etc/containerd/config.toml",
		"/etc/rackseed/kubeadm.yaml",
		GPU_MODULES_PATH,
		"/api/v1/nodes/",
		"/apis/",
	};
	struct plan plan = { 0 }, parts = { 0 };
	struct text out = { 0 };
	size_t i;

	make_plan(m, node, NULL, &plan);
	parts.actions = calloc(plan.n, sizeof(*parts.actions));
	assert_non_null(parts.actions);
	for (i = 0; i < plan.n; i++)
		CASES (path, paths) {
			if (strncmp(plan.actions[i].path, *path, strlen(*path)) == 0)
				parts.actions[parts.n++] = plan.actions[i];
		}
	plan_print(&parts, &out);
	assert_golden(golden, text_str(&out));
	free(parts.actions);
	text_done(&out);
	plan_done(&plan);
}

static void test_plans_of_nodes_with_gpus(void **state)
{
	static const char *const nodes[] = { "cp1", "n1", "a1", "i1" };
	struct model m;

	(void)state;
	load("1.36", NOBLE, "worker", &m);
	CASES (node, nodes) {
		char golden[64];

		snprintf(golden, sizeof(golden), "plan/gpu-%s.txt", *node);
		assert_parts(&m, *node, golden);
	}
	model_done(&m);
}

static void test_the_runtime_follows_the_containerd(void **state)
{
	static const struct {
		int major, minor;
		const char *table;
		bool says_cdi;
	} cases[] = {
		{ 1, 6, "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia]\n",
		  false },
		{ 1, 7, "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia]\n",
		  true },
		{ 2, 2, "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.nvidia]\n",
		  false },
	};
	static const char *const others[] = { "cp1", "a1", "i1" };
	struct model m;

	(void)state;
	load("1.36", NOBLE, "worker", &m);
	CASES (c, cases) {
		const struct plan_facts facts = { .kubernetes.patch = -1,
						  .containerd_major = c->major,
						  .containerd_minor = c->minor };
		struct plan plan = { 0 };
		const char *toml;

		make_plan(&m, "n1", &facts, &plan);
		toml = find_action(&plan, "/etc/containerd/config.toml")->content;
		assert_non_null(strstr(toml, c->table));
		assert_int_equal(strstr(toml, "enable_cdi = true\n") != NULL, c->says_cdi);
		plan_done(&plan);
		CASES (other, others) {
			make_plan(&m, *other, &facts, &plan);
			toml = find_action(&plan, "/etc/containerd/config.toml")->content;
			assert_null(strstr(toml, "nvidia"));
			assert_null(strstr(toml, "enable_cdi"));
			plan_done(&plan);
		}
	}
	model_done(&m);
}

static void test_the_runtime_class_follows_kubernetes(void **state)
{
	static const struct {
		const char *version, *api;
	} cases[] = {
		{ "1.17", "v1beta1" }, { "1.19", "v1beta1" }, { "1.20", "v1" }, { "1.36", "v1" }
	};

	(void)state;
	CASES (c, cases) {
		struct plan plan = { 0 };
		struct text path = { 0 };
		struct model m;

		load(c->version, BOOKWORM, "worker", &m);
		make_plan(&m, "cp1", NULL, &plan);
		text_addf(&path,
			  "/apis/node.k8s.io/%s/runtimeclasses/nvidia?fieldManager=rackseed&force="
			  "true",
			  c->api);
		assert_non_null(find_action(&plan, text_str(&path)));
		text_done(&path);
		plan_done(&plan);
		model_done(&m);
	}
}

/* JSON that somebody quoted by hand: it has to be some. */
static void test_what_is_applied_is_json(void **state)
{
	struct yaml_error error = { 0 };
	struct plan plan = { 0 };
	struct model m;
	size_t i, n = 0;

	(void)state;
	load("1.36", NOBLE, "worker", &m);
	make_plan(&m, "cp1", NULL, &plan);
	for (i = 0; i < plan.n; i++) {
		struct yaml tree = { 0 };

		if (plan.actions[i].step != PLAN_OBJECTS)
			continue;
		if (yaml_parse(plan.actions[i].content, strlen(plan.actions[i].content), &tree,
			       &error) < 0)
			fail_msg("%s: %s", plan.actions[i].path, error.message);
		assert_non_null(yaml_get(&tree, "kind"));
		yaml_done(&tree);
		n++;
	}
	/* Four nodes, its own labels, one runtime class, three device plugins. */
	assert_int_equal(n, 9);
	plan_done(&plan);
	model_done(&m);
}

/* A control plane alone keeps kubeadm's own taint, which a list of ours would replace. */
static void test_the_taint_is_there_from_the_first_moment(void **state)
{
	static const struct {
		const char *roles;
		bool registers;
	} cases[] = { { "worker", true },
		      { "[control-plane, worker]", true },
		      { "control-plane", false } };

	(void)state;
	CASES (c, cases) {
		struct plan plan = { 0 };
		struct model m;
		const char *kubeadm;

		load("1.36", NOBLE, c->roles, &m);
		make_plan(&m, "i1", NULL, &plan);
		kubeadm = find_action(&plan, "/etc/rackseed/kubeadm.yaml")->content;
		assert_int_equal(strstr(kubeadm, "\"" GPU_TAINT "\"") != NULL, c->registers);
		assert_null(strstr(kubeadm, "taints: []"));
		plan_done(&plan);
		model_done(&m);
	}
}

/* Whoever writes no plugin gets none, and who has no such node gets nothing of it. */
static void test_nothing_is_made_that_nobody_asked_for(void **state)
{
	static const char bare[] =
		"apiVersion: rackseed/v1\n"
		"cluster: {name: lab, kubernetes: {version: \"1.31\"}, endpoint: \"cp1:6443\"}\n"
		"os: {distribution: debian, release: trixie}\n"
		"network: {subnet: 192.168.10.0/24}\n"
		"gpus: {nvidia: {devicePlugin: \"reg.lab/plugin:1\"}}\n"
		"nodes:\n"
		"  cp1: {role: control-plane, address: 192.168.10.50, mac: \"52:54:00:00:00:32\"}\n"
		"  w1: {role: worker, address: 192.168.10.51, mac: \"52:54:00:00:00:33\", "
		"gpu: intel}\n";
	struct plan plan = { 0 };
	struct model m;
	size_t i;

	(void)state;
	load_document(bare, &m);
	make_plan(&m, "cp1", NULL, &plan);
	for (i = 0; i < plan.n; i++)
		assert_null(strstr(plan.actions[i].path, "/apis/"));
	plan_done(&plan);
	model_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans_of_nodes_with_gpus),
		cmocka_unit_test(test_the_runtime_follows_the_containerd),
		cmocka_unit_test(test_the_runtime_class_follows_kubernetes),
		cmocka_unit_test(test_what_is_applied_is_json),
		cmocka_unit_test(test_the_taint_is_there_from_the_first_moment),
		cmocka_unit_test(test_nothing_is_made_that_nobody_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
