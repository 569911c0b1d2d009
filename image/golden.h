/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/text.h"
#include "image/digest.h"
#include "image/root.h"

struct build;
struct fault;
struct sums;

/* The golden disk for some uses: golden-KEY.raw in the cache, without secret and identity. */
struct golden {
	char key[DIGEST_LEN];
	unsigned uses;
	struct text path;	    /* absolute */
	char sbom[DIGEST_LEN + 24]; /* the file in the cache that lists what it is made of */
	struct root_facts facts;
};

void golden_done(struct golden *g);

/*
 * Writes the list of what it is made of to the folder, and its line to sums; a node adds no more
 * than a seed.
 */
int golden_place_sbom(const struct golden *g, const struct build *b, int folder, struct sums *sums,
		      struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Finds it in the cache by the key of all that goes into it, or makes it. */
int golden_get(struct build *b, unsigned uses, struct golden *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
