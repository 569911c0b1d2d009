/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/kubeadm.h"
#include "firstboot/apply.h"
#include "firstboot/node.h"
#include "firstboot/probe.h"
#include "firstboot/tasks.h"

DEFINE_DROP(bus, struct sd_bus *, units_close)

enum { KUBELET_S = 90, JOIN_S = 15 * 60, INIT_S = 30 * 60, RESET_S = 5 * 60, HEALTH_MS = 5000 };

#define KUBEADM "/usr/bin/kubeadm"
/* The CA comes from the seed, not from the network, and kubeadm wonders about it. */
#define OURS_IS_THERE "--ignore-preflight-errors=FileAvailable--etc-kubernetes-pki-ca.crt"

/*
 * What an interrupted init leaves, and what runs by then. Not "all": kubeadm takes that word alone
 * only, and its document names another check already.
 */
#define INIT_IS_THERE                                                                              \
	"--ignore-preflight-errors=DirAvailable--var-lib-etcd,"                                    \
	"FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml,"                             \
	"FileAvailable--etc-kubernetes-manifests-kube-controller-manager.yaml,"                    \
	"FileAvailable--etc-kubernetes-manifests-kube-scheduler.yaml,"                             \
	"FileAvailable--etc-kubernetes-manifests-etcd.yaml,"                                       \
	"Port-6443,Port-2379,Port-2380,Port-10250,Port-10251,Port-10252,Port-10257,Port-10259"

static const char kubelet[] = "kubelet.service";
static const char init_unit[] = "rackseed-kubeadm-init.service";
static const char join_unit[] = "rackseed-kubeadm-join.service";
static const char reset_unit[] = "rackseed-kubeadm-reset.service";

/* One run of the step. */
struct work {
	struct node *node;
	struct sd_bus *bus;
	struct decide_facts facts;
	struct decision decision;
	struct fault api; /* why the API server does not serve */
	int64_t asked_ms; /* when its health was last asked for */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int save(struct work *w, struct fault *why)
{
	return state_save(w->node->root, &w->node->state, why);
}

__attribute__((format(printf, 2, 3))) static void note(struct work *w, const char *format, ...)
{
	char line[200];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (w->node->note)
		w->node->note(w->node->data, line);
}

static bool alive(void *data)
{
	struct work *w = data;

	return w->node->alive(w->node->data);
}

/*
 * While init runs: an API server that was healthy once may hold what cannot be made again, so from
 * then on nothing is reset. That has to be on the disk before the plug is pulled.
 */
static bool alive_in_init(void *data)
{
	struct work *w = data;
	struct fault ignored = { 0 };

	if (!w->node->state.healthy && now_ms() - w->asked_ms >= HEALTH_MS) {
		w->asked_ms = now_ms();
		if (probe_api(w->node, &ignored) == 0) {
			w->node->state.healthy = true;
			if (save(w, &ignored) < 0)
				w->node->state.healthy = false; /* and again in a while */
		}
	}
	return alive(w);
}

/* The cause is in *why; the server's name goes before it once, not twice. */
static int wait_for_server(struct work *w, struct fault *why)
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
	return probe_api(w->node, why) == 0 ? 0 : wait_for_server(w, why);
}

/*
 * A member. What a lost state file forgot is written down again; an init that was begun and did not
 * end is not called complete by this.
 */
static int verify_member(struct work *w, int outcome, struct fault *why)
{
	struct state *state = &w->node->state;
	int r = w->facts.control_plane ? await_api(w, why) : 0;

	if (r < 0)
		return r;
	state->healthy = state->healthy || w->facts.control_plane;
	/* A worker with its own certificate has joined, even if the plug was pulled just then. */
	if (!w->facts.control_plane || (!state->init_started && !state->join_started))
		state->completed = true;
	r = save(w, why);
	return r < 0 ? r : outcome;
}

static int do_nothing(struct work *w, struct fault *why)
{
	int r = node_apply(w->node, PLAN_CLUSTER, why);

	return r < 0 ? r : verify_member(w, r, why);
}

static int start_kubelet(struct work *w, struct fault *why)
{
	struct units_tick tick = { alive, w };
	int r = node_apply(w->node, PLAN_CLUSTER, why);

	if (r >= 0)
		r = units_start(w->bus, kubelet, KUBELET_S, &tick, why);
	return r < 0 ? r : verify_member(w, STEP_CHANGED, why);
}

static int kubeadm(struct work *w, const char *unit, const char *verb, const char *option,
		   unsigned limit_s, struct fault *why)
{
	const struct plan_action *config =
		apply_find(&w->node->plan, PLAN_CLUSTER, "", "kubeadm.yaml", 0);
	struct units_tick tick = { strcmp(verb, "init") == 0 ? alive_in_init : alive, w };
	scoped(text_done) struct text description = { 0 };
	scoped(text_done) struct text skip = { 0 };
	const char *argv[] = { KUBEADM, verb, "--config", NULL, option, NULL, NULL };
	struct units_transient what = { .unit = unit, .argv = argv, .limit_s = limit_s };

	if (!config)
		return fault_set(why, ENOENT, "the plan has no kubeadm.yaml");
	argv[3] = config->path;
	if (strcmp(verb, "init") == 0)
		kubeadm_skip_phases_argument(&w->node->model, &w->node->facts.kubernetes, &skip);
	if (skip.len)
		argv[option ? 5 : 4] = text_str(&skip);
	text_addf(&description, "kubeadm %s of rackseed-firstboot", verb);
	what.description = text_str(&description);
	note(w, "kubeadm %s is running", verb);
	return units_run(w->bus, &what, &tick, why);
}

static int complete(struct work *w, struct fault *why)
{
	int r;

	w->node->state.completed = true;
	w->node->state.healthy = w->node->state.healthy || w->facts.control_plane;
	r = save(w, why);
	return r < 0 ? r : STEP_CHANGED;
}

/* again: over what an earlier init left, which kubeadm then takes as it is. */
static int init_with(struct work *w, bool again, struct fault *why)
{
	int r = node_apply(w->node, PLAN_CLUSTER, why);

	w->node->state.init_started = true;
	if (r >= 0)
		r = save(w, why);
	if (r >= 0)
		r = kubeadm(w, init_unit, "init", again ? INIT_IS_THERE : NULL,
			    INIT_S, why);
	return r < 0 ? r : complete(w, why);
}

static int init(struct work *w, struct fault *why)
{
	return init_with(w, false, why);
}

static int join(struct work *w, struct fault *why)
{
	int r = probe_join(w->node, why);

	if (r < 0)
		return wait_for_server(w, why);
	r = node_apply(w->node, PLAN_CLUSTER, why);
	w->node->state.join_started = true;
	if (r >= 0)
		r = save(w, why);
	if (r >= 0)
		r = kubeadm(w, join_unit, "join", OURS_IS_THERE, JOIN_S, why);
	return r < 0 ? r : complete(w, why);
}

/* kubeadm's own cleaning, of a node that never was one. */
static int reset(struct work *w, struct fault *why)
{
	static const char *const argv[] = { KUBEADM, "reset", "--force", NULL };
	static const struct units_transient what = { .unit = reset_unit,
						     .description =
							     "kubeadm reset of rackseed-firstboot",
						     .argv = argv,
						     .limit_s = RESET_S };
	struct units_tick tick = { alive, w };
	int r;

	if (w->node->state.completed)
		return fault_set(why, EPERM, "refusing to reset a node that was complete");
	r = units_stop(w->bus, kubelet, KUBELET_S, &tick, why);
	note(w, "kubeadm reset is running: an earlier try was interrupted");
	return r < 0 ? r : units_run(w->bus, &what, &tick, why);
}

/* What an API server once held is kept: the phases of init run again over it. */
static int resume_init(struct work *w, struct fault *why)
{
	int r = w->decision.reset ? reset(w, why) : 0;

	return r < 0 ? r : init_with(w, !w->decision.reset, why);
}

static int resume_join(struct work *w, struct fault *why)
{
	int r = w->decision.reset ? reset(w, why) : 0;

	return r < 0 ? r : join(w, why);
}

static int wait_api(struct work *w, struct fault *why)
{
	*why = w->api;
	return wait_for_server(w, why);
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

static int refuse(struct work *w, struct fault *why)
{
	return fault_set(why, EUCLEAN, "left alone: %s", w->decision.reason);
}

static int (*const acts[DECIDE_N_ACTIONS])(struct work *, struct fault *) = {
	[DECIDE_NOTHING] = do_nothing,
	[DECIDE_START] = start_kubelet,
	[DECIDE_INIT] = init,
	[DECIDE_JOIN] = join,
	[DECIDE_RESUME_INIT] = resume_init,
	[DECIDE_RESUME_JOIN] = resume_join,
	[DECIDE_WAIT_API] = wait_api,
	[DECIDE_WAIT_PEERS] = wait_peers,
	[DECIDE_REFUSE] = refuse,
};

/* A kubeadm that outlived the service that started it is waited for, never overtaken. */
static int rejoin_earlier(struct work *w, struct fault *why)
{
	static const char *const units[] = { init_unit, join_unit, reset_unit };
	struct state *state = &w->node->state;
	struct fault ended = { 0 };
	size_t i;
	int r;

	for (i = 0; i < COUNT(units); i++) {
		struct units_tick tick = { units[i] == init_unit ? alive_in_init : alive, w };

		r = units_rejoin(w->bus, units[i], &tick, &ended);
		if (r == -ECANCELED) {
			*why = ended;
			return r;
		}
		if (r == UNITS_SUCCEEDED && units[i] != reset_unit && !state->completed) {
			r = complete(w, why);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/*
 * The network is asked only where the disk alone does not tell what is right, and before anything
 * is reset.
 */
static void look(struct work *w)
{
	struct decide_facts *f = &w->facts;
	struct decision d = decide(f);

	w->decision = d;
	if (d.action != DECIDE_WAIT_API && d.action != DECIDE_WAIT_PEERS && !d.reset)
		return;
	f->api_serves = (f->control_plane ? probe_api(w->node, &w->api)
					  : probe_join(w->node, &w->api)) == 0;
	if (f->api_serves && f->peers != DECIDE_NO_PEERS)
		f->peers = DECIDE_PEER_SERVES;
	w->decision = decide(f);
}

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
	r = rejoin_earlier(&w, why);
	if (r >= 0)
		r = units_state(bus, kubelet, state, why);
	if (r < 0)
		return r;
	probe_disk(node, &w.facts);
	w.facts.kubelet_active = strcmp(state, "active") == 0;
	look(&w);
	return acts[w.decision.action](&w, why);
}
