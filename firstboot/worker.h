/* SPDX-License-Identifier: MIT */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "firstboot/announce.h"
#include "firstboot/status.h"

struct fault;
struct node;

/*
 * The thread that runs the steps. What both threads touch lies behind one lock, and only the
 * functions here touch it.
 */
struct worker {
	struct node *node; /* the worker's own from start to end */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct status status; /* locked, as are the next three */
	bool stop, retry;
	int64_t beat_ms;	    /* when the worker last showed that it is alive */
	int moved_fd;		    /* an eventfd: the status is new */
	struct announcer announcer; /* the worker's own */
	char step[24];
	int64_t saved_ms;
};

/* Fills node's callbacks and starts the thread. */
int worker_start(struct worker *w, struct node *node, bool under_systemd, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Asks it to stop and waits so long; false when it would not, and then nothing of it is safe. */
bool worker_stop(struct worker *w, unsigned limit_s);

void worker_retry(struct worker *w);
void worker_copy_status(struct worker *w, struct status *ret);

/* Milliseconds since the worker last showed that it is alive. */
int64_t worker_silence_ms(struct worker *w);
