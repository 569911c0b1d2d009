/* SPDX-License-Identifier: MIT */
#pragma once

#include "cluster/model.h"

struct text;

/*
 * kubeadm's own documents, by version: v1beta2 up to 1.21, v1beta3 for 1.22-1.30, v1beta4 from 1.31
 * (kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4). Pure. version is exact.
 */
const char *kubeadm_api_version(const struct model_version *version);

/* InitConfiguration, ClusterConfiguration, KubeletConfiguration and KubeProxyConfiguration. */
void kubeadm_init_document(const struct model *m, const struct model_node *node,
			   const struct model_version *version, const char *token,
			   struct text *out);

/* JoinConfiguration: discovery by file (the CA is in it), TLS bootstrap with the token. */
void kubeadm_join_document(const struct model *m, const struct model_node *node,
			   const struct model_version *version, const char *token,
			   struct text *out);

/* The discovery kubeconfig: the endpoint and the CA (PEM), no credentials. */
void kubeadm_discovery(const struct model *m, const char *ca_pem, struct text *out);
