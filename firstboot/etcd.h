/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct fault;
struct node;

/* etcd of this node: its data on the disk, and its members through the gateway (HTTPS, JSON). */

#define ETCD_DIR "var/lib/etcd"
/* Where a snapshot is unpacked: beside its place, so that one rename puts it there whole. */
#define ETCD_RESTORING ETCD_DIR "/restoring"

enum etcd_data {
	ETCD_NONE,    /* no data */
	ETCD_FIT,     /* a database and a log are there: etcd judges the rest */
	ETCD_DAMAGED, /* no etcd would start from it */
};

/*
 * What lies in a member folder, such as "var/lib/etcd/member", below root. Negative: the disk did
 * not answer, so that nothing is known of it.
 */
int etcd_look(int root, const char *member, enum etcd_data *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Whether kubelet may start its pods: not where the manifest of etcd lies and its data does not,
 * for an etcd that finds no data begins a cluster of its own. Asked by kubelet.service at each
 * start.
 */
bool etcd_kubelet_may_start(int root);

/* Puts the data out of etcd's way and keeps it, as var/lib/etcd/damaged-N. FS_SAME: none there. */
int etcd_set_aside(int root, struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * Removes the stale member of this node's name or address from etcd, through the other control
 * planes. 0 when there is none any more; a wait when none of them answers.
 */
int etcd_leave(const struct node *node, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Writes a snapshot of the running etcd to name in the folder: whole and verified, or not at all.
 */
int etcd_snapshot(const struct node *node, int folder, const char *name, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
