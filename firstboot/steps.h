/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct node;

/* A table of steps and who runs it. A step compares, then acts; it may run any number of times. */

enum step_result { STEP_SAME = 0, STEP_CHANGED = 1 };

enum step_state {
	STEP_PENDING,
	STEP_RUNNING,
	STEP_WAITING, /* for something outside; tried again */
	STEP_FAILED,  /* tried again, unless its time is up */
	STEP_DONE,
	STEP_N_STATES,
};

const char *step_state_name(enum step_state state);

struct step {
	const char *name;
	int (*run)(struct node *node, struct fault *why); /* enum step_result, or negative */
	unsigned limit_s; /* it is given up after so long; 0: never */
	bool background;  /* the later ones do not wait for it */
	unsigned again_s; /* one that is done is run again after so long; 0: never */
	/* In trouble it is tried on beside the later ones, which do not wait; NULL: they wait. */
	bool (*yields)(const struct node *node);
	const char *after; /* it is not tried before that one is done, which stands before it */
};

struct step_event {
	const char *name;
	enum step_state state;
	const char *reason; /* "" when there is nothing to say */
	bool repeated;	    /* same state and cause as the last event of this step: no news */
};

enum step_pause { STEP_PAUSE_OVER, STEP_PAUSE_RETRY, STEP_PAUSE_STOP };

enum { STEPS_MAX = 24 };

struct runner {
	const struct step *steps;
	size_t n;	   /* at most STEPS_MAX */
	struct node *node; /* what the steps work on */
	void (*announce)(void *data, const struct step_event *event);
	/* Sleeps so long; says whether somebody asked to try again at once, or to stop. */
	enum step_pause (*pause)(void *data, unsigned ms);
	int64_t (*now_ms)(void *data);
	/* Whose turn it is, at each try, also where that is no news. May be NULL. */
	void (*turn)(void *data, const char *name);
	void *data; /* for the four */
};

enum steps_result { STEPS_DONE = 0, STEPS_ASKED = 1 };

/*
 * Runs the steps in order, each until it succeeds or yields; then the background ones and those
 * that yielded, each at its own pace. STEPS_DONE when all are done and none is to be run again;
 * STEPS_ASKED when all were done and pause said retry: whoever asked wants to see all of them run.
 * -ECANCELED when pause said stop, else the fault of a step whose time was up.
 */
int steps_run(const struct runner *runner, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Marks the fault as a wait: "the API server at X" goes before the cause that is there already.
 * Returns -EAGAIN. The runner shows "waiting for the API server at X, 40 s: connection refused".
 */
int step_wait(struct fault *why, const char *format, ...)
	__attribute__((format(printf, 2, 3), nonnull));

/*
 * What a step that succeeds has to say, such as "mounted since 12:04", instead of "changed" or "as
 * it must be". Returns result, for the step to return.
 */
int step_say(struct fault *why, enum step_result result, const char *format, ...)
	__attribute__((format(printf, 3, 4), nonnull));

/* How long to pause after so many tries: doubling from half a second to 15 s, with jitter. */
unsigned step_delay_ms(unsigned tries, uint32_t random);
