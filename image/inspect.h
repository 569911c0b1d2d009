/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "image/args.h"
#include "image/root.h"

struct fault;
struct text;

/* What an image holds; "" or NULL where it does not say. */
struct inspection {
	char *image, *format;
	int64_t bytes; /* the size that a machine sees */
	char *product, *kernel;
	struct root_facts facts;
	struct args packages;			/* "name version", sorted by name */
	char *cluster, *node, *roles, *address; /* of the seed */
	char *seed;				/* "verified", "none", or what is wrong with it */
	int seed_good;				/* 1: verified, 0: none, -1: damaged */
	struct args secrets;			/* the seed's files below secrets/ */
};

void inspection_done(struct inspection *i);

/* Looks into an image, read-only. A damaged seed is a finding, not a fault. */
int inspect(const char *image, struct inspection *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* For people and, all of it, for programs. Pure. */
void inspection_print(const struct inspection *i, struct text *out) __attribute__((nonnull));
void inspection_json(const struct inspection *i, struct text *out) __attribute__((nonnull));
