/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "cluster/plan.h"

struct fault;
struct seed;

/*
 * Makes the files of one step what the plan says, below root. Objects are passed over (they are the
 * API server's), and so are folders and accounts (the step storage makes them). FS_SAME when all
 * were so and nothing was written, FS_CHANGED otherwise.
 */
int apply_step(int root, const struct plan *plan, enum plan_step step, const struct seed *seed,
	       struct fault *why) __attribute__((nonnull, warn_unused_result));

/* One action. As above. */
int apply_action(int root, const struct plan_action *action, const struct seed *seed,
		 struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * The n-th file or template of a step whose path begins and ends so, for steps that act on what
 * they wrote; NULL behind the last.
 */
const struct plan_action *apply_find(const struct plan *plan, enum plan_step step,
				     const char *prefix, const char *suffix, size_t n)
	__attribute__((nonnull));
