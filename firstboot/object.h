/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "cluster/plan.h"

struct fault;
struct text;
struct yaml;

/* What is right for one object of the cluster. Pure. */

enum object_verdict {
	OBJECT_SAME,
	OBJECT_APPLY,
	OBJECT_RELEASE, /* a volume whose claim is gone, and which waits for a person since */
	OBJECT_FOREIGN, /* somebody else made one of that name */
};

/* have is what the API server says, want what the plan says, kind how much of it is ours. */
enum object_verdict object_judge(enum plan_kind kind, const struct yaml *have,
				 const struct yaml *want, const char *manager)
	__attribute__((nonnull));

/*
 * What a claim asks for is settled when it is made: one that is there keeps its own resources in
 * want, whatever became of its volume's size, for the API server refuses every other.
 */
int object_keep(const struct yaml *have, struct yaml *want, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Takes the taint of GPUs that were not tested out of what is wanted of a Node, where that says by
 * its label that they are.
 */
void object_untaint(const struct yaml *have, struct yaml *want) __attribute__((nonnull));

/*
 * What to apply: want, and in a list that is one value to Kubernetes also what others put there,
 * together with the version that was looked at, so that nothing newer is overwritten. have may be
 * NULL: nothing is there yet.
 */
void object_body(const struct yaml *have, const struct yaml *want, struct text *out)
	__attribute__((nonnull(2, 3)));

/* "pull secret" for people: secret 'x' in namespace 'y', from an API path (the query left out). */
void object_title(const char *path, struct text *out) __attribute__((nonnull));

/*
 * Adds the title to a list with ", " between, unless it is there: a Node is the cluster's business
 * and its own.
 */
void object_list_title(const char *path, struct text *list) __attribute__((nonnull));

/* The field manager that an action's path names, into buf. */
void object_manager(const char *path, char buf[static 64]) __attribute__((nonnull));
