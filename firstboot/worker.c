/* SPDX-License-Identifier: MIT */
#include "firstboot/worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "firstboot/node.h"
#include "firstboot/state.h"
#include "firstboot/tasks.h"

enum { IDLE_MS = 20000, SAVE_MS = 3600 * 1000 };

static int64_t clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t now_ms(void *data)
{
	(void)data;
	return clock_ms(CLOCK_MONOTONIC);
}

static void lock(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
}

static void unlock(struct worker *w)
{
	pthread_mutex_unlock(&w->lock);
}

/* The other thread looks when it can; a full counter has been seen by nobody yet, and will be. */
static void tell_moved(struct worker *w)
{
	const uint64_t one = 1;

	if (write(w->moved_fd, &one, sizeof(one)) < 0)
		return;
}

static void tell(void *data, const struct step_event *event)
{
	struct worker *w = data;

	lock(w);
	w->beat_ms = now_ms(NULL);
	status_take(&w->status, event, (uint64_t)clock_ms(CLOCK_REALTIME) * 1000);
	unlock(w);
	announce(&w->announcer, event, now_ms(NULL));
	tell_moved(w);
}

static void take_turn(void *data, const char *name)
{
	struct worker *w = data;

	snprintf(w->step, sizeof(w->step), "%s", name);
}

static void tell_note(void *data, const char *what)
{
	struct worker *w = data;
	char step[sizeof(w->step)];

	memcpy(step, w->step, sizeof(step));
	tell(w, &(struct step_event){ .name = step, .state = STEP_RUNNING, .reason = what });
}

static void tell_name(void *data, const char *name)
{
	struct worker *w = data;

	lock(w);
	snprintf(w->status.name, sizeof(w->status.name), "%s", name);
	unlock(w);
	tell_moved(w);
}

static bool is_wanted(void *data)
{
	struct worker *w = data;
	bool wanted;

	lock(w);
	w->beat_ms = now_ms(NULL);
	wanted = !w->stop;
	unlock(w);
	return wanted;
}

static void save_time(struct worker *w)
{
	struct fault why = { 0 };

	/* The next boot would take a time that cannot be for one that is past. */
	if (!w->node->loaded || !clock_fits(w->node, clock_ms(CLOCK_REALTIME) / 1000))
		return;
	w->saved_ms = now_ms(NULL);
	w->node->state.saved_time = clock_ms(CLOCK_REALTIME) / 1000;
	if (state_save(w->node->root, &w->node->state, &why) < 0)
		fprintf(stderr, "<4>%s\n", why.text);
}

/* The clock goes to the disk once an hour, and when the service ends; never while it starts. */
static void save_time_at_times(struct worker *w)
{
	if (now_ms(NULL) - w->saved_ms >= SAVE_MS)
		save_time(w);
}

static struct timespec monotonic(int64_t ms)
{
	return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
}

/* At most so long at a time, so that the watchdog sees a long sleeper alive. */
static enum step_pause doze(struct worker *w, int64_t end_ms)
{
	struct timespec end = monotonic(end_ms);
	enum step_pause result = STEP_PAUSE_OVER;
	int r = 0;

	lock(w);
	w->beat_ms = now_ms(NULL);
	while (r == 0 && !w->stop && !w->retry)
		r = pthread_cond_timedwait(&w->wake, &w->lock, &end);
	if (w->stop)
		result = STEP_PAUSE_STOP;
	else if (w->retry)
		result = STEP_PAUSE_RETRY;
	w->retry = false;
	w->beat_ms = now_ms(NULL);
	unlock(w);
	return result;
}

static enum step_pause sleep_for(void *data, unsigned ms)
{
	struct worker *w = data;
	int64_t end_ms = now_ms(NULL) + ms;
	enum step_pause result;
	int64_t left_ms;

	do {
		save_time_at_times(w);
		left_ms = end_ms - now_ms(NULL);
		result = doze(w, left_ms > IDLE_MS ? now_ms(NULL) + IDLE_MS : end_ms);
	} while (result == STEP_PAUSE_OVER && now_ms(NULL) < end_ms);
	return result;
}

static void *work(void *data)
{
	struct worker *w = data;
	const struct runner runner = { .steps = task_table,
				       .n = task_table_n,
				       .node = w->node,
				       .announce = tell,
				       .pause = sleep_for,
				       .now_ms = now_ms,
				       .turn = take_turn,
				       .data = w };
	enum step_pause pause = STEP_PAUSE_OVER;
	struct fault why = { 0 };
	int result;

	while (pause != STEP_PAUSE_STOP) {
		/* No step of ours has a limit, so all that ends it early is stop. */
		result = steps_run(&runner, &why);
		if (result < 0)
			break;
		pause = result == STEPS_ASKED ? STEP_PAUSE_RETRY : STEP_PAUSE_OVER;
		while (pause == STEP_PAUSE_OVER)
			pause = sleep_for(w, IDLE_MS);
	}
	save_time(w);
	return NULL;
}

int worker_start(struct worker *w, struct node *node, bool under_systemd, struct fault *why)
{
	pthread_condattr_t attributes;
	int r;

	*w = (struct worker){ .node = node, .announcer.under_systemd = under_systemd };
	w->beat_ms = w->saved_ms = now_ms(NULL);
	status_init(&w->status, task_table, task_table_n);
	w->moved_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->moved_fd < 0)
		return fault_errno(why, errno, "eventfd");
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	node->alive = is_wanted;
	node->named = tell_name;
	node->note = tell_note;
	node->data = w;
	r = pthread_create(&w->thread, NULL, work, w);
	return r ? fault_errno(why, r, "cannot start the steps") : 0;
}

bool worker_stop(struct worker *w, unsigned limit_s)
{
	struct timespec end;

	lock(w);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	unlock(w);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += limit_s;
	if (pthread_timedjoin_np(w->thread, NULL, &end) != 0)
		return false;
	drop_fd(&w->moved_fd);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	return true;
}

void worker_retry(struct worker *w)
{
	lock(w);
	w->retry = true;
	pthread_cond_signal(&w->wake);
	unlock(w);
}

void worker_copy_status(struct worker *w, struct status *ret)
{
	lock(w);
	*ret = w->status;
	unlock(w);
}

int64_t worker_silence_ms(struct worker *w)
{
	int64_t beat_ms;

	lock(w);
	beat_ms = w->beat_ms;
	unlock(w);
	return now_ms(NULL) - beat_ms;
}
