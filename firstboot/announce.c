/* SPDX-License-Identifier: MIT */
#include "firstboot/announce.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/macros.h"
#include "base/text.h"
#include "firstboot/journal.h"

enum { REPEAT_MS = 60000 };

static const int priorities[STEP_N_STATES] = {
	[STEP_PENDING] = LOG_DEBUG,  [STEP_RUNNING] = LOG_INFO, [STEP_WAITING] = LOG_NOTICE,
	[STEP_FAILED] = LOG_WARNING, [STEP_DONE] = LOG_INFO,
};

/* Whether this is no repetition, or the last time is long enough ago; notes that it is told now. */
static bool is_due(struct announcer *to, const struct step_event *event, int64_t now_ms)
{
	size_t at = 0;
	size_t i;

	/* Its own row, else the one that waited longest. */
	for (i = 0; i < COUNT(to->told); i++) {
		if (to->told[i].name && strcmp(to->told[i].name, event->name) == 0) {
			at = i;
			break;
		}
		if (!to->told[i].name || (to->told[at].name && to->told[i].ms < to->told[at].ms))
			at = i;
	}
	if (event->repeated && event->state == STEP_DONE)
		return false;
	if (event->repeated && i < COUNT(to->told) && now_ms - to->told[at].ms < REPEAT_MS)
		return false;
	if (event->state == STEP_WAITING || event->state == STEP_FAILED) {
		to->told[at].name = event->name;
		to->told[at].ms = now_ms;
	}
	return true;
}

void announce(struct announcer *to, const struct step_event *event, int64_t now_ms)
{
	scoped(text_done) struct text line = { 0 };
	scoped(text_done) struct text shown = { 0 };

	if (event->state == STEP_PENDING || (event->state == STEP_RUNNING && !event->reason[0]))
		return;
	if (!is_due(to, event, now_ms))
		return;
	text_addf(&line, "%s: %s%s%s", event->name, event->state == STEP_FAILED ? "failed: " : "",
		  event->reason, event->reason[0] ? "" : step_state_name(event->state));
	if (line.data)
		text_tame(line.data);
	text_addf(&shown, "rackseed: %s", text_str(&line));
	if (!to->under_systemd) {
		fprintf(stderr, "%s\n", text_str(&shown));
		return;
	}
	journal_tell(priorities[event->state], event->name, step_state_name(event->state),
		     text_str(&line));
	journal_console(text_str(&shown));
}

void announce_block(const struct announcer *to, const char *block)
{
	const char *line = block;
	size_t n;

	for (; *line; line += n + (line[n] == '\n')) {
		scoped(text_done) struct text one = { 0 };

		n = strcspn(line, "\n");
		text_add_n(&one, line, n);
		if (!to->under_systemd) {
			fprintf(stderr, "%s\n", text_str(&one));
			continue;
		}
		journal_tell(LOG_ERR, "machine", "failed", text_str(&one));
		journal_console(text_str(&one));
	}
}
