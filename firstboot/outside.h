/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct endpoint;
struct node;
struct worker;

/* How the service comes to its status endpoint: with what the seed holds for it. */
struct outside {
	struct worker *worker;
	const struct node *node; /* the worker's own, but for what its step seed loaded */
	struct endpoint *endpoint;
	bool told; /* why there is none */
};

/*
 * Opens the endpoint unless it is open, as soon as the step seed is done: a node that waits is the
 * one that people ask. To be called again and again; what keeps it is told once.
 */
void outside_open(struct outside *o) __attribute__((nonnull));

void outside_close(struct outside *o) __attribute__((nonnull));
