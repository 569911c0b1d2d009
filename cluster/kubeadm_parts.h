/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "cluster/model.h"

struct text;

/* What kubeadm's documents have in common; for cluster/kubeadm*.c only. */

void kubeadm_part_head(const struct model_version *version, const char *kind, struct text *out);

/* nodeRegistration: with name, socket, taints and kubelet's arguments. */
void kubeadm_part_registration(const struct model_node *node, const struct model_version *version,
			       struct text *out);

/* advertiseAddress and bindPort, indented. */
void kubeadm_part_endpoint(const struct model *m, const struct model_node *node, unsigned indent,
			   struct text *out);

/* One extra argument: a list's item from v1beta4 on, a mapping's pair before. */
void kubeadm_part_argument(const struct model_version *version, unsigned indent, const char *name,
			   const char *value, struct text *out);

/* The cluster's endpoint, "HOST:PORT" with quotes; brackets around an IPv6 address. */
void kubeadm_part_host_port(const struct model *m, struct text *out);

/* Whether host is the name or the address of a control plane of the file. */
bool kubeadm_part_is_control_plane(const struct model *m, const char *host);

/* What the CIS benchmark asks for beyond kubeadm's own defaults, in kubeadm_safety.c. */
void kubeadm_part_api_server_safety(const struct model_version *version, struct text *out);
void kubeadm_part_kubelet_safety(struct text *out);
