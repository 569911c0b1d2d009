/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cluster/model.h"

struct fault;
struct text;

/*
 * What a node must be, as data: the same plan is printed by `rackseed plan` and carried out by
 * rackseed-firstboot. Pure.
 */

/* The steps of firstboot in their order; a plan's actions belong to one each. */
enum plan_step {
	PLAN_HOSTNAME, /* early: hostname, hosts */
	PLAN_ADMIN, /* early: the admin's account (sysusers.d, tmpfiles.d, sudoers.d) and ssh keys */
	PLAN_NETWORK, /* early: netplan */
	PLAN_SWAP,
	PLAN_KERNEL, /* modules and sysctl */
	PLAN_CLOCK,
	PLAN_CONTAINERD, /* config.toml, certs.d, CNI */
	PLAN_IMAGES,
	PLAN_FIREWALL,
	PLAN_CLUSTER, /* PKI, kubeadm document; init or join */
	PLAN_SHARES,
	PLAN_OBJECTS, /* labels, taints and roles through the API server */
	PLAN_N_STEPS,
};

/* "hostname", "network", … as shown, logged and on the bus. */
const char *plan_step_name(enum plan_step step);

enum plan_kind {
	PLAN_FILE, /* path holds content with mode */
	PLAN_SECRET, /* path holds the bytes of the seed's file named by source, with mode */
	PLAN_LINK, /* path is a symbolic link to content */
	PLAN_ABSENT, /* path is not there */
	PLAN_OBJECT, /* a Kubernetes object to apply: content is its JSON, path its API path */
	PLAN_N_KINDS,
};

struct plan_action {
	enum plan_step step;
	enum plan_kind kind;
	mode_t mode;
	char *path;
	char *content; /* or NULL */
	char *source; /* PLAN_SECRET: path below the seed's secrets/, such as "pki/ca.key" */
};

struct plan {
	struct plan_action *actions;
	size_t n, size;
	int error; /* sticky -ENOMEM */
};

/* What the machine or the image knows and the document need not: found by whoever plans. */
struct plan_facts {
	struct model_version kubernetes; /* exact, from kubeadm; patch < 0: not known yet */
	int containerd_major, containerd_minor; /* 0: not known, the release's default is taken */
	bool control_plane_ready; /* another control plane already serves (join, not init) */
};

/* Fills *ret with everything the node must be, in the order of the steps. */
int plan_make(const struct model *m, const struct model_node *node, const struct plan_facts *facts,
	      struct plan *ret, struct fault *why) __attribute__((nonnull, warn_unused_result));

void plan_done(struct plan *p);

/* As `rackseed plan` shows it; secrets appear as the names of their files. */
void plan_print(const struct plan *p, struct text *out);
void plan_json(const struct plan *p, struct text *out);
