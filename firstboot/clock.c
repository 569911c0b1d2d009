/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"

DEFINE_DROP(bus, struct sd_bus *, units_close)

enum { SYNC_LIMIT_S = 30, UNIT_LIMIT_S = 30 };

static const char timesyncd[] = "systemd-timesyncd.service";

int64_t clock_floor(int root, int64_t saved_time)
{
	struct stat st;

	if (fstatat(root, &NODE_IMAGE_PATH[1], &st, 0) == 0 && st.st_mtime > saved_time)
		return st.st_mtime;
	return saved_time;
}

/* A dead battery sets the clock years back, and then no certificate is valid yet. */
static int raise_clock(const struct node *node, struct fault *why)
{
	struct timespec floor = { .tv_sec = clock_floor(node->root, node->state.saved_time) };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
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
