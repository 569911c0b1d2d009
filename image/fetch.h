/* SPDX-License-Identifier: MIT */
#pragma once

#include "image/digest.h"

struct cache;
struct fault;
struct progress;
struct text;

/*
 * A file from the network whose SHA-256 is known: fetched once, and kept in the cache by its sum as
 * fetched-SUM. What came of one that broke off stays there as partly-SUM, and is gone on with by
 * the next call. A part whose whole has another sum is fetched anew, once. Adds the absolute path;
 * the lock of the cache is the caller's.
 */
int fetch(const struct cache *cache, struct progress *progress, const char *url, const char *sha256,
	  struct text *ret_path, struct fault *why) __attribute__((nonnull, warn_unused_result));

/* The sum as sha256sum prints it: with small letters. */
void fetch_sum(const char *sha256, char ret_hex[static DIGEST_LEN]) __attribute__((nonnull));
