/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "firstboot/steps.h"

/*
 * Tells people of a change of state: the journal (fields RACKSEED_STEP, RACKSEED_STATE) and the
 * machine's console under systemd, stderr elsewhere. What only repeats itself is told once a
 * minute, whatever other steps have to say meanwhile.
 */
struct announcer {
	bool under_systemd;
	struct {
		const char *name; /* the step's own, borrowed */
		int64_t ms;	  /* when its trouble was last told */
	} told[STEPS_MAX];
};

void announce(struct announcer *to, const struct step_event *event, int64_t now_ms)
	__attribute__((nonnull));

/* A text of several lines, to the same places. */
void announce_block(const struct announcer *to, const char *block) __attribute__((nonnull));
