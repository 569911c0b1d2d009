/* SPDX-License-Identifier: MIT */
#pragma once

#include "cluster/plan.h"

struct fault;
struct text;

/* The inside of plan_make(): a function per step; for cluster/plan*.c and their renderers only. */

struct plan_work {
	const struct model *m;
	const struct model_node *node;
	struct plan_facts facts; /* all known by now */
	struct plan *plan;
};

int plan_hostname(struct plan_work *w, struct fault *why);
int plan_admin(struct plan_work *w, struct fault *why);
int plan_network(struct plan_work *w, struct fault *why);
int plan_swap(struct plan_work *w, struct fault *why);
int plan_kernel(struct plan_work *w, struct fault *why);
int plan_clock(struct plan_work *w, struct fault *why);
int plan_containerd(struct plan_work *w, struct fault *why);
int plan_firewall(struct plan_work *w, struct fault *why);
int plan_data(struct plan_work *w, struct fault *why);
int plan_storage(struct plan_work *w, struct fault *why);
int plan_registry(struct plan_work *w, struct fault *why);
int plan_cluster(struct plan_work *w, struct fault *why);
int plan_shares(struct plan_work *w, struct fault *why);
int plan_gpu(struct plan_work *w, struct fault *why);
int plan_objects(struct plan_work *w, struct fault *why);

/* What GPUs add to the steps kernel and objects; nothing where there are none. */
void plan_gpu_kernel(struct plan_work *w);
void plan_gpu_objects(struct plan_work *w);

/* An action in the making: all of it is borrowed. */
struct plan_item {
	enum plan_step step;
	enum plan_kind kind;
	mode_t mode;
	const char *path, *content, *source; /* content and source may be NULL */
};

/* Adds an action; what is given is copied. */
void plan_put(struct plan *p, const struct plan_item *item);

/* The usual one: a file with mode 0644. */
void plan_put_file(struct plan *p, enum plan_step step, const char *path,
		   const struct text *content);

/* A place for a secret, see plan.h. */
void plan_place(const char *form, const char *path, struct text *out);

/* A passwordFile's path below secrets/. */
const char *plan_password(const char *file);
/* The place for a registry's user and password, form being "basic:" or "pull:HOST/". */
int plan_credentials(const struct model_registry *r, const char *form, struct text *out,
		     struct fault *why);

/* As people see an action: its line without the newline, and what it holds without a secret. */
void plan_headline(const struct plan_action *a, struct text *out);
void plan_body(const struct plan_action *a, struct text *out);

/* Each line with a prefix; control characters, which the document may hold, as spaces. */
void plan_lines(const char *s, const char *prefix, struct text *out);

/* /etc/cni/net.d/10-rackseed.conflist: a bridge with the node's part of the pod network. */
void cni_conflist(const struct net_cidr *pods, struct text *out);

/*
 * /etc/rackseed/firewall.nft of a node: our own table, replaced as a whole in one transaction. What
 * is not named in it does not come in; cluster.yaml(5) lists what is.
 */
void firewall_ruleset(const struct model *m, const struct model_node *node, struct text *out);

/* JSON of Kubernetes objects for server-side apply. */
void objects_node(const struct model_node *node, struct text *out);
void objects_pull_secret(const char *name, const char *namespace, const char *place,
			 struct text *out);
void objects_class(const struct model_share *share, struct text *out);
void objects_volume(const struct model_share *share, struct text *out);
void objects_claim(const struct model_share *share, struct text *out);

/* The default service account with these pull secrets, NULL-terminated. */
void objects_account(const char *namespace, const char *const *secrets, struct text *out);

/*
 * A node's labels for all shares that are volumes, of which the node leaves out those not mounted,
 * and for the vendor of its GPUs, to which it adds what it finds of them.
 */
void objects_own(const struct model *m, const struct model_node *node, struct text *out);
