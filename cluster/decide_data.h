/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct text;

/*
 * What becomes of the disk that a node has for its data. Pure. A file system is made on a disk
 * where nothing is at all, and nowhere else.
 *
 * It bears the label DECIDE_DATA_MAKING while it is made, and gets its own last: what has its own
 * is whole.
 */

#define DECIDE_DATA_MAKING "rackseed-making"

enum { DECIDE_DATA_LABEL_LEN = 17 };

/* The label of a node's data, "rackseed-0a1b2c3": the same names give the same everywhere. */
void decide_data_label(const char *cluster, const char *node,
		       char buf[static DECIDE_DATA_LABEL_LEN]);

enum decide_data {
	DECIDE_DATA_MOUNT,  /* the node's data is on it */
	DECIDE_DATA_MAKE,   /* it is empty, or we began to make a file system on it */
	DECIDE_DATA_REFUSE, /* it holds something else, which the text names */
};

struct data_facts {
	const char *signatures; /* as wipefs --parsable prints them: OFFSET,UUID,LABEL,TYPE */
	const char *held;	/* "partition sdb1", "dm-0 on it": how the kernel uses it, or "" */
	bool zeros;		/* nothing was found written on it */
	bool begun; /* we noted that we begin with this very disk, and not that we ended */
};

enum decide_data decide_data(const struct data_facts *facts, const char *label, struct text *out)
	__attribute__((nonnull));
