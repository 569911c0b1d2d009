/* SPDX-License-Identifier: MIT */
#include "image/flash_job.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"

enum { TICK_MS = 50, PLAIN_MS = 30000 };

/* What the last line said of a job. */
struct shown {
	enum flash_phase phase;
	uint64_t since_ms, said_ms;
};

struct watch {
	struct flash_job *jobs;
	size_t n;
	bool quiet, terminal;
	int signals;
	struct shown shown[16];
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void *work(void *data)
{
	struct flash_job *job = data;
	const struct flash_order order = { &job->source, &job->map, &job->table, job->verify,
					   &job->proof };

	job->proof.stop = &job->progress.stop;
	job->r = flash_write(job->target.fd, &order, &job->progress, &job->result, &job->why);
	atomic_store(&job->progress.phase, FLASH_FINISHED);
	return NULL;
}

static void describe(const struct flash_job *job, const struct shown *shown, uint64_t now,
		     struct text *out)
{
	text_addf(out, "%s: ", job->node->name);
	flash_progress_text(shown->phase, atomic_load(&job->progress.done),
			    atomic_load(&job->progress.total), now - shown->since_ms, out);
}

static void show_live(const struct flash_job *job, const struct shown *shown, uint64_t now,
		      struct text *out)
{
	text_add(out, out->len ? " | " : "");
	describe(job, shown, now, out);
}

static void show_plain(const struct flash_job *job, const struct shown *shown, bool is_new,
		       uint64_t now, struct text *out)
{
	if (is_new)
		text_addf(out, "%s: %s", job->node->name, flash_phase_name(shown->phase));
	else
		describe(job, shown, now, out);
	text_add(out, "\n");
}

/* One line that is written over and over on a terminal; else one per phase, and twice a minute. */
static void show(struct watch *w)
{
	scoped(text_done) struct text all = { 0 };
	uint64_t now = now_ms();
	size_t i;

	for (i = 0; i < w->n; i++) {
		struct shown *shown = &w->shown[i];
		enum flash_phase phase = (enum flash_phase)atomic_load(&w->jobs[i].progress.phase);
		bool is_new = phase != shown->phase;

		if (is_new)
			*shown = (struct shown){ phase, now, now };
		if (!w->terminal && !is_new && now - shown->said_ms < PLAIN_MS)
			continue;
		if (!w->terminal && phase == FLASH_FINISHED)
			continue; /* the report comes at once */
		shown->said_ms = now;
		if (w->terminal)
			show_live(&w->jobs[i], shown, now, &all);
		else
			show_plain(&w->jobs[i], shown, is_new, now, &all);
	}
	if (w->quiet || all.len == 0)
		return;
	fprintf(stderr, w->terminal ? "\r\033[K%s" : "%s", text_str(&all));
	fflush(stderr);
}

static bool all_ended(const struct watch *w)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (atomic_load(&w->jobs[i].progress.phase) != FLASH_FINISHED)
			return false;
	return true;
}

/* Takes what was sent to us. True: something was. */
static bool signalled(int signals)
{
	struct signalfd_siginfo info;
	bool any = false;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		any = true;
	return any;
}

static void wait_for_all(struct watch *w)
{
	struct pollfd fd = { .fd = w->signals, .events = POLLIN };
	size_t i;

	while (!all_ended(w)) {
		if (poll(&fd, 1, TICK_MS) > 0 && signalled(w->signals))
			for (i = 0; i < w->n; i++)
				atomic_store(&w->jobs[i].progress.stop, true);
		show(w);
	}
	if (w->terminal && !w->quiet)
		fprintf(stderr, "\r\033[K");
}

static int run_group(struct flash_job *jobs, size_t n, int signals, bool quiet, struct fault *why)
{
	struct watch w = { .jobs = jobs,
			   .n = n,
			   .quiet = quiet,
			   .signals = signals,
			   .terminal = isatty(STDERR_FILENO) == 1 };
	size_t i, started;
	int r = 0;

	for (started = 0; r == 0 && started < n; started++) {
		jobs[started].r = 1;
		r = pthread_create(&jobs[started].thread, NULL, work, &jobs[started]);
		if (r != 0)
			break;
	}
	if (r != 0)
		for (i = 0; i < started; i++)
			atomic_store(&jobs[i].progress.stop, true);
	w.n = started;
	wait_for_all(&w);
	for (i = 0; i < started; i++)
		pthread_join(jobs[i].thread, NULL);
	return r == 0 ? 0 : fault_errno(why, r, "starting to write");
}

static int run_all(struct flash_job *jobs, size_t n, bool parallel, int signals, bool quiet,
		   struct fault *why)
{
	size_t i;
	int r = 0;

	if (parallel)
		return run_group(jobs, n, signals, quiet, why);
	for (i = 0; r == 0 && i < n && !signalled(signals); i++) {
		r = run_group(&jobs[i], 1, signals, quiet, why);
		if (jobs[i].r < 0)
			break;
	}
	return r;
}

int flash_jobs_run(struct flash_job *jobs, size_t n, bool parallel, bool quiet, struct fault *why)
{
	scoped(drop_fd) int signals = -1;
	sigset_t set, before;
	int r;

	if (n > COUNT(((struct watch *)0)->shown))
		return fault_set(why, E2BIG, "more than %zu disks at once",
				 COUNT(((struct watch *)0)->shown));
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	/* Blocked before the threads start: they inherit it, and only the watch reads them. */
	if (pthread_sigmask(SIG_BLOCK, &set, &before) != 0)
		return fault_set(why, EINVAL, "signals cannot be blocked");
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	r = signals < 0 ? fault_errno(why, errno, "signalfd")
			: run_all(jobs, n, parallel, signals, quiet, why);
	if (signals >= 0)
		(void)signalled(signals); /* else a second Ctrl-C would end us without a word */
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}
