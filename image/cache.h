/* SPDX-License-Identifier: MIT */
#pragma once

#include "image/digest.h"

struct fault;
struct progress;

/*
 * The cache folder: $RACKSEED_CACHE, else $XDG_CACHE_HOME/rackseed, else ~/.cache/rackseed. What
 * is finished bears the key of its inputs in its name and came there by rename; what is being made
 * begins with CACHE_UNFINISHED and is removed when the lock is given up, and by whoever takes it.
 * A download that broke off is no such thing: the next build goes on with it (image/fetch.h).
 */
#define CACHE_UNFINISHED "unfinished-"

struct cache {
	int fd;
	int lock_fd;
	char *path; /* absolute, of characters that apt and mmdebstrap take unquoted */
};

/* Opens and makes it. For scoped(): cache_done, which also sweeps and unlocks. */
int cache_open(struct cache *ret, struct fault *why) __attribute__((nonnull, warn_unused_result));
void cache_done(struct cache *c);

/* Waits for other builds, says so, and clears away what an interrupted one left. */
int cache_lock(struct cache *c, struct progress *progress, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * SHA-256 of a file, kept with what stat(2) says of it: archives of hundreds of megabytes are read
 * once, not at every build. A file that was changed a moment ago is read again next time.
 */
int cache_digest(const struct cache *c, const char *path, char ret_hex[static DIGEST_LEN],
		 struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * Marks the file as used now and removes all but the CACHE_KEPT used last of those that match
 * pattern, a shell pattern of names: an image takes gigabytes.
 */
enum { CACHE_KEPT = 8 };
int cache_used(const struct cache *c, const char *name, const char *pattern, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
