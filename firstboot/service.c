/* SPDX-License-Identifier: MIT */
#include "firstboot/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "firstboot/bus.h"
#include "firstboot/node.h"
#include "firstboot/outside.h"
#include "firstboot/units.h"
#include "firstboot/worker.h"

enum {
	STOP_S = 10,
	BUS_RETRY_USEC = 2000000,
	/* The longest that a step may go without a sign of life: a program of ours has 60 s. */
	SILENCE_MS = 150000,
};

struct service {
	struct worker worker;
	struct bus_object object;
	struct outside outside;
	sd_event *event;
	sd_bus *bus; /* or NULL while it is away */
	uint64_t watchdog_usec;
};

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *data)
{
	struct service *s = data;

	(void)source, (void)si;
	return sd_event_exit(s->event, 0);
}

/* The one place from where the outside hears of a change. */
static int on_moved(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct service *s = data;
	scoped(text_done) struct text line = { 0 };
	struct status status;
	uint64_t count;

	(void)source, (void)events;
	if (read(fd, &count, sizeof(count)) < 0)
		return 0;
	worker_copy_status(&s->worker, &status);
	if (bus_show(s->bus, &s->object, &status) < 0)
		fprintf(stderr, "<4>the bus does not take our signals\n");
	outside_report(&s->outside);
	status_line(&status, &line);
	sd_notifyf(0, "STATUS=%s", text_str(&line));
	return 0;
}

static int on_watchdog(sd_event_source *source, uint64_t usec, void *data)
{
	struct service *s = data;

	if (worker_silence_ms(&s->worker) < SILENCE_MS)
		sd_notify(0, "WATCHDOG=1");
	sd_event_source_set_time(source, usec + s->watchdog_usec / 3);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int connect_bus(struct service *s, struct fault *why)
{
	int r = units_open(&s->bus, why);

	if (r < 0)
		return r;
	r = bus_add(s->bus, &s->object, why);
	if (r >= 0) {
		r = sd_bus_request_name(s->bus, BUS_NAME, 0);
		if (r < 0)
			fault_errno(why, r, "cannot be %s on the bus", BUS_NAME);
	}
	if (r >= 0)
		r = sd_bus_attach_event(s->bus, s->event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0) {
		units_close(s->bus);
		s->bus = NULL;
	}
	return r;
}

/* The bus serves those who look; the node comes up without it, and it is tried again for ever. */
static int on_bus_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct service *s = data;
	struct fault why = { 0 };

	if (s->bus && sd_bus_is_open(s->bus) == 0) {
		units_close(s->bus);
		s->bus = NULL;
	}
	if (!s->bus && connect_bus(s, &why) < 0)
		fprintf(stderr, "<4>%s\n", why.text);
	outside_report(&s->outside);
	sd_event_source_set_time(source, usec + BUS_RETRY_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void retry(void *data)
{
	struct service *s = data;

	worker_retry(&s->worker);
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int add_sources(struct service *s)
{
	int r = sd_event_add_signal(s->event, NULL, SIGTERM, on_signal, s);

	if (r >= 0)
		r = sd_event_add_signal(s->event, NULL, SIGINT, on_signal, s);
	if (r >= 0)
		r = sd_event_add_io(s->event, NULL, s->worker.moved_fd, EPOLLIN, on_moved, s);
	if (r >= 0)
		r = sd_event_add_time_relative(s->event, NULL, CLOCK_MONOTONIC, 0, 0, on_bus_timer,
					       s);
	if (r >= 0 && sd_watchdog_enabled(0, &s->watchdog_usec) > 0)
		r = sd_event_add_time_relative(s->event, NULL, CLOCK_MONOTONIC, 0, 0, on_watchdog,
					       s);
	return r;
}

static int serve(struct service *s, struct fault *why)
{
	int r = add_sources(s);

	if (r >= 0) {
		sd_notify(0, "READY=1");
		r = sd_event_loop(s->event);
	}
	return r < 0 ? fault_errno(why, r, "event loop") : 0;
}

int service_run(struct node *node, bool under_systemd, struct fault *why)
{
	struct service *s = calloc(1, sizeof(*s));
	bool ended;
	int r = block_signals();

	if (!s)
		return fault_errno(why, ENOMEM, "service");
	s->outside = (struct outside){ .worker = &s->worker, .node = node };
	s->object.retry = retry;
	s->object.data = s;
	if (r >= 0)
		r = sd_event_default(&s->event);
	r = r < 0 ? fault_errno(why, r, "event loop")
		  : worker_start(&s->worker, node, under_systemd, why);
	if (r >= 0) {
		r = serve(s, why);
		sd_notify(0, "STOPPING=1");
		outside_close(&s->outside);
		ended = worker_stop(&s->worker, STOP_S);
		/* A step that does not end in time still uses the node, so nothing of it is freed.
		 */
		if (!ended)
			_exit(r < 0);
	}
	if (s->bus)
		units_close(s->bus);
	sd_event_unref(s->event);
	free(s);
	return r;
}
