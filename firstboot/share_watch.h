/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "storage/share.h"

struct text;

/* What the step shares knows of one share, and what follows from it. Pure. */

struct share_watch {
	bool renew;	   /* its unit or its password changed since it was mounted */
	bool asked;	   /* result is of this time or an earlier one */
	unsigned tries;	   /* since it was fine last */
	int64_t next_ms;   /* monotonic: the server is not asked before that */
	bool mounted;	   /* its unit is active */
	bool answers;	   /* and the mount answers */
	bool full;	   /* and has no block left */
	uint64_t since_us; /* when it was mounted, CLOCK_REALTIME */
	struct share_result result;
	char trouble[512]; /* why mounting failed though the server said yes, or "" */
};

enum share_need {
	SHARE_NOTHING, /* it is in use */
	SHARE_ASK,     /* the server is to be asked what is wrong */
	SHARE_WAIT,    /* the same, but its time has not come */
	SHARE_N_NEEDS,
};

enum share_need share_need(const struct share_watch *w, int64_t now_ms) __attribute__((nonnull));

/* Whether what the server said lets the share be mounted: reading is enough. */
bool share_may_mount(const struct share_result *result) __attribute__((nonnull));

/* Whether nobody need look before the next round. */
bool share_is_fine(const struct share_watch *w) __attribute__((nonnull));

/*
 * When to ask again after so many tries, in ms. A refused login is asked for rarely: servers lock
 * accounts that fail too often.
 */
int64_t share_delay_ms(unsigned tries, enum share_code code);

/* "mounted since 2026-03-01 12:04:05 UTC", or why it is not. */
void share_tell(const struct share_watch *w, struct text *out) __attribute__((nonnull));

/*
 * A drop-in for the mount unit that pins the server's address, so that mount.cifs(8) need not know
 * a name of NetBIOS. Adds nothing when unit has no options.
 */
void share_drop_in(const char *unit, const char *address, struct text *out)
	__attribute__((nonnull));
