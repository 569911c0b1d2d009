/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct text;

/* What systemd's journal is told, and asked. */

/* One line with the fields RACKSEED_STEP and RACKSEED_STATE; priority as in syslog(3). */
void journal_tell(int priority, const char *step, const char *state, const char *line);

/*
 * Adds the last lines of a unit since that time (CLOCK_REALTIME), oldest first, " | "
 * between; of many long ones the newest. Adds nothing when the journal cannot be read: it serves a
 * fault that stands without it.
 */
void journal_last_lines(const char *unit, uint64_t since_usec, unsigned n, struct text *out);

/* How it joins n lines, newest first: of the older ones those that have room. */
void journal_join(const char *const *lines, size_t n, size_t room, struct text *out)
	__attribute__((nonnull));

/* A whole line to the machine's console, wherever it is. Never waits, never fails. */
void journal_console(const char *line);
