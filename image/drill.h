/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model;
struct model_node;
struct text;

/* Power cuts to come, from a seed: the same seed is the same drill. Pure. */

enum drill_moment {
	DRILL_BOOTING,	  /* while kernel and early steps run */
	DRILL_ASSEMBLING, /* while the node service, kubelet and the control plane come up */
	DRILL_STEADY,	  /* all Ready */
	DRILL_WRITING,	  /* all Ready, and etcd is written to all the time */
	DRILL_FIRST_BOOT, /* while a new disk grows, images are imported, init and joins run */
	DRILL_N_MOMENTS,
};

/* Power comes back for such a cut, which is at a time after it. */
bool drill_starts(enum drill_moment moment);

const char *drill_moment_name(enum drill_moment moment);

enum drill_reach {
	DRILL_RACK, /* all machines at once */
	DRILL_NODE, /* one of them */
	DRILL_N_REACHES,
};

struct drill_cut {
	enum drill_moment moment;
	enum drill_reach reach;
	const struct model_node *node; /* of DRILL_NODE */
	unsigned delay_s;	       /* after power on, or after all were Ready */
	unsigned off_s;		       /* how long the power stays away */
};

enum { DRILL_MAX_CUTS = 1000 };

/*
 * Fills cuts[0..n): every moment and every reach comes in turn before one comes again, the rest is
 * by chance. Only nodes with vm: are cut by themselves. First boots are among them when anew: of
 * the whole rack, or of a worker, for the others hold what would be lost.
 * Returns how many machines there are.
 */
size_t drill_plan(const struct model *m, uint64_t seed, bool anew, struct drill_cut *cuts, size_t n)
	__attribute__((nonnull));

/* "cut 3/10: node 'w1' while assembling, 124 s after power on, off for 3 s". */
void drill_tell(const struct drill_cut *cut, size_t number, size_t n, struct text *out)
	__attribute__((nonnull));

struct drill_summary {
	unsigned min_s, median_s, worst_s;
};

/* Of n > 0 times, which are sorted by it. */
struct drill_summary drill_sum_up(unsigned *seconds, size_t n) __attribute__((nonnull));
