/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/text.h"
#include "image/args.h"

struct build;
struct fault;

/* The container images of the document, put into the root's own containerd on the host. */
struct container_images {
	struct args archives; /* absolute paths */
	struct args sums;     /* their SHA-256 in hex */
	struct text key;      /* the same, for the golden disk's */
};

void container_done(struct container_images *c);

/* Finds the archives and fetches the references with skopeo into the cache. */
int container_collect(struct build *b, struct container_images *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Imports them with the root's containerd, run in a mount namespace of its own and ended again;
 * pause, when not "", is pinned, and a note is made when no archive has it.
 */
int container_import(struct build *b, const char *root, const struct container_images *images,
		     const char *pause, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
