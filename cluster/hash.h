/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "cluster/seed.h"

struct fault;

/* SHA-256 of what comes piece by piece; seed_digest() is for what is there at once. */
struct hash;

/* Begins one; hash_free() it, which accepts NULL. -ENOMEM. */
int hash_new(struct hash **ret, struct fault *why) __attribute__((nonnull, warn_unused_result));
void hash_free(struct hash *h);

int hash_add(struct hash *h, const void *data, size_t n, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The sum of all that was added, in lower-case hex. Nothing may be added afterwards. */
int hash_end(struct hash *h, char ret_hex[static SEED_DIGEST], struct fault *why)
	__attribute__((nonnull, warn_unused_result));
