/* SPDX-License-Identifier: MIT */
#include "cluster/kubeadm.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/kubeadm_parts.h"

/* Servers are slow and so are their disks: kubeadm's own 4 and 5 minutes are too few. */
#define PATIENCE "15m0s"

static void skip_phases_field(const struct model *m, const struct model_version *version,
			      struct text *out)
{
	char **phase = m->skip_phases;

	if (model_version_cmp(version, 1, 22) < 0 || !phase || !*phase)
		return;
	text_add(out, "skipPhases:\n");
	for (; *phase; phase++) {
		text_add(out, "  - ");
		quote_yaml(out, *phase);
		text_add(out, "\n");
	}
}

void kubeadm_skip_phases_argument(const struct model *m, const struct model_version *version,
				  struct text *out)
{
	char **phase = m->skip_phases;

	if (model_version_cmp(version, 1, 22) >= 0 || !phase)
		return;
	for (; *phase; phase++)
		text_addf(out, "%s%s", phase == m->skip_phases ? "--skip-phases=" : ",", *phase);
}

static void patches_field(const struct model_version *version, struct text *out)
{
	if (model_version_cmp(version, 1, 22) >= 0)
		text_add(out, "patches:\n  directory: " KUBEADM_PATCHES "\n");
}

const char *kubeadm_patches_argument(const struct model_version *version)
{
	bool is_known = model_version_cmp(version, 1, 20) >= 0;

	return is_known && model_version_cmp(version, 1, 22) < 0
		       ? "--experimental-patches=" KUBEADM_PATCHES
		       : NULL;
}

/*
 * The preflight pulls CoreDNS's image even where that addon is left out, and fails where it cannot
 * be had. kubelet pulls what is really used, and keeps trying.
 */
static void ignored_errors(const struct model *m, struct text *out)
{
	char **phase = m->skip_phases;

	for (; phase && *phase; phase++)
		if (strcmp(*phase, "addon/coredns") == 0 || strcmp(*phase, "addon") == 0) {
			text_add(out, "  ignorePreflightErrors: [ImagePull]\n");
			return;
		}
}

static void init_configuration(const struct model *m, const struct model_node *node,
			       const struct model_version *version, const char *token,
			       struct text *out)
{
	kubeadm_part_head(version, "InitConfiguration", out);
	text_addf(out,
		  "bootstrapTokens:\n"
		  "  - token: \"%s\"\n"
		  "    description: \"rackseed: the nodes of this cluster\"\n"
		  "    ttl: \"0s\"\n"
		  "    usages: [signing, authentication]\n"
		  "    groups: [\"system:bootstrappers:kubeadm:default-node-token\"]\n",
		  token);
	kubeadm_part_registration(node, version, out);
	ignored_errors(m, out);
	text_add(out, "localAPIEndpoint:\n");
	kubeadm_part_endpoint(m, node, 2, out);
	skip_phases_field(m, version, out);
	patches_field(version, out);
	if (model_version_cmp(version, 1, 31) >= 0)
		text_add(out, "timeouts:\n"
			      "  controlPlaneComponentHealthCheck: " PATIENCE "\n"
			      "  kubeletHealthCheck: " PATIENCE "\n");
}

static void api_server(const struct model *m, const struct model_version *version, struct text *out)
{
	size_t i;

	text_add(out, "apiServer:\n");
	kubeadm_part_api_server_safety(version, out);
	if (model_version_cmp(version, 1, 31) < 0)
		text_add(out, "  timeoutForControlPlane: " PATIENCE "\n");
	text_add(out, "  certSANs:\n");
	for (i = 0; i < m->n_nodes; i++) {
		char ip[NET_IP_LEN];

		if (!(m->nodes[i].roles & MODEL_CONTROL_PLANE))
			continue;
		text_add(out, "    - ");
		quote_yaml(out, m->nodes[i].name);
		text_addf(out, "\n    - \"%s\"\n", net_ip_text(&m->nodes[i].address, ip));
	}
	if (!kubeadm_part_is_control_plane(m, m->endpoint_host)) {
		text_add(out, "    - ");
		quote_yaml(out, m->endpoint_host);
		text_add(out, "\n");
	}
}

/*
 * Who cannot renew in time ends and is started again. The defaults, 15, 10 and 2 seconds, are too
 * short for a disk or a processor that stalls, and write to etcd each second.
 */
static void leader_election(const struct model_version *version, struct text *out)
{
	kubeadm_part_argument(version, 4, "leader-elect-lease-duration", "30s", out);
	kubeadm_part_argument(version, 4, "leader-elect-renew-deadline", "20s", out);
	kubeadm_part_argument(version, 4, "leader-elect-retry-period", "5s", out);
}

static void cluster_configuration(const struct model *m, const struct model_version *version,
				  struct text *out)
{
	char cidr[NET_CIDR_LEN];

	kubeadm_part_head(version, "ClusterConfiguration", out);
	text_add(out, "clusterName: ");
	quote_yaml(out, m->name);
	text_addf(out, "\nkubernetesVersion: v%d.%d.%d\ncontrolPlaneEndpoint: ", version->major,
		  version->minor, version->patch < 0 ? 0 : version->patch);
	kubeadm_part_host_port(m, out);
	text_add(out, "\n");
	if (m->image_repository) {
		text_add(out, "imageRepository: ");
		quote_yaml(out, m->image_repository);
		text_add(out, "\n");
	}
	text_addf(out, "networking:\n  podSubnet: \"%s\"\n", net_cidr_text(&m->pod_subnet, cidr));
	text_addf(out, "  serviceSubnet: \"%s\"\n", net_cidr_text(&m->service_subnet, cidr));
	api_server(m, version, out);
	text_add(out, "controllerManager:\n  extraArgs:\n");
	if (m->pod_network == MODEL_PODS_ROUTED)
		kubeadm_part_argument(version, 4, "allocate-node-cidrs", "false", out);
	leader_election(version, out);
	kubeadm_part_argument(version, 4, "profiling", "false", out);
	kubeadm_part_argument(version, 4, "terminated-pod-gc-threshold", "1000", out);
	text_add(out, "scheduler:\n  extraArgs:\n");
	leader_election(version, out);
	kubeadm_part_argument(version, 4, "profiling", "false", out);
}

/* resolv.conf is a file of the plan on every node, whether or not systemd-resolved runs there. */
static void component_configurations(const struct model *m, struct text *out)
{
	char cidr[NET_CIDR_LEN];

	text_add(out, "---\n"
		      "apiVersion: kubelet.config.k8s.io/v1beta1\n"
		      "kind: KubeletConfiguration\n"
		      "cgroupDriver: systemd\n"
		      "failSwapOn: true\n"
		      "resolvConf: /etc/resolv.conf\n"
		      "rotateCertificates: true\n"
		      "serverTLSBootstrap: false\n");
	kubeadm_part_kubelet_safety(out);
	text_add(out, "---\n"
		      "apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
		      "kind: KubeProxyConfiguration\n"
		      "mode: iptables\n");
	text_addf(out, "clusterCIDR: \"%s\"\n", net_cidr_text(&m->pod_subnet, cidr));
}

void kubeadm_init_document(const struct model *m, const struct model_node *node,
			   const struct model_version *version, const char *token, struct text *out)
{
	init_configuration(m, node, version, token, out);
	text_add(out, "---\n");
	cluster_configuration(m, version, out);
	component_configurations(m, out);
}

void kubeadm_join_document(const struct model *m, const struct model_node *node,
			   const struct model_version *version, const char *token, struct text *out)
{
	bool has_timeouts = model_version_cmp(version, 1, 31) >= 0;

	kubeadm_part_head(version, "JoinConfiguration", out);
	text_addf(out,
		  "discovery:\n"
		  "  file:\n"
		  "    kubeConfigPath: " KUBEADM_DISCOVERY_PATH "\n"
		  "  tlsBootstrapToken: \"%s\"\n",
		  token);
	if (!has_timeouts)
		text_add(out, "  timeout: " PATIENCE "\n");
	kubeadm_part_registration(node, version, out);
	ignored_errors(m, out);
	if (node->roles & MODEL_CONTROL_PLANE) {
		text_add(out, "controlPlane:\n  localAPIEndpoint:\n");
		kubeadm_part_endpoint(m, node, 4, out);
		patches_field(version, out);
	}
	if (has_timeouts)
		text_add(out, "timeouts:\n"
			      "  controlPlaneComponentHealthCheck: " PATIENCE "\n"
			      "  discovery: " PATIENCE "\n"
			      "  kubeletHealthCheck: " PATIENCE "\n"
			      "  tlsBootstrap: " PATIENCE "\n");
}
