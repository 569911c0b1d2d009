/* SPDX-License-Identifier: MIT */
#include "firstboot/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/quote.h"
#include "base/text.h"

static const char *const phase_names[STATUS_N_PHASES] = {
	[STATUS_STARTING] = "starting", [STATUS_WORKING] = "working", [STATUS_WAITING] = "waiting",
	[STATUS_FAILING] = "failing",	[STATUS_READY] = "ready",
};

/* What a row at work makes of the phase; pending and done rows have no say. */
static const enum status_phase phase_of[STEP_N_STATES] = {
	[STEP_RUNNING] = STATUS_WORKING,
	[STEP_WAITING] = STATUS_WAITING,
	[STEP_FAILED] = STATUS_FAILING,
};

const char *status_phase_name(enum status_phase phase)
{
	return phase_names[phase];
}

void status_init(struct status *s, const struct step *steps, size_t n)
{
	size_t i;

	*s = (struct status){ .n_rows = n < STATUS_MAX_ROWS ? n : STATUS_MAX_ROWS };
	for (i = 0; i < s->n_rows; i++) {
		snprintf(s->rows[i].name, sizeof(s->rows[i].name), "%s", steps[i].name);
		s->rows[i].background = steps[i].background;
	}
}

/* The first row that is not done decides; background rows only name the step. */
static void judge(struct status *s)
{
	const struct status_row *row, *work = NULL;
	size_t i;

	s->phase = STATUS_READY;
	s->step[0] = '\0';
	for (i = 0; i < s->n_rows && !work; i++) {
		row = &s->rows[i];
		if (row->state != STEP_DONE && !row->background)
			work = row;
	}
	if (work)
		s->phase = phase_of[work->state];
	for (i = 0; i < s->n_rows && !work; i++) {
		row = &s->rows[i];
		if (row->state != STEP_DONE && row->state != STEP_PENDING)
			work = row;
	}
	if (work && work->state != STEP_PENDING)
		snprintf(s->step, sizeof(s->step), "%s", work->name);
	else if (work)
		s->phase = work == s->rows ? STATUS_STARTING : STATUS_WORKING;
}

void status_take(struct status *s, const struct step_event *event, uint64_t now_usec)
{
	struct status_row *row = s->rows;

	while (row < s->rows + s->n_rows && strcmp(row->name, event->name) != 0)
		row++;
	if (row == s->rows + s->n_rows)
		return;
	if (row->state != event->state || row->since_usec == 0)
		row->since_usec = now_usec;
	row->state = event->state;
	snprintf(row->reason, sizeof(row->reason), "%s", event->reason);
	text_tame(row->reason); /* the bus takes no other: all of the status would be lost */
	judge(s);
}

static const struct status_row *row_at_work(const struct status *s)
{
	size_t i;

	for (i = 0; i < s->n_rows; i++)
		if (s->step[0] && strcmp(s->rows[i].name, s->step) == 0)
			return &s->rows[i];
	return NULL;
}

void status_line(const struct status *s, struct text *out)
{
	const struct status_row *row = row_at_work(s);

	text_add(out, phase_names[s->phase]);
	if (row)
		text_addf(out, ": %s%s%s", row->name, row->reason[0] ? ": " : "", row->reason);
}

static void member(struct text *out, const char *key, const char *value)
{
	text_addf(out, "\"%s\":", key);
	quote_json(out, value);
}

static void members(const struct status *s, struct text *out)
{
	const struct status_row *row;

	member(out, "name", s->name);
	text_add(out, ",");
	member(out, "phase", phase_names[s->phase]);
	text_add(out, ",");
	member(out, "step", s->step);
	text_add(out, ",\"steps\":[");
	for (row = s->rows; row < s->rows + s->n_rows; row++) {
		text_add(out, row == s->rows ? "{" : ",{");
		member(out, "name", row->name);
		text_add(out, ",");
		member(out, "state", step_state_name(row->state));
		text_add(out, ",");
		member(out, "reason", row->reason);
		text_addf(out, ",\"since\":%" PRIu64 "}", row->since_usec);
	}
	text_add(out, "]");
}

void status_json(const struct status *s, struct text *out)
{
	text_add(out, "{");
	members(s, out);
	text_add(out, "}");
}

void status_endpoint_json(const struct status *s, const struct status_machine *machine,
			  struct text *out)
{
	text_add(out, "{");
	members(s, out);
	text_add(out, ",");
	member(out, "version", machine->version);
	text_add(out, ",");
	member(out, "boot", machine->boot);
	text_addf(out, ",\"uptime\":%" PRIu64 ",\"etcdData\":%s,", machine->uptime_s,
		  machine->has_etcd_data ? "true" : "false");
	member(out, "began", machine->began);
	text_add(out, "}");
}
