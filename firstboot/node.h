/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "cluster/model.h"
#include "cluster/plan.h"
#include "cluster/seed.h"
#include "cluster/snapshot.h"
#include "cluster/machine.h"
#include "firstboot/gpu.h"
#include "firstboot/state.h"

struct fault;
struct gpu_memory;
struct share_watch;

/* This node: what its seed says, what follows from it, what it remembers. The steps work on it. */
struct node {
	int root;  /* fd of / */
	bool live; /* root is that of this very machine, so kernel and network may be asked too */
	const char *seed_dir; /* the seed is read from here and not from its partition, or NULL */
	/* Called every second or so while a step works: false means that it shall stop. */
	bool (*alive)(void *data);
	/* Called when the node's name is known; and with what a long step is about. May be NULL. */
	void (*named)(void *data, const char *name);
	void (*note)(void *data, const char *what);
	void *data;

	bool loaded; /* what follows is there */
	struct seed seed;
	struct model model;
	const struct model_node *self;
	struct plan_facts facts;
	struct plan plan;
	struct machine machine;
	enum machine_verdict verdict;
	struct state state;

	/* Of the step objects: who it is to the API server. */
	struct text admin_crt, admin_key;

	char whole_snapshot[SNAPSHOT_NAME_LEN]; /* of the step snapshots: found whole, or "" */

	char firewall[96]; /* of that step: when its rules were loaded again and why, or "" */

	struct gpu_found gpu; /* of the step gpu, for the step objects */
	struct gpu_memory *gpu_memory; /* of its looks, or NULL */

	struct share_watch *shares; /* of the step shares: one per share that is mounted, or NULL */
	size_t n_shares;
};

#define NODE_IMAGE_PATH "/usr/lib/rackseed/image.json"

/* Reads, verifies and parses the seed, plans, and loads the state. Once; later calls do nothing. */
int node_load(struct node *node, struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Plans again for a node that joins, or that begins the cluster. */
int node_replan(struct node *node, bool joins, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

void node_done(struct node *node);

/* A file of the seed's secrets/, such as "pki/ca.crt", as a string; NULL when there is none. */
const char *node_secret(const struct node *node, const char *path) __attribute__((nonnull));

/* The bootstrap token, without its newline. */
int node_token(const struct node *node, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* What the image says of itself, from image.json below root; nothing known when it is not there. */
int node_image_facts(int root, struct plan_facts *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Makes the files of a step what they must be: STEP_SAME or STEP_CHANGED. */
int node_apply(struct node *node, enum plan_step step, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
