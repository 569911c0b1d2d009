/* SPDX-License-Identifier: MIT */
#pragma once

#include "cluster/api.h"
#include "cluster/decide.h"

struct fault;
struct node;
struct text;

/* What lies on the disk and answers on the network, for decide(). Reads only. */

/*
 * From files below the node's root and from its state; the bus is not asked (kubelet_active).
 * Negative: the disk did not answer, and what is not known must not be decided upon.
 */
int probe_disk(const struct node *node, struct decide_facts *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* "https://192.168.10.50:6443", brackets around IPv6. */
void probe_server(const struct node *node, struct text *out) __attribute__((nonnull));

/* 0 when the API server at the cluster's endpoint answers under our CA; else the cause. */
int probe_api(const struct node *node, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * 0 when it can also take a join: it knows our bootstrap token, and the last of the rules that
 * `kubeadm init` makes for joining nodes is there.
 */
int probe_join(const struct node *node, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Whether the cluster holds this node's Node for Ready, asked with the bootstrap token; false too
 * where it does not say.
 */
bool probe_node_is_ready(const struct node *node) __attribute__((nonnull, warn_unused_result));

/*
 * Whether the API server, asked with kubelet's own certificate, knows of no such Node: the cluster
 * began anew or from a snapshot, and kubelet registers a Node only when it starts.
 */
bool probe_node_is_unknown(const struct node *node) __attribute__((nonnull, warn_unused_result));

/*
 * The decision. The network is asked, and *facts completed, only where the disk alone does not tell
 * what is right, and before anything is reset; *api then says why the API server does not serve.
 */
struct decision probe_decide(const struct node *node, struct decide_facts *facts, struct fault *api)
	__attribute__((nonnull));

/* Whether a certificate is of the future: this clock is behind, or the signer's was ahead once. */
bool probe_is_early(const char *pem) __attribute__((nonnull, warn_unused_result));

#define PROBE_KUBELET_CERT "var/lib/kubelet/pki/kubelet-client-current.pem"

/* Its being there is an operator's word that others are silent for good; gone with this boot. */
#define PROBE_FORCED "/run/rackseed/force-init"

/* "control-plane yes\n…": the facts as `--explain` shows them. */
void probe_print(const struct decide_facts *facts, struct text *out) __attribute__((nonnull));
