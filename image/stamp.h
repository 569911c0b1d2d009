/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct build;
struct fault;
struct golden;
struct model_node;
struct record;
struct sums;

/* One node's disk: a golden disk and a seed. Making it changes nothing but the seed. */

enum stamp_format { STAMP_QCOW2, STAMP_RAW, STAMP_N_FORMATS };
enum stamp_outcome { STAMP_SAME = 0, STAMP_MADE = 1 };

const char *stamp_format_name(enum stamp_format format);

struct stamp {
	struct build *build;
	const struct golden *golden;
	const struct model_node *node;
	struct record *record; /* of what is in the folder; the node's entry is put into it */
	struct sums *sums;     /* likewise the line of the disk; NULL: none */
	int folder;	       /* where disks go */
	const char *path;      /* the same, absolute */
	enum stamp_format format;
	bool force; /* also when nothing has changed */
};

/*
 * STAMP_SAME: the disk is there and its golden disk, seed, format and size are what they would be.
 * STAMP_MADE: made, under another name until it was whole. A disk that a machine uses is refused.
 */
int stamp_node(const struct stamp *s, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
