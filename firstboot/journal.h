/* SPDX-License-Identifier: MIT */
#pragma once

struct text;

/* What systemd's journal is told, and asked. */

/* One line with the fields RACKSEED_STEP and RACKSEED_STATE; priority as in syslog(3). */
void journal_tell(int priority, const char *step, const char *state, const char *line);

/*
 * Adds the last lines of one run of a unit (its invocation id, 32 hex digits), oldest first, " | "
 * between. Adds nothing when the journal cannot be read: it serves a fault that stands without it.
 */
void journal_last_lines(const char *invocation, unsigned n, struct text *out);

/* A whole line to the machine's console, wherever it is. Never waits, never fails. */
void journal_console(const char *line);
