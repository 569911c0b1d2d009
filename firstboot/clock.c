/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "cluster/pki.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"

DEFINE_DROP(bus, struct sd_bus *, units_close)

enum { SYNC_LIMIT_S = 30, UNIT_LIMIT_S = 30, LAG_MAX_S = 365 * 24 * 3600, DAY_LEN = 24 };

static const char timesyncd[] = "systemd-timesyncd.service";

struct clock_span clock_span(const struct node *node)
{
	const char *ca = node_secret(node, "pki/ca.crt");
	struct clock_span span = { INT64_MIN, INT64_MAX };
	struct fault ignored = { 0 };

	if (!ca || pki_not_before(ca, &span.begin, &ignored) < 0 ||
	    pki_not_after(ca, &span.end, &ignored) < 0)
		return (struct clock_span){ INT64_MIN, INT64_MAX };
	return span;
}

bool clock_fits(const struct node *node, int64_t now)
{
	const struct clock_span ca = clock_span(node);

	return now >= ca.begin && now <= ca.end;
}

static const char *day(int64_t t, char buf[static DAY_LEN])
{
	time_t when = (time_t)t;
	struct tm tm = { 0 };

	if (!gmtime_r(&when, &tm) || strftime(buf, DAY_LEN, "%Y-%m-%d", &tm) == 0)
		snprintf(buf, DAY_LEN, "?");
	return buf;
}

/* In days, so that it is the same words for as long as it is the same trouble. */
int clock_wait(const struct node *node, struct fault *why)
{
	const struct clock_span ca = clock_span(node);
	char now[DAY_LEN], begin[DAY_LEN], end[DAY_LEN];

	fault_set(why, EAGAIN, "it shows %s, and that is valid from %s to %s",
		  day((int64_t)time(NULL), now), day(ca.begin, begin), day(ca.end, end));
	return step_wait(why, "a clock within the time of the cluster's CA");
}

/*
 * A battery that is dead or weak shows a time before all this, or one that lags a little. A clock
 * that is possible and far behind what was saved speaks against what was saved.
 */
int64_t clock_floor(int root, struct clock_span ca, int64_t saved_time, int64_t now)
{
	int64_t floor = ca.begin;
	struct stat st;

	if (fstatat(root, &NODE_IMAGE_PATH[1], &st, 0) == 0 && st.st_mtime > floor)
		floor = st.st_mtime;
	if (saved_time > floor && saved_time <= ca.end &&
	    (now < floor || saved_time - now < LAG_MAX_S))
		floor = saved_time;
	return now < floor ? floor : now;
}

/* A dead battery sets the clock years back, and then no certificate is valid yet. */
static int raise_clock(const struct node *node, struct fault *why)
{
	struct timespec floor = { 0 }, now;

	clock_gettime(CLOCK_REALTIME, &now);
	floor.tv_sec = clock_floor(node->root, clock_span(node), node->state.saved_time,
				   now.tv_sec);
	if (now.tv_sec >= floor.tv_sec)
		return STEP_SAME;
	if (clock_settime(CLOCK_REALTIME, &floor) < 0)
		return fault_errno(why, errno, "cannot set the clock");
	return STEP_CHANGED;
}

/* Images may come with another time service: then it is that one's business. */
static int restart_timesyncd(struct node *node, struct fault *why)
{
	scoped(drop_bus) struct sd_bus *bus = NULL;
	struct units_tick tick = task_tick(node);
	char state[32] = "";
	int r = units_open(&bus, why);

	if (r >= 0)
		r = units_state(bus, timesyncd, state, why);
	if (r < 0 || !state[0])
		return r;
	return units_restart(bus, timesyncd, UNIT_LIMIT_S, &tick, why);
}

/*
 * For the kubeadm that is to come: it makes and checks certificates. A time server that is away
 * holds up nobody, though, and a node that is a member already waits for none.
 */
static int await_sync(const struct node *node, struct fault *why)
{
	const struct timespec pause = { .tv_sec = 1 };
	struct timex timex = { 0 };
	int i;

	for (i = 0; i < SYNC_LIMIT_S; i++) {
		if (adjtimex(&timex) != TIME_ERROR && !(timex.status & STA_UNSYNC))
			return 0;
		if (!node->alive(node->data))
			return fault_set(why, ECANCELED, "stopped");
		nanosleep(&pause, NULL);
	}
	return 0;
}

int task_clock(struct node *node, struct fault *why)
{
	int raised = raise_clock(node, why);
	int files = raised < 0 ? raised : node_apply(node, PLAN_CLOCK, why);
	int r = files;

	if (r == FS_CHANGED)
		r = restart_timesyncd(node, why);
	if (r >= 0 && node->model.network.ntp && node->model.network.ntp[0] &&
	    !node->state.completed)
		r = await_sync(node, why);
	return r < 0 ? r : raised | files;
}
