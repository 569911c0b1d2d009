/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_plan.h"

#include <glob.h>
#include <unistd.h>

#include "base/run.h"
#include "base/yaml.h"
#include "cluster/kubeadm.h"

#define TOKEN "abcdef.0123456789abcdef"

static const struct {
	int minor, patch;
	const char *api, *socket, *pause;
} versions[] = {
	{ 17, 0, "v1beta2", "/run/containerd/containerd.sock", "k8s.gcr.io/pause:3.1" },
	{ 20, 2, "v1beta2", "/run/containerd/containerd.sock", "k8s.gcr.io/pause:3.2" },
	{ 21, 14, "v1beta2", "/run/containerd/containerd.sock", "k8s.gcr.io/pause:3.4.1" },
	{ 22, 1, "v1beta3", "/run/containerd/containerd.sock", "k8s.gcr.io/pause:3.5" },
	{ 24, 0, "v1beta3", "unix:///run/containerd/containerd.sock", "k8s.gcr.io/pause:3.7" },
	{ 30, 6, "v1beta3", "unix:///run/containerd/containerd.sock", "registry.k8s.io/pause:3.9" },
	{ 31, 3, "v1beta4", "unix:///run/containerd/containerd.sock",
	  "registry.k8s.io/pause:3.10" },
	{ 36, 1, "v1beta4", "unix:///run/containerd/containerd.sock",
	  "registry.k8s.io/pause:3.10.1" },
};

static void test_formats_follow_the_version(void **state)
{
	struct model m = { 0 };

	(void)state;
	CASES (v, versions) {
		const struct model_version version = { 1, v->minor, v->patch };
		struct text pause = { 0 };

		assert_string_equal(kubeadm_api_version(&version) + strlen("kubeadm.k8s.io/"),
				    v->api);
		assert_string_equal(kubeadm_cri_socket(&version), v->socket);
		kubeadm_pause_image(&m, &version, &pause);
		assert_string_equal(text_str(&pause), v->pause);
		text_done(&pause);
	}
}

static void golden(const char *what, const struct model_version *v, const struct text *out)
{
	char name[64];

	snprintf(name, sizeof(name), "kubeadm/%d.%d-%s.yaml", v->major, v->minor, what);
	assert_golden(name, text_str(out));
}

static void test_documents_by_version(void **state)
{
	static const int minors[] = { 17, 20, 22, 30, 31, 36 };
	struct model m;

	(void)state;
	load_document(lab_document, &m);
	CASES (minor, minors) {
		const struct model_version version = { 1, *minor, 2 };
		struct text init = { 0 }, join = { 0 }, control = { 0 };

		kubeadm_init_document(&m, &m.nodes[0], &version, TOKEN, &init);
		golden("init", &version, &init);
		kubeadm_join_document(&m, &m.nodes[1], &version, TOKEN, &join);
		golden("join", &version, &join);
		kubeadm_join_document(&m, &m.nodes[0], &version, TOKEN, &control);
		golden("join-control-plane", &version, &control);
		text_done(&init);
		text_done(&join);
		text_done(&control);
	}
	model_done(&m);
}

/* The documents of a stream one by one, each read as YAML. */
static void test_every_document_is_yaml(void **state)
{
	struct model m;

	(void)state;
	load_document(rich_document, &m);
	CASES (v, versions) {
		const struct model_version version = { 1, v->minor, v->patch };
		struct text out = { 0 };
		const char *at, *end;
		int n = 0;

		kubeadm_init_document(&m, &m.nodes[2], &version, TOKEN, &out);
		for (at = text_str(&out); at; at = end ? end + 4 : NULL, n++) {
			struct yaml tree = { 0 };
			struct yaml_error error = { 0 };
			size_t len;

			end = strstr(at, "---\n");
			len = end ? (size_t)(end - at) : strlen(at);
			if (yaml_parse(at, len, &tree, &error) < 0)
				fail_msg("%u: %s\n%s", error.line, error.message, at);
			assert_non_null(yaml_text(yaml_get(&tree, "kind")));
			yaml_done(&tree);
		}
		assert_int_equal(n, 4);
		text_done(&out);
	}
	model_done(&m);
}

static void test_skipped_phases_are_a_field_or_an_argument(void **state)
{
	static char coredns[] = "addon/coredns", proxy[] = "addon/kube-proxy";
	static char *phases[] = { coredns, proxy, NULL };
	const struct model_version old = { 1, 21, 0 }, new = { 1, 22, 0 };
	struct model m = { .skip_phases = phases };
	struct text out = { 0 };

	(void)state;
	kubeadm_skip_phases_argument(&m, &new, &out);
	assert_string_equal(text_str(&out), "");
	kubeadm_skip_phases_argument(&m, &old, &out);
	assert_string_equal(text_str(&out), "--skip-phases=addon/coredns,addon/kube-proxy");
	text_done(&out);
	m.skip_phases = NULL;
	kubeadm_skip_phases_argument(&m, &old, &out);
	assert_string_equal(text_str(&out), "");
}

static void test_patches_are_a_field_or_an_argument_or_nothing(void **state)
{
	static const struct {
		int minor;
		bool argument, field;
	} cases[] = { { 19, false, false }, { 20, true, false }, { 21, true, false },
		      { 22, false, true },  { 36, false, true } };
	struct model m;

	(void)state;
	load_document(lab_document, &m);
	CASES (c, cases) {
		const struct model_version version = { 1, c->minor, 2 };
		const char *argument = kubeadm_patches_argument(&version);
		struct text init = { 0 }, join = { 0 }, worker = { 0 };

		assert_int_equal(argument != NULL, c->argument);
		if (argument)
			assert_string_equal(argument, "--experimental-patches=" KUBEADM_PATCHES);
		kubeadm_init_document(&m, &m.nodes[0], &version, TOKEN, &init);
		kubeadm_join_document(&m, &m.nodes[0], &version, TOKEN, &join);
		kubeadm_join_document(&m, &m.nodes[1], &version, TOKEN, &worker);
		assert_int_equal(strstr(text_str(&init), "\npatches:\n") != NULL, c->field);
		assert_int_equal(strstr(text_str(&join), "\npatches:\n") != NULL, c->field);
		assert_null(strstr(text_str(&worker), "patches"));
		text_done(&init);
		text_done(&join);
		text_done(&worker);
	}
	model_done(&m);
}

/* Each names the one container that kubeadm gives that pod. */
static void test_patches_are_for_pods_of_kubeadm(void **state)
{
	static const char *const names[] = { "etcd", "kube-apiserver", "kube-controller-manager",
					     "kube-scheduler" };

	(void)state;
	CASES (name, names) {
		struct text path = { 0 }, file = { 0 };
		const struct yaml *list, *probe;
		struct yaml tree = { 0 };
		struct yaml_error error = { 0 };
		struct fault why = { 0 };

		text_addf(&path, "firstboot/tree" KUBEADM_PATCHES "/%s+strategic.yaml", *name);
		assert_int_equal(fs_read(AT_FDCWD, text_str(&path), 4096, &file, &why), 0);
		assert_int_equal(yaml_parse(text_str(&file), file.len, &tree, &error), 0);
		list = yaml_get(yaml_get(&tree, "spec"), "containers");
		assert_int_equal(list->n_items, 1);
		assert_string_equal(yaml_text(yaml_get(&list->items[0], "name")), *name);
		probe = yaml_get(&list->items[0], "livenessProbe");
		assert_string_equal(yaml_text(yaml_get(probe, "failureThreshold")), "30");
		yaml_done(&tree);
		text_done(&file);
		text_done(&path);
	}
}

static void test_labels_that_a_kubelet_may_set(void **state)
{
	static const struct {
		const char *key;
		bool own;
	} cases[] = {
		{ "tier", true },
		{ "example.com/tier", true },
		{ "kubernetes.io", true },
		{ "mykubernetes.io/x", true },
		{ "kubernetes.io/arch", true },
		{ "topology.kubernetes.io/zone", true },
		{ "node.kubernetes.io/anything", true },
		{ "a.kubelet.kubernetes.io/x", true },
		{ "kubernetes.io/role", false },
		{ "node-role.kubernetes.io/worker", false },
		{ "node-restriction.kubernetes.io/x", false },
		{ "k8s.io/x", false },
		{ "a.k8s.io/x", false },
	};

	(void)state;
	CASES (c, cases) {
		if (kubeadm_label_is_own(c->key) != c->own)
			fail_msg("%s", c->key);
	}
}

static void test_discovery_names_endpoint_and_ca(void **state)
{
	struct model m;
	struct text out = { 0 };

	(void)state;
	load_document(lab_document, &m);
	kubeadm_discovery(&m, "QUJD", &out);
	assert_golden("kubeadm/discovery.yaml", text_str(&out));
	text_done(&out);
	model_done(&m);
}

/* The kubeadm that tests/kube/build made, if it ran on this machine; else what PATH has. */
static const char *find_kubeadm(glob_t *found)
{
	const char *cache = getenv("RACKSEED_CACHE"), *home = getenv("HOME");
	char pattern[512];

	if (cache)
		snprintf(pattern, sizeof(pattern), "%s/kube-compiled-*/bin/kubeadm", cache);
	else
		snprintf(pattern, sizeof(pattern), "%s/.cache/rackseed/kube-compiled-*/bin/kubeadm",
			 home ? home : "");
	return glob(pattern, 0, NULL, found) == 0 ? found->gl_pathv[0] : "kubeadm";
}

/* kubeadm tells unknown fields with a warning only, which counts as a fault here. */
static void note_warning(const char *line, void *data)
{
	if (strstr(line, "unknown field") || strstr(line, "strict decoding"))
		text_addf(data, "%s\n", line);
}

static void test_kubeadm_takes_its_document(void **state)
{
	glob_t found = { 0 };
	const char *kubeadm = find_kubeadm(&found);
	const struct model_version version = { 1, 20, 2 };
	char path[] = "/tmp/test_kubeadm.XXXXXX";
	const char *probe[] = { kubeadm, "version", "-o", "short", NULL };
	const char *argv[] = { probe[0], "config", "images", "list", "--config", path, NULL };
	struct text got = { 0 }, document = { 0 }, warnings = { 0 };
	struct run what = { .argv = probe, .out = &got };
	struct fault why = { 0 };
	struct model m;
	int fd;

	(void)state;
	if (run(&what, &why) < 0 || strncmp(text_str(&got), "v1.20.2", 7) != 0) {
		text_done(&got);
		globfree(&found);
		skip();
	}
	text_done(&got);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	load_document(lab_document, &m);
	kubeadm_init_document(&m, &m.nodes[0], &version, TOKEN, &document);
	assert_int_equal(write(fd, document.data, document.len), (long)document.len);
	close(fd);
	what = (struct run){ .argv = argv, .out = &got, .line = note_warning, .data = &warnings };
	if (run(&what, &why) < 0)
		fail_msg("%s", why.text);
	unlink(path);
	assert_string_equal(text_str(&warnings), "");
	assert_non_null(strstr(text_str(&got), "k8s.gcr.io/kube-apiserver:v1.20.2\n"));
	assert_non_null(strstr(text_str(&got), "k8s.gcr.io/pause:3.2\n"));
	text_done(&got);
	text_done(&document);
	model_done(&m);
	globfree(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats_follow_the_version),
		cmocka_unit_test(test_documents_by_version),
		cmocka_unit_test(test_every_document_is_yaml),
		cmocka_unit_test(test_skipped_phases_are_a_field_or_an_argument),
		cmocka_unit_test(test_patches_are_a_field_or_an_argument_or_nothing),
		cmocka_unit_test(test_patches_are_for_pods_of_kubeadm),
		cmocka_unit_test(test_labels_that_a_kubelet_may_set),
		cmocka_unit_test(test_discovery_names_endpoint_and_ca),
		cmocka_unit_test(test_kubeadm_takes_its_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
