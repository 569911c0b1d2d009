/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "image/file_sum.h"
#include "image/flash_source.h"

struct fault;
struct flash_piece;
struct progress;
struct sums_key;

/*
 * That the files of an image are those that SHA256SUMS beside them tells of. What is small is
 * summed before the target is touched; the rest while it is read to be written, so that it is read
 * once and the very bytes that were written are what was summed. The partition table comes later.
 */

enum flash_vouched { FLASH_BY_NOBODY, FLASH_BY_SUMS, FLASH_BY_SIGNATURE, FLASH_N_VOUCHED };

const char *flash_vouched_name(enum flash_vouched by);

/* What is to be proven. */
struct flash_claim {
	const char *image;	    /* its path */
	const char *node;	    /* for remedies; must outlive the proof */
	const struct sums_key *key; /* that has to vouch for it, or NULL */
	struct progress *progress;  /* hears of a large file that is read ahead */
};

struct flash_proof {
	struct {
		struct file_sum sum; /* of a file that is summed on the way; fd < 0: done */
		char *path;	     /* for faults */
		char want[DIGEST_LEN];
	} files[FLASH_MAX_FILES]; /* by flash_source.fds */
	size_t n;
	size_t next; /* the extent that the next piece may begin in */
	const char *node;
	const atomic_bool *stop; /* or NULL */
	enum flash_vouched by;
};

/*
 * Finds each file of the source in the sums and sums the small ones. Without a key it is no fault
 * that there are no sums, or none of these files. A fault names file and remedy: -EKEYREJECTED, not
 * signed by the key; -ENOENT, no sum though there is a key; -EBADMSG, a sum that differs.
 */
int flash_proof_open(struct flash_proof *p, const struct flash_source *source,
		     const struct flash_claim *claim, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void flash_proof_done(struct flash_proof *p);

/* Takes the next piece that was read of the source. Pieces come in order. -ECANCELED: stopped. */
int flash_proof_follow(struct flash_proof *p, const struct flash_source *source,
		       const struct flash_piece *piece, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Reads what no piece had, and judges. */
int flash_proof_end(struct flash_proof *p, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
