/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "firstboot/node.h"
#include "firstboot/probe.h"
#include "firstboot/tasks.h"
#include "firstboot/work.h"

DEFINE_DROP(bus, struct sd_bus *, units_close)

enum { END_TRIES = 15 };

int work_save(struct work *w, struct fault *why)
{
	return state_save(w->node->root, &w->node->state, why);
}

void work_note(struct work *w, const char *format, ...)
{
	char line[200];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (w->node->note)
		w->node->note(w->node->data, line);
}

bool work_alive(void *data)
{
	struct work *w = data;

	return w->node->alive(w->node->data);
}

int work_wait_server(struct work *w, struct fault *why)
{
	scoped(text_done) struct text server = { 0 };
	struct fault cause = *why;
	const char *rest = cause.text;

	probe_server(w->node, &server);
	if (strncmp(rest, text_str(&server), server.len) == 0 &&
	    strncmp(rest + server.len, ": ", 2) == 0)
		rest += server.len + 2;
	fault_set(why, EAGAIN, "%s", rest);
	return step_wait(why, "the API server at %s", text_str(&server) + strlen("https://"));
}

static int await_api(struct work *w, struct fault *why)
{
	return probe_api(w->node, why) == 0 ? 0 : work_wait_server(w, why);
}

/*
 * A member. What a lost state file forgot is written down again; an init that was begun and did not
 * end is not called complete by this.
 */
static int verify_member(struct work *w, int outcome, struct fault *why)
{
	struct state *state = &w->node->state;
	const struct state before = *state;
	int r = w->facts.control_plane ? await_api(w, why) : 0;

	if (r < 0)
		return r;
	state->healthy = state->healthy || w->facts.control_plane;
	/* A worker with its own certificate has joined, even if the plug was pulled just then. */
	if (!w->facts.control_plane || (!state->init_started && !state->join_started))
		state->completed = true;
	if (state->healthy == before.healthy && state->completed == before.completed)
		return outcome;
	r = work_save_synced(w, why);
	if (r < 0)
		*state = before;
	return r < 0 ? r : outcome;
}

/*
 * What is said here makes that nothing is reset any more. So all that it is said of comes to the
 * disk first: neither kubeadm nor kubelet sync what they write.
 */
int work_save_synced(struct work *w, struct fault *why)
{
	if (syncfs(w->node->root) < 0)
		return fault_errno(why, errno, "cannot sync the disk");
	return work_save(w, why);
}

/* The last that an init makes is there a moment after its end; what lied never gets there. */
static int await_end_of_init(struct work *w, struct fault *why)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	int i, r = -1;

	for (i = 0; i < END_TRIES && r < 0; i++) {
		r = probe_join(w->node, why);
		if (r < 0 && !work_alive(w))
			return fault_set(why, ECANCELED, "stopped");
		if (r < 0)
			nanosleep(&pause, NULL);
	}
	return r < 0 ? fault_set(why, EBADMSG,
				 "kubeadm says that it is done, but joins are not "
				 "taken")
		     : 0;
}

int work_complete(struct work *w, struct fault *why)
{
	struct state *state = &w->node->state;
	struct decide_facts now;
	int r = probe_disk(w->node, &now, why);

	if (r < 0)
		return r;
	/* An exit status alone makes no member. */
	if (!now.has_kubelet_conf || (now.control_plane && !now.has_etcd_data))
		return fault_set(why, EBADMSG, "kubeadm says that it is done, but %s is not there",
				 now.has_kubelet_conf ? "etcd's data" : "kubelet's certificate");
	if (now.control_plane && state->init_started)
		r = await_end_of_init(w, why);
	if (r < 0)
		return r;
	state->completed = true;
	state->healthy = state->healthy || now.control_plane;
	r = work_save_synced(w, why);
	if (r < 0)
		state->completed = false;
	return r < 0 ? r : STEP_CHANGED;
}

/* kubelet came up before anybody looked at what its pods need. */
static int do_nothing(struct work *w, struct fault *why)
{
	int applied = node_apply(w->node, PLAN_CLUSTER, why);
	int mended = applied < 0 ? applied : work_mend(w, why);

	return mended < 0 ? mended : verify_member(w, applied | mended, why);
}

int work_start(struct work *w, struct fault *why)
{
	struct units_tick tick = { work_alive, w };
	int r = node_apply(w->node, PLAN_CLUSTER, why);

	if (r >= 0)
		r = work_mend(w, why);
	if (r >= 0)
		r = units_start(w->bus, WORK_KUBELET, WORK_KUBELET_S, &tick, why);
	return r < 0 ? r : verify_member(w, STEP_CHANGED, why);
}

static int wait_api(struct work *w, struct fault *why)
{
	*why = w->api;
	return work_wait_server(w, why);
}

static int wait_peers(struct work *w, struct fault *why)
{
	scoped(text_done) struct text names = { 0 };
	const struct model_node *n = w->node->model.nodes;
	const struct model_node *end = n + w->node->model.n_nodes;

	for (; n < end; n++)
		if (n != w->node->self && (n->roles & MODEL_CONTROL_PLANE))
			text_addf(&names, "%s'%s'", names.len ? ", " : "", n->name);
	fault_set(why, EAGAIN, "they are silent, and one of them may hold the cluster");
	return step_wait(why, "the control planes %s", text_str(&names));
}

static int wait_snapshots(struct work *w, struct fault *why)
{
	fault_set(why, EAGAIN, "%s", w->decision.reason);
	return step_wait(why, "the snapshots in %s", w->node->model.snapshots.path);
}

/* Where it is the CA that is over, only a new one helps: either way a person reads both times. */
static int wait_clock(struct work *w, struct fault *why)
{
	return clock_wait(w->node, why);
}

static int refuse(struct work *w, struct fault *why)
{
	return fault_set(why, EUCLEAN, "left alone: %s", w->decision.reason);
}

static int (*const acts[DECIDE_N_ACTIONS])(struct work *, struct fault *) = {
	[DECIDE_NOTHING] = do_nothing,
	[DECIDE_START] = work_start,
	[DECIDE_INIT] = work_init,
	[DECIDE_JOIN] = work_join,
	[DECIDE_RESUME_INIT] = work_resume_init,
	[DECIDE_RESUME_JOIN] = work_resume_join,
	[DECIDE_RENEW] = work_renew,
	[DECIDE_RESTORE] = work_restore,
	[DECIDE_REPLACE] = work_replace,
	[DECIDE_ANEW] = work_anew,
	[DECIDE_WAIT_API] = wait_api,
	[DECIDE_WAIT_PEERS] = wait_peers,
	[DECIDE_WAIT_SNAPSHOTS] = wait_snapshots,
	[DECIDE_WAIT_CLOCK] = wait_clock,
	[DECIDE_REFUSE] = refuse,
};

int task_cluster(struct node *node, struct fault *why)
{
	scoped(drop_bus) struct sd_bus *bus = NULL;
	struct work w = { .node = node };
	char state[32];
	int r;

	if (!model_is_kubernetes(node->self))
		return STEP_SAME;
	r = units_open(&bus, why);
	if (r < 0)
		return r;
	w.bus = bus;
	r = work_rejoin(&w, why);
	if (r >= 0)
		r = units_state(bus, WORK_KUBELET, state, why);
	if (r >= 0)
		r = probe_disk(node, &w.facts, why);
	if (r < 0)
		return r;
	w.facts.kubelet_active = strcmp(state, "active") == 0;
	w.decision = probe_decide(node, &w.facts, &w.api);
	return acts[w.decision.action](&w, why);
}

int task_member(struct node *node, struct fault *why)
{
	scoped(drop_bus) struct sd_bus *bus = NULL;
	struct units_tick tick = { .alive = node->alive, .data = node->data };
	int r = task_cluster(node, why);

	if (r < 0 || !model_is_kubernetes(node->self) || !probe_node_is_unknown(node))
		return r;
	r = units_open(&bus, why);
	if (r >= 0)
		r = units_restart(bus, WORK_KUBELET, WORK_KUBELET_S, &tick, why);
	return r < 0 ? r
		     : step_say(why, STEP_CHANGED,
				"the cluster did not know this node: kubelet registers it again");
}
