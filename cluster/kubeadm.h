/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "cluster/model.h"

struct text;

/*
 * kubeadm's own documents, by version: v1beta2 up to 1.21, v1beta3 for 1.22-1.30, v1beta4 from 1.31
 * (kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4). Pure. version is exact.
 */
const char *kubeadm_api_version(const struct model_version *version);

/*
 * InitConfiguration, ClusterConfiguration, KubeletConfiguration and KubeProxyConfiguration. token
 * is a valid bootstrap token or a place of a plan's template: neither needs escaping.
 */
void kubeadm_init_document(const struct model *m, const struct model_node *node,
			   const struct model_version *version, const char *token,
			   struct text *out);

/* JoinConfiguration: discovery by file (the CA is in it), TLS bootstrap with the token. */
void kubeadm_join_document(const struct model *m, const struct model_node *node,
			   const struct model_version *version, const char *token,
			   struct text *out);

/*
 * The argument that leaves the document's phases out of `kubeadm init`, "--skip-phases=a,b", where
 * the format has no field for it (v1beta2); nothing is added otherwise.
 */
void kubeadm_skip_phases_argument(const struct model *m, const struct model_version *version,
				  struct text *out);

/*
 * What makes kubeadm patch the static pods that it writes, "--experimental-patches=FOLDER", where
 * the format has no field for it (1.20 and 1.21); NULL otherwise. Older ones are not patched.
 */
const char *kubeadm_patches_argument(const struct model_version *version);

/* The discovery kubeconfig: endpoint and CA (base64 of its PEM, or a place), no credentials. */
void kubeadm_discovery(const struct model *m, const char *ca_base64, struct text *out);

/* Where kubelet and kubeadm of that version look for containerd. */
const char *kubeadm_cri_socket(const struct model_version *version);

/* The pause image that kubeadm of that version asks for; for plans made without an image. */
void kubeadm_pause_image(const struct model *m, const struct model_version *version,
			 struct text *out);

/* Whether a kubelet may set the label on its own Node (NodeRestriction, --node-labels). */
bool kubeadm_label_is_own(const char *key);

/* The API server's audit policy: who did what to which object, and never what was in it. */
extern const char kubeadm_audit_policy[];

/* The node's certificate of the cluster CA, which kubelet shows to the API server. */
#define KUBEADM_KUBELET_CRT "/etc/rackseed/kubelet.crt"
#define KUBEADM_KUBELET_KEY "/etc/rackseed/kubelet.key"
#define KUBEADM_PATCHES "/usr/lib/rackseed/patches" /* of the image, the same on all nodes */
#define KUBEADM_AUDIT_PATH "/etc/rackseed/audit.yaml"
#define KUBEADM_AUDIT_LOG_FOLDER "/var/log/kubernetes"
#define KUBEADM_DISCOVERY_PATH "/etc/rackseed/discovery.conf"
