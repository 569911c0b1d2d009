/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "cluster/snapshot.h"

struct fault;
struct node;

/* The snapshots of etcd that this node keeps, in the folder that the file names for them. */

enum snapshots_state {
	SNAPSHOTS_NONE,	  /* the folder can be looked at, and holds none that is whole */
	SNAPSHOTS_FOUND,  /* the newest whole one is in .name */
	SNAPSHOTS_SILENT, /* the folder lies on a share or disk that is not there */
};

struct snapshots_found {
	enum snapshots_state state;
	char name[SNAPSHOT_NAME_LEN];
};

/* Whether they lie in the folder or below it, by their path. */
bool snapshots_lie_below(const struct node *node, const char *folder) __attribute__((nonnull));

/* Reads only. */
void snapshots_look(const struct node *node, struct snapshots_found *ret) __attribute__((nonnull));

/*
 * Takes one of the running etcd, now, and lets the oldest go. STEP_SAME on a node that has no etcd.
 */
int snapshots_take(const struct node *node, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * The seconds until the next one is due, by the names that lie there; 0: now. One that was found
 * whole is not read again.
 */
int64_t snapshots_due_s(struct node *node, int64_t now) __attribute__((nonnull));
