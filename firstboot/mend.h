/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fault;
struct node;

/*
 * What kubeadm and kubelet wrote without a sync, and what a power cut makes of it: empty, cut
 * short, or never there. Only files that kubeadm can make again are taken away.
 */

struct mend_found {
	bool certificates, kubeconfigs, manifests; /* of a control plane: some are not there now */
	bool over_soon; /* a certificate of a control plane has less than a third of its year left
			 */
	bool changed;	/* something was removed or set aside */
};

/*
 * Takes away broken certificates (with their keys), kubeconfigs and manifests below etc/kubernetes,
 * and what kubelet serves with; sets kubelet's unreadable checkpoints aside. Then tells what lacks.
 */
int mend_sweep(const struct node *node, int64_t now, struct mend_found *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Takes kubelet's own certificate and kubeconfig away, so that it gets new ones. */
int mend_drop_kubelet(int root, struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * -EUCLEAN when the control plane that lies here was made for another address than the file's: both
 * are named. kubeadm has no way from one to the other.
 */
int mend_check_address(const struct node *node, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Deletes the bridge of the pods where its address is not of this node's part of podSubnet. */
int mend_bridge(const struct node *node, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
