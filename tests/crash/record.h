/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

#include "tests/crash/model.h"

/*
 * What the code under test does to files below the root, seen by the linker's --wrap: recorded,
 * counted, and made to fail where a test asks for it.
 */

enum { FAULT_SHORT = -1, FAULT_KILL = -2 }; /* instead of an errno: half of it; the process ends */

struct fault_plan {
	unsigned at[2]; /* the call that fails, counted from 1; 0: none */
	int error[2];
};

/* Records into *trace (NULL: not) what happens below root, an absolute path. */
void record_begin(const char *root, const struct disk *base, struct trace *trace);
/* Something that the world saw, between two operations. */
void record_mark(int mark);
void record_end(void);

/*
 * Says each call that changes something below root from here on (NULL: no more), but in run, which
 * no disk holds, and counts them: also what a later call takes back, which no look at the tree
 * tells. What is opened for writing counts as written. Not while something is recorded.
 */
void record_count(const char *root, FILE *to);
unsigned record_changes(void);

/* Counts calls from here; faults, or NULL. */
void record_faults(const struct fault_plan *plan);
unsigned record_calls(void);
