/* SPDX-License-Identifier: MIT */
#pragma once

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

/* Counts calls from here; faults, or NULL. */
void record_faults(const struct fault_plan *plan);
unsigned record_calls(void);
