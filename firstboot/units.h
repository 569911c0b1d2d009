/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct sd_bus;

/* systemd's manager over the bus: units that are there, and transient ones for foreign programs. */

/* Called about twice a second while something is waited for; false ends the wait (-ECANCELED). */
struct units_tick {
	bool (*alive)(void *data);
	void *data;
};

/* A program to run to its end as a unit of its own: own cgroup, own journal, own time limit. */
struct units_transient {
	const char *unit; /* "rackseed-kubeadm-init.service" */
	const char *description;
	const char *const *argv; /* argv[0] is an absolute path */
	unsigned limit_s;
};

int units_open(struct sd_bus **ret_bus, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void units_close(struct sd_bus *bus);

/* ActiveState: "active", "inactive", "failed", "activating"…; "" for a unit that is not there. */
int units_state(struct sd_bus *bus, const char *unit, char ret_state[static 32], struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* When it became active last, CLOCK_REALTIME; 0: never. */
int units_since(struct sd_bus *bus, const char *unit, uint64_t *ret_us, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Starts it and waits until it is active, at most limit_s. */
int units_start(struct sd_bus *bus, const char *unit, unsigned limit_s,
		const struct units_tick *tick, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The same after stopping it. */
int units_restart(struct sd_bus *bus, const char *unit, unsigned limit_s,
		  const struct units_tick *tick, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Stops it and waits until it is; one that is not there is stopped. */
int units_stop(struct sd_bus *bus, const char *unit, unsigned limit_s,
	       const struct units_tick *tick, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* systemctl daemon-reload. */
int units_reload(struct sd_bus *bus, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Runs it to its end. What an earlier run of the same name left is cleared away first. A fault
 * names how it ended and carries the last lines of its journal.
 */
int units_run(struct sd_bus *bus, const struct units_transient *what, const struct units_tick *tick,
	      struct fault *why) __attribute__((nonnull, warn_unused_result));

enum units_earlier { UNITS_NONE, UNITS_SUCCEEDED, UNITS_FAILED };

/*
 * For a service that was started anew while its program still ran: waits for that program's end.
 * UNITS_NONE when there is none; UNITS_SUCCEEDED; UNITS_FAILED with its fault in why, as
 * units_run() gives it. Negative when that cannot be found out: it may still run.
 */
int units_rejoin(struct sd_bus *bus, const char *unit, const struct units_tick *tick,
		 struct fault *why) __attribute__((nonnull, warn_unused_result));
