/* SPDX-License-Identifier: MIT */
#pragma once

#include "cluster/model.h"
#include "cluster/plan.h"
#include "registry/registry.h"

struct fault;
struct plan_work;
struct text;

/* What the plan says of registries: their servers, and what all nodes need to know of them. */

#define PLAN_REGISTRY_DIR "/etc/rackseed/registry/"
#define PLAN_REGISTRY_TRUST PLAN_REGISTRY_DIR "trust/"
#define PLAN_REGISTRY_CA PLAN_REGISTRY_TRUST "ca.crt"
#define PLAN_REGISTRY_DATA "/srv/registry"
#define PLAN_CERTS_D "/etc/containerd/certs.d/"

/* The registry CA's certificate, where any registry of ours is served over TLS. */
void plan_put_registry_ca(struct plan_work *w, enum plan_step step);

/* "secrets/x" or "./secrets/x" as the x of a place; *ret_source points into file. */
int plan_secret_source(const char *file, const char **ret_source, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The credentials of every registry that has some, as places of a template. */
struct plan_auths {
	struct registry_auth *list;
	struct text *words; /* what list points into, one for each */
	size_t n;
};

/* *ret is zeroed before, and the caller's to end in any case. */
int plan_auths_collect(const struct model *m, struct plan_auths *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void plan_auths_done(struct plan_auths *auths);
