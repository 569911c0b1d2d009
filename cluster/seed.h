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

/* Partition label and FAT label; size of the partition in bytes. */
#define SEED_LABEL "RACKSEED"
enum { SEED_BYTES = 16 << 20 };

struct seed_file {
	char *path; /* relative, '/' between */
	char *data;
	size_t len;
};

struct seed {
	struct seed_file *files;
	size_t n, size;
};

void seed_done(struct seed *s); /* wipes the bytes too */

int seed_add(struct seed *s, const char *path, const char *data, size_t len, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

const struct seed_file *seed_find(const struct seed *s, const char *path) __attribute__((nonnull));

/* Sorts by path and adds SHA256SUMS. */
int seed_seal(struct seed *s, struct fault *why) __attribute__((nonnull, warn_unused_result));

/* 0 when SHA256SUMS names exactly the other files with their sums; else what is wrong. */
int seed_verify(const struct seed *s, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Reads every file below dirfd (depth and sizes bounded) into *ret. */
int seed_read(int dirfd, struct seed *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * The files below secrets/ that a node may hold, by its roles: a row per file. A worker gets the
 * CA certificate and the token; no private key. NULL-terminated list of paths, static storage
 * within; the array is the caller's.
 */
int seed_secrets(const struct model *m, const struct model_node *node, const char ***ret_paths,
		 struct fault *why) __attribute__((nonnull, warn_unused_result));
