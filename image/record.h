/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "image/root.h"

struct fault;
struct model;
struct text;

/* build.json: what lies in an output folder and what it was made from; no secret is in it. */

struct record_node {
	char *name, *disk, *format; /* file names, "qcow2" or "raw" */
	char *golden;		    /* "golden-KEY.raw" */
	char *seed_sha256;	    /* of the seed's SHA256SUMS */
	uint64_t bytes;		    /* the size that the machine sees */
};

struct record {
	char *distribution, *release;
	struct root_facts facts; /* of the nodes with Kubernetes */
	struct record_node *nodes;
	size_t n_nodes;
};

void record_done(struct record *r);

/* Pure. What is not understood is as if it were not there: everything is built again then. */
int record_parse(const char *json, size_t len, struct record *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void record_render(const struct record *r, struct text *out) __attribute__((nonnull));

/* The facts of an image.json alone. */
int record_facts(const char *json, size_t len, struct root_facts *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

const struct record_node *record_find(const struct record *r, const char *name)
	__attribute__((nonnull));

/* Puts a copy of node in the place of the one of that name, or at the end. -ENOMEM or 0. */
int record_put(struct record *r, const struct record_node *node)
	__attribute__((nonnull, warn_unused_result));

/* Forgets nodes that the document no longer has. */
void record_keep(struct record *r, const struct model *m) __attribute__((nonnull));
