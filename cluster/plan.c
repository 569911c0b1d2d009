/* SPDX-License-Identifier: MIT */
#include "cluster/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/plan_parts.h"

static const char *const step_names[PLAN_N_STEPS] = {
	[PLAN_HOSTNAME] = "hostname",	  [PLAN_ADMIN] = "admin",
	[PLAN_NETWORK] = "network",	  [PLAN_SWAP] = "swap",
	[PLAN_KERNEL] = "kernel",	  [PLAN_CLOCK] = "clock",
	[PLAN_CONTAINERD] = "containerd", [PLAN_IMAGES] = "images",
	[PLAN_FIREWALL] = "firewall",	  [PLAN_STORAGE] = "storage",
	[PLAN_REGISTRY] = "registry",	  [PLAN_CLUSTER] = "cluster",
	[PLAN_SHARES] = "shares",	  [PLAN_REGISTRIES] = "registries",
	[PLAN_OBJECTS] = "objects",	  [PLAN_DATA] = "data",
	[PLAN_GPU] = "gpu",
};

static const char *const kind_names[PLAN_N_KINDS] = {
	[PLAN_FILE] = "file",	   [PLAN_SECRET] = "secret",   [PLAN_TEMPLATE] = "template",
	[PLAN_LINK] = "link",	   [PLAN_ABSENT] = "absent",   [PLAN_OBJECT] = "object",
	[PLAN_FOLDER] = "folder",  [PLAN_ACCOUNT] = "account", [PLAN_FIELDS] = "fields",
	[PLAN_HTPASSWD] = "users",
};

enum {
	MEMBER = MODEL_CONTROL_PLANE | MODEL_WORKER,
	SERVER = MODEL_STORAGE | MODEL_REGISTRY,
	ANY = MEMBER | SERVER,
};

/* Which roles have which steps, in the order of enum plan_step. */
static const struct {
	unsigned roles;
	int (*make)(struct plan_work *w, struct fault *why);
} parts[] = {
	{ ANY, plan_hostname },		 { ANY, plan_admin },
	{ ANY, plan_network },		 { MEMBER, plan_swap },
	{ MEMBER, plan_kernel },	 { ANY, plan_clock },
	{ MEMBER, plan_containerd },	 { ANY, plan_firewall },
	{ SERVER, plan_data },		 { MODEL_STORAGE, plan_storage },
	{ MODEL_REGISTRY, plan_registry }, { MEMBER, plan_cluster },
	{ MEMBER, plan_shares },	 { MEMBER, plan_gpu },
	{ MEMBER, plan_objects },
};

const char *plan_step_name(enum plan_step step)
{
	return step_names[step];
}

const char *plan_kind_name(enum plan_kind kind)
{
	return kind_names[kind];
}

static int grow(struct plan *p)
{
	size_t size = p->size ? 2 * p->size : 32;
	struct plan_action *actions;

	if (p->error || p->n < p->size)
		return p->error;
	actions = reallocarray(p->actions, size, sizeof(*actions));
	if (!actions)
		return p->error = -ENOMEM;
	p->actions = actions;
	p->size = size;
	return 0;
}

static char *copy(struct plan *p, const char *s)
{
	char *c = s ? strdup(s) : NULL;

	if (s && !c)
		p->error = -ENOMEM;
	return c;
}

void plan_put(struct plan *p, const struct plan_item *item)
{
	struct plan_action *a;

	if (grow(p) < 0)
		return;
	a = &p->actions[p->n++];
	*a = (struct plan_action){ .step = item->step, .kind = item->kind, .mode = item->mode };
	a->path = copy(p, item->path);
	a->content = copy(p, item->content);
	a->source = copy(p, item->source);
}

void plan_put_file(struct plan *p, enum plan_step step, const char *path,
		   const struct text *content)
{
	const struct plan_item item = { .step = step,
					.kind = PLAN_FILE,
					.mode = 0644,
					.path = path,
					.content = text_str(content) };

	if (text_error(content) < 0)
		p->error = text_error(content);
	plan_put(p, &item);
}

int plan_make(const struct model *m, const struct model_node *node, const struct plan_facts *facts,
	      struct plan *ret, struct fault *why)
{
	struct plan plan = { 0 };
	struct plan_work work = { .m = m, .node = node, .facts = *facts, .plan = &plan };
	size_t i;
	int r = 0;

	plan_facts_assume(m, &work.facts);
	if (!work.facts.pause[0])
		return fault_errno(why, ENOMEM, "plan");
	for (i = 0; i < COUNT(parts) && r == 0; i++)
		if (node->roles & parts[i].roles)
			r = parts[i].make(&work, why);
	if (r == 0 && plan.error < 0)
		r = fault_errno(why, plan.error, "plan");
	if (r < 0) {
		plan_done(&plan);
		return fault_wrap(why, "node '%s'", node->name);
	}
	*ret = plan;
	return 0;
}

void plan_done(struct plan *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		free(p->actions[i].path);
		free(p->actions[i].content);
		free(p->actions[i].source);
	}
	free(p->actions);
	*p = (struct plan){ 0 };
}
