/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "image/digest.h"

struct fault;
struct text;

/*
 * SHA256SUMS of an output folder, as sha256sum(1) writes it: what each file was when it was made.
 * (The one inside a seed is cluster/seed's.) Pure.
 */

struct sums_line {
	char *name; /* of a file in the folder */
	char hex[DIGEST_LEN];
};

struct sums {
	struct sums_line *lines; /* sorted by name */
	size_t n;
};

void sums_done(struct sums *s);

/* -EBADMSG names the line that is none of a file in the same folder, or is there twice. */
int sums_parse(const char *data, size_t len, struct sums *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void sums_render(const struct sums *s, struct text *out) __attribute__((nonnull));

/* By name, or NULL. */
const struct sums_line *sums_find(const struct sums *s, const char *name) __attribute__((nonnull));

/* Puts the line in the place of the one of that name. -ENOMEM or 0. */
int sums_put(struct sums *s, const char *name, const char *hex)
	__attribute__((nonnull, warn_unused_result));
void sums_drop(struct sums *s, const char *name) __attribute__((nonnull));
