/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "firstboot/steps.h"
#include "firstboot/units.h"

struct node;
struct text;

/* The steps of `run`, each in a file of its own where it is more than its files. */

extern const struct step task_table[];
extern const size_t task_table_n;

int task_swap(struct node *node, struct fault *why);
int task_kernel(struct node *node, struct fault *why);
int task_clock(struct node *node, struct fault *why);
int task_firewall(struct node *node, struct fault *why);
int task_data(struct node *node, struct fault *why);
int task_storage(struct node *node, struct fault *why);
int task_registry(struct node *node, struct fault *why);
int task_cluster(struct node *node, struct fault *why);
int task_shares(struct node *node, struct fault *why);
int task_images(struct node *node, struct fault *why);
int task_registries(struct node *node, struct fault *why);
int task_gpu(struct node *node, struct fault *why);
int task_objects(struct node *node, struct fault *why);
int task_snapshots(struct node *node, struct fault *why);
/* That it still is what `cluster` made of it, and that the cluster knows it. */
int task_member(struct node *node, struct fault *why);

/* Tells how a share answers; see storage/share.h. */
#define TASK_SHARE_PROGRAM "/usr/lib/rackseed/rackseed-share"

/* The waits of a step, bound to the node's own alive(). */
struct units_tick task_tick(struct node *node);

/* Restarts a unit when changed, else starts it unless it is active. STEP_SAME or STEP_CHANGED. */
int task_unit_up(struct node *node, const char *unit, bool changed, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The same over a bus that is open. */
int task_unit_on(struct node *node, struct sd_bus *bus, const char *unit, bool changed,
		 struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * The path that a line of /proc/swaps begins with, its octal escapes undone; false: it is the
 * header.
 */
bool swap_line(const char *line, struct text *ret_path) __attribute__((nonnull));

/*
 * Sets every "key = value" of a sysctl.d text below root's proc/sys that is not so already, and
 * verifies it. STEP_SAME or STEP_CHANGED.
 */
int kernel_sysctls(int root, const char *text, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* When the cluster's CA is valid; all times where the seed has none. */
struct clock_span {
	int64_t begin, end;
};

struct clock_span clock_span(const struct node *node) __attribute__((nonnull));

/* Whether a time is one at which the cluster's CA is valid. */
bool clock_fits(const struct node *node, int64_t now) __attribute__((nonnull));

/* -EAGAIN: waits for such a time, and names it. */
int clock_wait(const struct node *node, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * What the clock must be set to, or now: the time that is past for certain is that of image.json
 * and of the CA's beginning, and the one saved last unless it was one of a clock that ran ahead.
 */
int64_t clock_floor(int root, struct clock_span ca, int64_t saved_time, int64_t now);
