/* SPDX-License-Identifier: MIT */
#include "cluster/kubeadm_parts.h"

#include <string.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/gpu.h"
#include "cluster/kubeadm.h"

/* By version, oldest last. */
static const struct {
	int minor;
	const char *api;
} formats[] = {
	{ 31, "kubeadm.k8s.io/v1beta4" },
	{ 22, "kubeadm.k8s.io/v1beta3" },
	{ 0, "kubeadm.k8s.io/v1beta2" },
};

const char *kubeadm_api_version(const struct model_version *version)
{
	size_t i = 0;

	while (i + 1 < COUNT(formats) && model_version_cmp(version, 1, formats[i].minor) < 0)
		i++;
	return formats[i].api;
}

const char *kubeadm_cri_socket(const struct model_version *version)
{
	return model_version_cmp(version, 1, 24) < 0 ? "/run/containerd/containerd.sock"
						     : "unix:///run/containerd/containerd.sock";
}

/* kubeadm's constant PauseVersion, by minor version, newest first. */
static const struct {
	int minor;
	const char *tag;
} pauses[] = {
	{ 34, "3.10.1" }, { 31, "3.10" }, { 26, "3.9" },   { 25, "3.8" }, { 24, "3.7" },
	{ 23, "3.6" },	  { 22, "3.5" },  { 21, "3.4.1" }, { 18, "3.2" }, { 0, "3.1" },
};

void kubeadm_pause_image(const struct model *m, const struct model_version *version,
			 struct text *out)
{
	const char *repository = m->image_repository;
	size_t i = 0;

	while (i + 1 < COUNT(pauses) && model_version_cmp(version, 1, pauses[i].minor) < 0)
		i++;
	if (!repository)
		repository =
			model_version_cmp(version, 1, 25) < 0 ? "k8s.gcr.io" : "registry.k8s.io";
	text_addf(out, "%s/pause:%s", repository, pauses[i].tag);
}

/* What a kubelet may say of itself although it lies in Kubernetes' own domains. */
static const char *const allowed_keys[] = {
	"kubernetes.io/hostname",
	"kubernetes.io/arch",
	"kubernetes.io/os",
	"beta.kubernetes.io/arch",
	"beta.kubernetes.io/os",
	"beta.kubernetes.io/instance-type",
	"node.kubernetes.io/instance-type",
	"failure-domain.beta.kubernetes.io/region",
	"failure-domain.beta.kubernetes.io/zone",
	"failure-domain.kubernetes.io/region",
	"failure-domain.kubernetes.io/zone",
	"topology.kubernetes.io/region",
	"topology.kubernetes.io/zone",
};
static const char *const allowed_domains[] = { "kubelet.kubernetes.io", "node.kubernetes.io" };

/* Whether the first n letters of s are the domain or one below it. */
static bool is_within(const char *s, size_t n, const char *domain)
{
	size_t m = strlen(domain);

	return n >= m && memcmp(s + n - m, domain, m) == 0 && (n == m || s[n - m - 1] == '.');
}

bool kubeadm_label_is_own(const char *key)
{
	const char *slash = strchr(key, '/');
	size_t n = slash ? (size_t)(slash - key) : 0;
	size_t i;

	if (!is_within(key, n, "kubernetes.io") && !is_within(key, n, "k8s.io"))
		return true;
	for (i = 0; i < COUNT(allowed_keys); i++)
		if (strcmp(key, allowed_keys[i]) == 0)
			return true;
	for (i = 0; i < COUNT(allowed_domains); i++)
		if (is_within(key, n, allowed_domains[i]))
			return true;
	return false;
}

void kubeadm_part_head(const struct model_version *version, const char *kind, struct text *out)
{
	text_addf(out, "apiVersion: %s\nkind: %s\n", kubeadm_api_version(version), kind);
}

void kubeadm_part_argument(const struct model_version *version, unsigned indent, const char *name,
			   const char *value, struct text *out)
{
	if (model_version_cmp(version, 1, 31) >= 0)
		text_addf(out, "%*s- name: %s\n%*s  value: ", (int)indent, "", name, (int)indent,
			  "");
	else
		text_addf(out, "%*s%s: ", (int)indent, "", name);
	quote_yaml(out, value);
	text_add(out, "\n");
}

static void node_labels(const struct model_node *node, struct text *out)
{
	size_t i;

	for (i = 0; i < node->n_labels; i++)
		if (kubeadm_label_is_own(node->labels[i].key))
			text_addf(out, "%s%s=%s", out->len ? "," : "", node->labels[i].key,
				  node->labels[i].value);
}

/*
 * Without a word here kubeadm taints every control plane. One that is a worker too shall take pods;
 * what the file says replaces either.
 */
static void taints(const struct model_node *node, struct text *out)
{
	unsigned both = MODEL_CONTROL_PLANE | MODEL_WORKER;
	bool has_gpu = gpu_vendor_of(node) != NULL;
	size_t i;

	if (node->n_taints == 0 && !has_gpu && (node->roles & both) == both)
		text_add(out, "  taints: []\n");
	if (node->n_taints == 0 && (!has_gpu || (node->roles & both) == MODEL_CONTROL_PLANE))
		return;
	text_add(out, "  taints:\n");
	for (i = 0; i < node->n_taints; i++) {
		text_add(out, "    - key: ");
		quote_yaml(out, node->taints[i].key);
		text_add(out, "\n      value: ");
		quote_yaml(out, node->taints[i].value ? node->taints[i].value : "");
		text_add(out, "\n      effect: ");
		quote_yaml(out, node->taints[i].effect);
		text_add(out, "\n");
	}
	/* From the first moment on: until they are tested nothing is to run there. */
	if (has_gpu)
		text_add(out, "    - key: \"" GPU_TAINT "\"\n      value: \"\"\n"
			      "      effect: \"" GPU_TAINT_EFFECT "\"\n");
}

void kubeadm_part_registration(const struct model_node *node, const struct model_version *version,
			       struct text *out)
{
	scoped(text_done) struct text labels = { 0 };
	char ip[NET_IP_LEN];

	text_add(out, "nodeRegistration:\n  name: ");
	quote_yaml(out, node->name);
	text_addf(out, "\n  criSocket: \"%s\"\n", kubeadm_cri_socket(version));
	taints(node, out);
	text_add(out, "  kubeletExtraArgs:\n");
	kubeadm_part_argument(version, 4, "node-ip", net_ip_text(&node->address, ip), out);
	node_labels(node, &labels);
	text_inherit(out, &labels);
	if (labels.len > 0)
		kubeadm_part_argument(version, 4, "node-labels", text_str(&labels), out);
}

void kubeadm_part_endpoint(const struct model *m, const struct model_node *node, unsigned indent,
			   struct text *out)
{
	char ip[NET_IP_LEN];

	text_addf(out, "%*sadvertiseAddress: \"%s\"\n%*sbindPort: %u\n", (int)indent, "",
		  net_ip_text(&node->address, ip), (int)indent, "", m->endpoint_port);
}

void kubeadm_part_host_port(const struct model *m, struct text *out)
{
	scoped(text_done) struct text whole = { 0 };
	bool v6 = strchr(m->endpoint_host, ':') != NULL;

	text_addf(&whole, "%s%s%s:%u", v6 ? "[" : "", m->endpoint_host, v6 ? "]" : "",
		  m->endpoint_port);
	text_inherit(out, &whole);
	quote_yaml(out, text_str(&whole));
}

bool kubeadm_part_is_control_plane(const struct model *m, const char *host)
{
	struct net_ip ip = { 0 };
	bool is_ip = net_ip_parse(host, &ip) == 0;
	size_t i;

	for (i = 0; i < m->n_nodes; i++) {
		const struct model_node *node = &m->nodes[i];

		if (!(node->roles & MODEL_CONTROL_PLANE))
			continue;
		if (is_ip ? net_ip_equal(&ip, &node->address) : strcmp(host, node->name) == 0)
			return true;
	}
	return false;
}

void kubeadm_discovery(const struct model *m, const char *ca_base64, struct text *out)
{
	scoped(text_done) struct text server = { 0 };
	bool v6 = strchr(m->endpoint_host, ':') != NULL;

	text_addf(&server, "https://%s%s%s:%u", v6 ? "[" : "", m->endpoint_host, v6 ? "]" : "",
		  m->endpoint_port);
	text_inherit(out, &server);
	/* No name, as in kubeadm's own cluster-info: with a context it would want a user too. */
	text_add(out, "apiVersion: v1\nkind: Config\nclusters:\n  - name: \"\"\n"
		      "    cluster:\n      server: ");
	quote_yaml(out, text_str(&server));
	text_addf(out, "\n      certificate-authority-data: \"%s\"\n", ca_base64);
	text_add(out, "contexts: []\ncurrent-context: \"\"\nusers: []\n");
}
