/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct complaints;
struct fault;
struct model;
struct text;

/*
 * cluster.yaml: from bytes to a checked model. Pure but for document_check_files(). parse refuses
 * what is no document, check judges the values against each other.
 */

enum { DOCUMENT_MAX = 16 << 20 }; /* bytes; a file of 10,000 nodes has about 2 MiB */

/*
 * Fills *ret from YAML 1.2 and adds what is wrong to c. 0 even then: what could be read is in *ret
 * so that check finds the rest. Negative only for faults that are not the document's (memory).
 */
int document_parse(const char *file, const char *bytes, size_t len, struct model *ret,
		   struct complaints *c, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Judges a parsed model: addresses, networks, references, names, versions. O(n log n). */
void document_check(const struct model *m, struct complaints *c) __attribute__((nonnull));

/* Host only: the secret and image files that it names, relative to dirfd: there, and private. */
void document_check_files(const struct model *m, int dirfd, struct complaints *c)
	__attribute__((nonnull));

/*
 * Reads, parses and checks path (under AT_FDCWD when dirfd says so). The bytes go to *source for
 * messages. 0: see c for what is wrong with it, which may be that it is a folder or too large;
 * negative: it could not be read.
 */
int document_load(int dirfd, const char *path, struct model *ret, struct complaints *c,
		  struct text *source, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The commented document that `rackseed init` writes. */
extern const char document_example[];
