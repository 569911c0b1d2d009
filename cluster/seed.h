/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cluster/model.h"

struct fault;
struct text;

/*
 * The seed: what makes a golden disk this node's disk. A FAT file system (label RACKSEED) with
 *
 *   node                the node's name, one line
 *   cluster.yaml        the document, byte for byte
 *   secrets/…           this node's part of secrets/: seed_secrets() tells which
 *   SHA256SUMS          "hex  path" for all others, sorted, as sha256sum(1) writes it; written last
 */

/* Partition label and FAT label; size of the partition in bytes; what may lie in it. */
#define SEED_LABEL "RACKSEED"
enum { SEED_BYTES = 16 << 20, SEED_MAX_FILES = 256, SEED_MAX_DEPTH = 6 };

struct seed_file {
	char *path; /* relative, '/' between */
	char *data; /* a NUL behind its len bytes */
	size_t len;
};

struct seed {
	struct seed_file *files;
	size_t n, size;
};

void seed_done(struct seed *s); /* wipes the bytes too */

/*
 * Adds a copy. Refused: a path that is not relative, plain and short enough for FAT; one that is
 * there already, in other case too (FAT knows no difference); more than a seed can hold.
 */
int seed_add(struct seed *s, const char *path, const char *data, size_t len, struct fault *why)
	__attribute__((nonnull(1, 2, 5), warn_unused_result));

const struct seed_file *seed_find(const struct seed *s, const char *path) __attribute__((nonnull));

/* Sorts by path and adds SHA256SUMS as the last. */
int seed_seal(struct seed *s, struct fault *why) __attribute__((nonnull, warn_unused_result));

/* SHA-256 in hex. */
enum { SEED_DIGEST = 65 };
int seed_digest(const char *data, size_t len, char hex[static SEED_DIGEST], struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* 0 when SHA256SUMS names exactly the other files with their sums; else what is wrong. */
int seed_verify(const struct seed *s, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Reads every file below dirfd (number, depth and sizes bounded; no links) into *ret. */
int seed_read(int dirfd, struct seed *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * The files that a node may hold, by its roles: a row per file. A worker gets the CA certificate
 * and the token; no private key. Paths below secrets/ ("pki/ca.crt"), NULL-terminated; the strings
 * belong to the program, to m and to the array, which is the caller's to free. "token" is among
 * them only where the document gives no static one, and the password files of registries and shares
 * only where this node serves or uses them.
 */
int seed_secrets(const struct model *m, const struct model_node *node, const char ***ret_paths,
		 struct fault *why) __attribute__((nonnull, warn_unused_result));
