/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "image/record.h"
#include "image/sums_file.h"

struct build;
struct fault;
struct golden;

/*
 * The folder that a build fills, and what it says of itself: build.json and SHA256SUMS. A line of
 * the latter is made with its file and kept as long as that is there, so a disk that somebody
 * changed, or a virtual machine has run from, is never vouched for.
 */

struct build_out {
	int fd;
	char *path; /* absolute */
	bool is_new; /* was made here: goes again when it stays empty */
	struct record record;
	struct sums sums;
	struct sums_key key;
	bool is_signed; /* there is a key */
	time_t saved_s; /* when build_out_save() wrote, or 0 */
};

#define BUILD_OUT_EMPTY ((struct build_out){ .fd = -1 })

/* A folder that build_out_open() has made is removed again when nothing is in it. */
void build_out_done(struct build_out *o);

/* Opens and makes it: given, or out/ beside the document. */
int build_out_open(struct build_out *o, const struct build *b, const char *given, struct fault *why)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));

/*
 * Reads the key, and what an earlier build wrote. What is damaged or not signed by the key counts
 * as not there, which is noted.
 */
int build_out_read(struct build_out *o, struct build *b, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Puts the line of a golden disk, where the folder has it and no line yet. */
int build_out_add_golden(struct build_out *o, struct build *b, const struct golden *golden,
			 struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Writes SHA256SUMS alone, or after it build.json too. */
int build_out_save_sums(struct build_out *o, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
int build_out_save(struct build_out *o, const struct build *b, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* build_out_save() unless it was done within this second. */
int build_out_save_lately(struct build_out *o, const struct build *b, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
