/* SPDX-License-Identifier: MIT */
#include "base/macros.h"
#include "base/text.h"
#include "cluster/kubeadm.h"
#include "cluster/kubeadm_parts.h"

/* Forward secrecy and authenticated encryption alone; TLS 1.3 has its own and needs no list. */
static const char *const ciphers[] = {
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
};

/*
 * Reads are many and change nothing, and leases are heartbeats; secrets are named, but not told.
 * Requests that are refused are written down like all others.
 */
const char kubeadm_audit_policy[] =
	"# Written by rackseed from cluster.yaml; changes here do not last.\n"
	"apiVersion: audit.k8s.io/v1\n"
	"kind: Policy\n"
	"omitStages: [RequestReceived]\n"
	"rules:\n"
	"  - level: None\n"
	"    nonResourceURLs: [\"/healthz*\", \"/livez*\", \"/readyz*\", \"/version\", "
	"\"/metrics\"]\n"
	"  - level: None\n"
	"    resources:\n"
	"      - {group: coordination.k8s.io, resources: [leases]}\n"
	"      - {group: \"\", resources: [events]}\n"
	"      - {group: events.k8s.io, resources: [events]}\n"
	"  - level: None\n"
	"    userGroups: [\"system:nodes\"]\n"
	"    verbs: [get, list, watch]\n"
	"  - level: None\n"
	"    users: [\"system:kube-controller-manager\", \"system:kube-scheduler\", "
	"\"system:kube-proxy\", \"system:apiserver\"]\n"
	"    verbs: [get, list, watch]\n"
	"  - level: Metadata\n";

static void cipher_list(struct text *out)
{
	size_t i;

	for (i = 0; i < COUNT(ciphers); i++)
		text_addf(out, "%s%s", i ? "," : "", ciphers[i]);
}

/* kubeadm sets the rest of the benchmark's by itself: authorization, admission, etcd and TLS. */
void kubeadm_part_api_server_safety(const struct model_version *version, struct text *out)
{
	scoped(text_done) struct text list = { 0 };
	const struct {
		const char *name, *value;
	} arguments[] = {
		{ "audit-log-maxage", "30" },
		{ "audit-log-maxbackup", "10" },
		{ "audit-log-maxsize", "100" },
		{ "audit-log-path", KUBEADM_AUDIT_LOG_FOLDER "/audit.log" },
		{ "audit-policy-file", KUBEADM_AUDIT_PATH },
		{ "kubelet-certificate-authority", "/etc/kubernetes/pki/ca.crt" },
		{ "profiling", "false" },
		{ "tls-cipher-suites", NULL },
	};
	size_t i;

	cipher_list(&list);
	text_inherit(out, &list);
	text_add(out, "  extraArgs:\n");
	for (i = 0; i < COUNT(arguments); i++)
		kubeadm_part_argument(version, 4, arguments[i].name,
				      arguments[i].value ? arguments[i].value : text_str(&list),
				      out);
	text_add(out, "  extraVolumes:\n"
		      "    - name: audit-policy\n"
		      "      hostPath: " KUBEADM_AUDIT_PATH "\n"
		      "      mountPath: " KUBEADM_AUDIT_PATH "\n"
		      "      readOnly: true\n"
		      "      pathType: File\n"
		      "    - name: audit-log\n"
		      "      hostPath: " KUBEADM_AUDIT_LOG_FOLDER "\n"
		      "      mountPath: " KUBEADM_AUDIT_LOG_FOLDER "\n"
		      "      pathType: DirectoryOrCreate\n");
}

/* Some are kubelet's or kubeadm's defaults; said here, they do not depend on the version. */
void kubeadm_part_kubelet_safety(struct text *out)
{
	size_t i;

	text_add(out, "authentication:\n"
		      "  anonymous: {enabled: false}\n"
		      "  webhook: {enabled: true}\n"
		      "  x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}\n"
		      "authorization: {mode: Webhook}\n"
		      "eventRecordQPS: 5\n"
		      "makeIPTablesUtilChains: true\n"
		      "podPidsLimit: 4096\n"
		      "protectKernelDefaults: true\n"
		      "readOnlyPort: 0\n"
		      "streamingConnectionIdleTimeout: 1h0m0s\n"
		      "tlsCertFile: " KUBEADM_KUBELET_CRT "\n"
		      "tlsPrivateKeyFile: " KUBEADM_KUBELET_KEY "\n"
		      "tlsCipherSuites:\n");
	for (i = 0; i < COUNT(ciphers); i++)
		text_addf(out, "  - %s\n", ciphers[i]);
}
