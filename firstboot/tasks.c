/* SPDX-License-Identifier: MIT */
#include "firstboot/tasks.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "firstboot/apply.h"
#include "firstboot/node.h"
#include "firstboot/snapshots.h"
#include "firstboot/stray.h"

DEFINE_DROP(bus, struct sd_bus *, units_close)

enum { UNIT_LIMIT_S = 90 };

struct units_tick task_tick(struct node *node)
{
	return (struct units_tick){ .alive = node->alive, .data = node->data };
}

int task_unit_on(struct node *node, struct sd_bus *bus, const char *unit, bool changed,
		 struct fault *why)
{
	struct units_tick tick = task_tick(node);
	char state[32];
	int r = units_state(bus, unit, state, why);

	if (r < 0)
		return r;
	if (!changed && strcmp(state, "active") == 0)
		return STEP_SAME;
	r = changed ? units_restart(bus, unit, UNIT_LIMIT_S, &tick, why)
		    : units_start(bus, unit, UNIT_LIMIT_S, &tick, why);
	return r < 0 ? r : STEP_CHANGED;
}

int task_unit_up(struct node *node, const char *unit, bool changed, struct fault *why)
{
	scoped(drop_bus) struct sd_bus *bus = NULL;
	int r = units_open(&bus, why);

	return r < 0 ? r : task_unit_on(node, bus, unit, changed, why);
}

static int task_seed(struct node *node, struct fault *why)
{
	int r = node_load(node, why);

	return r < 0 ? r : STEP_SAME;
}

/* containerd's own readiness notice says that its socket answers. */
static int task_containerd(struct node *node, struct fault *why)
{
	int r = node_apply(node, PLAN_CONTAINERD, why);
	int strays;

	if (r < 0 || !apply_find(&node->plan, PLAN_CONTAINERD, "", "config.toml", 0))
		return r;
	strays = stray_registries(node->root, &node->plan, why);
	if (strays < 0)
		return strays;
	r = task_unit_up(node, "containerd.service", r == FS_CHANGED, why);
	return r < 0 ? r : r | strays;
}

/*
 * Trouble with what a Kubernetes node serves is no reason to have no cluster. Its registry may hold
 * the images of that, so it has its turn before, and goes on being tried.
 */
static bool is_member(const struct node *node)
{
	return node->self && model_is_kubernetes(node->self);
}

/* A disk that is not there yet may hold the snapshots that speak against a new cluster. */
static bool holds_no_snapshots(const struct node *node)
{
	return is_member(node) && (!(node->self->roles & MODEL_CONTROL_PLANE) ||
				   !snapshots_lie_below(node, MODEL_DATA_FOLDER));
}

/* Such a share is mounted by a later step, which must not wait for this one then. */
static bool keeps_snapshots_on_a_share(const struct node *node)
{
	size_t i;

	if (!node->self || !(node->self->roles & MODEL_CONTROL_PLANE))
		return false;
	for (i = 0; i < node->model.n_shares; i++)
		if (node->model.shares[i].mount &&
		    snapshots_lie_below(node, node->model.shares[i].mount))
			return true;
	return false;
}

const struct step task_table[] = {
	{ .name = "seed", .run = task_seed },
	{ .name = "swap", .run = task_swap },
	{ .name = "kernel", .run = task_kernel },
	{ .name = "clock", .run = task_clock },
	{ .name = "containerd", .run = task_containerd },
	{ .name = "images", .run = task_images },
	{ .name = "firewall", .run = task_firewall, .again_s = 30 },
	{ .name = "data", .run = task_data, .yields = holds_no_snapshots },
	{ .name = "storage", .run = task_storage, .yields = is_member, .after = "data" },
	{ .name = "registry", .run = task_registry, .yields = is_member, .after = "data" },
	{ .name = "cluster", .run = task_cluster, .yields = keeps_snapshots_on_a_share },
	{ .name = "shares", .run = task_shares, .background = true, .again_s = 30 },
	{ .name = "registries", .run = task_registries, .background = true, .again_s = 120 },
	{ .name = "gpu", .run = task_gpu, .background = true, .again_s = 60 },
	{ .name = "objects",
	  .run = task_objects,
	  .background = true,
	  .again_s = 60,
	  .after = "cluster" },
	{ .name = "member",
	  .run = task_member,
	  .background = true,
	  .again_s = 60,
	  .after = "cluster" },
	{ .name = "snapshots",
	  .run = task_snapshots,
	  .background = true,
	  .again_s = 300,
	  .after = "cluster" },
};
const size_t task_table_n = COUNT(task_table);
