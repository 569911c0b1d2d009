/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "firstboot/steps.h"

/*
 * Tells people of a change of state: the journal (fields RACKSEED_STEP, RACKSEED_STATE) and the
 * machine's console under systemd, stderr elsewhere. What only repeats itself is told once a
 * minute.
 */
struct announcer {
	bool under_systemd;
	int64_t told_ms; /* when trouble was last told */
};

void announce(struct announcer *to, const struct step_event *event, int64_t now_ms)
	__attribute__((nonnull));

/* A text of several lines, to the same places. */
void announce_block(const struct announcer *to, const char *block) __attribute__((nonnull));
