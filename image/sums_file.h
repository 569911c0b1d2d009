/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "image/sums.h"

struct fault;
struct model;
struct progress;

/* SHA256SUMS and its signature, as files of an output folder. */

#define SUMS_NAME "SHA256SUMS"
#define SUMS_SIGNATURE SUMS_NAME ".sig"

struct sums_key {
	struct text pem;
	const char *name; /* "secrets/signing.key"; the model's where the document names it */
};

void sums_key_done(struct sums_key *k);

/*
 * The key of the document, which lies in folder: the one that it names, or that of secrets/. signs:
 * the private half; else either will do. 1; 0 where there is none, which is no fault unless it is
 * named. Sets *ret on 1 only; model must outlive it.
 */
int sums_key_read(int folder, const struct model *m, bool signs, struct sums_key *ret,
		  struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * Reads the sums of a folder; path is its name for faults. With a key they must be signed by it:
 * -EKEYREJECTED when the signature is missing or does not fit. -ENOENT: there is no SHA256SUMS.
 * -EBADMSG: it is none.
 */
int sums_load(int folder, const char *path, const struct sums_key *key, struct sums *ret,
	      struct fault *why) __attribute__((nonnull(2, 4, 5), warn_unused_result));

/*
 * Writes them, signed where there is a key and without a signature else. At every instant what
 * sums_load() finds is signed; what is the same already is not written.
 */
int sums_save(const struct sums *s, int folder, const char *path, const struct sums_key *key,
	      struct fault *why) __attribute__((nonnull(1, 3, 5), warn_unused_result));

/* Sums a file of the folder and puts its line. progress may be NULL; it hears of large ones. */
int sums_add_file(struct sums *s, int folder, const char *name, struct progress *progress,
		  struct fault *why) __attribute__((nonnull(1, 3, 5), warn_unused_result));
int sums_add_bytes(struct sums *s, const char *name, const struct text *data, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Forgets the files that are not in the folder any more. */
void sums_keep(struct sums *s, int folder) __attribute__((nonnull));
