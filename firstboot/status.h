/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firstboot/steps.h"

struct text;

/* What the bus, `status` and systemd are shown. A plain value: copy it, compare it, print it. */

enum status_phase {
	STATUS_STARTING, /* nothing has run yet */
	STATUS_WORKING,
	STATUS_WAITING, /* a step waits for something outside */
	STATUS_FAILING, /* a step failed and is tried again */
	STATUS_READY,	/* all that others wait for is done */
	STATUS_N_PHASES,
};

const char *status_phase_name(enum status_phase phase);

enum { STATUS_MAX_ROWS = STEPS_MAX, STATUS_REASON_LEN = 1088 };

struct status_row {
	char name[24];
	enum step_state state;
	char reason[STATUS_REASON_LEN];
	uint64_t since_usec; /* when it came into this state, CLOCK_REALTIME; 0: never */
	int background;
};

struct status {
	char name[256]; /* the node's, "" while not known */
	enum status_phase phase;
	char step[24]; /* the one that is at work, "" when none is */
	struct status_row rows[STATUS_MAX_ROWS];
	size_t n_rows;
};

/* An empty status with one pending row per step. */
void status_init(struct status *s, const struct step *steps, size_t n) __attribute__((nonnull));

/* Takes one event in: the row, and from all rows step and phase. */
void status_take(struct status *s, const struct step_event *event, uint64_t now_usec)
	__attribute__((nonnull));

/* One line for systemctl status: the phase, the step and its reason. */
void status_line(const struct status *s, struct text *out) __attribute__((nonnull));

/* {"name":…,"phase":…,"step":…,"steps":[{"name","state","reason","since"}]} */
void status_json(const struct status *s, struct text *out) __attribute__((nonnull));

/* What the machine is, for those who ask from outside. */
struct status_machine {
	const char *version; /* of rackseed */
	char boot[40];	     /* the kernel's boot id, "" when it is not known */
	uint64_t uptime_s;
	bool has_etcd_data; /* a cluster's data lie here: it must never be begun anew */
	char began[160];    /* that it was, when, and from which snapshot; else "" */
};

/* The same with "version", "boot", "uptime" (seconds), "etcdData" (true or false) and "began". */
void status_endpoint_json(const struct status *s, const struct status_machine *machine,
			  struct text *out) __attribute__((nonnull));
