/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/kubeadm.h"
#include "firstboot/apply.h"
#include "firstboot/etcd.h"
#include "firstboot/mend.h"
#include "firstboot/node.h"
#include "firstboot/probe.h"
#include "firstboot/steps.h"
#include "firstboot/units.h"
#include "firstboot/work.h"

enum { JOIN_S = 15 * 60, INIT_S = 30 * 60, RESET_S = 5 * 60, HEALTH_MS = 5000 };

#define KUBEADM "/usr/bin/kubeadm"
/* The CA comes from the seed, not from the network, and kubeadm wonders about it. */
#define CA_IS_THERE "FileAvailable--etc-kubernetes-pki-ca.crt"
#define IGNORE "--ignore-preflight-errors="

/*
 * What an interrupted init leaves, and what runs by then. Not "all": kubeadm takes that word alone
 * only, and its document names another check already.
 */
#define INIT_IS_THERE                                                                              \
	IGNORE "DirAvailable--var-lib-etcd,"                                                       \
	       "FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml,"                      \
	       "FileAvailable--etc-kubernetes-manifests-kube-controller-manager.yaml,"             \
	       "FileAvailable--etc-kubernetes-manifests-kube-scheduler.yaml,"                      \
	       "FileAvailable--etc-kubernetes-manifests-etcd.yaml,"                                \
	       "Port-6443,Port-2379,Port-2380,Port-10250,Port-10251,Port-10252,Port-10257,"        \
	       "Port-10259"

/* What a member has whose kubelet joins again. */
#define JOIN_IS_THERE                                                                              \
	IGNORE CA_IS_THERE ",DirAvailable--etc-kubernetes-manifests,DirAvailable--var-lib-etcd,"   \
			   "FileAvailable--etc-kubernetes-kubelet.conf,"                           \
			   "FileAvailable--etc-kubernetes-bootstrap-kubelet.conf,"                 \
			   "Port-6443,Port-2379,Port-2380,Port-10250,Port-10257,Port-10259"

static const char init_unit[] = "rackseed-kubeadm-init.service";
static const char join_unit[] = "rackseed-kubeadm-join.service";
static const char reset_unit[] = "rackseed-kubeadm-reset.service";

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
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
			if (work_save_synced(w, &ignored) < 0)
				w->node->state.healthy = false; /* and again in a while */
		}
	}
	return work_alive(w);
}

int work_program(struct work *w, const char *unit, const char *description, const char *const *argv,
		 unsigned limit_s, struct fault *why)
{
	const struct units_transient what = {
		.unit = unit, .description = description, .argv = argv, .limit_s = limit_s
	};
	struct units_tick tick = { unit == init_unit ? alive_in_init : work_alive, w };

	return units_run(w->bus, &what, &tick, why);
}

static int kubeadm(struct work *w, const char *unit, const char *verb, const char *option,
		   unsigned limit_s, struct fault *why)
{
	const struct plan_action *config =
		apply_find(&w->node->plan, PLAN_CLUSTER, "", "kubeadm.yaml", 0);
	scoped(text_done) struct text description = { 0 };
	scoped(text_done) struct text skip = { 0 };
	const char *argv[] = { KUBEADM, verb, "--config", NULL, NULL, NULL, NULL, NULL, NULL };
	const char *patches = kubeadm_patches_argument(&w->node->facts.kubernetes);
	bool init = strcmp(verb, "init") == 0;
	size_t n = 3;

	if (!config)
		return fault_set(why, ENOENT, "the plan has no kubeadm.yaml");
	argv[n++] = config->path;
	if (init) {
		argv[n++] = "--skip-token-print"; /* else the token stands in the journal */
		kubeadm_skip_phases_argument(&w->node->model, &w->node->facts.kubernetes, &skip);
	}
	if (skip.len)
		argv[n++] = text_str(&skip);
	if (option)
		argv[n++] = option;
	if (patches)
		argv[n++] = patches;
	text_addf(&description, "kubeadm %s of rackseed-firstboot", verb);
	work_note(w, "kubeadm %s is running", verb);
	return work_program(w, unit, text_str(&description), argv, limit_s, why);
}

/* A cluster that begins here: init, and not join, is what this disk remembers. */
static int begin_init(struct work *w, const char *option, struct fault *why)
{
	struct state *state = &w->node->state;
	int r = node_replan(w->node, false, why);

	if (r >= 0)
		r = node_apply(w->node, PLAN_CLUSTER, why);
	state->init_started = true;
	state->join_started = false;
	if (r >= 0)
		r = work_save(w, why);
	if (r >= 0)
		r = kubeadm(w, init_unit, "init", option, INIT_S, why);
	if (r < 0)
		return r;
	if (!state->began)
		state->began = (int64_t)time(NULL);
	return work_complete(w, why);
}

int work_init(struct work *w, struct fault *why)
{
	return begin_init(w, NULL, why);
}

/* A kubelet whose certificate a cut has spoiled does not start; kubeadm makes one where none is. */
int work_init_over(struct work *w, struct fault *why)
{
	int r = w->facts.has_kubelet_conf ? 0 : mend_drop_kubelet(w->node->root, why);

	return r < 0 ? r : begin_init(w, INIT_IS_THERE, why);
}

/*
 * kubeadm refuses a join while a Node of the name is Ready. That of an earlier disk stops being so
 * 40 seconds after its kubelet fell silent; one that stays Ready is another machine's, alive.
 */
static int await_old_node(struct work *w, struct fault *why)
{
	if (!probe_node_is_ready(w->node))
		return 0;
	fault_set(why, EAGAIN,
		  "its Node is still Ready; if it stays so, another machine bears "
		  "this name");
	return step_wait(why, "the cluster to give up the earlier '%s'", w->node->self->name);
}

static int begin_join(struct work *w, const char *option, struct fault *why)
{
	struct state *state = &w->node->state;
	int r = probe_join(w->node, why);

	if (r < 0)
		return work_wait_server(w, why);
	r = await_old_node(w, why);
	if (r >= 0)
		r = node_replan(w->node, true, why);
	if (r >= 0 && w->facts.control_plane)
		r = etcd_leave(w->node, why);
	if (r >= 0)
		r = node_apply(w->node, PLAN_CLUSTER, why);
	state->join_started = true;
	state->init_started = false;
	if (r >= 0)
		r = work_save(w, why);
	if (r >= 0)
		r = kubeadm(w, join_unit, "join", option, JOIN_S, why);
	return r < 0 ? r : work_complete(w, why);
}

int work_join(struct work *w, struct fault *why)
{
	return begin_join(w, IGNORE CA_IS_THERE, why);
}

int work_join_over(struct work *w, struct fault *why)
{
	return begin_join(w, JOIN_IS_THERE, why);
}

/* kubeadm's own cleaning, of a node that never was one. */
int work_reset(struct work *w, struct fault *why)
{
	static const char *const argv[] = { KUBEADM, "reset", "--force", NULL };
	struct units_tick tick = { work_alive, w };
	int r;

	if (w->node->state.completed)
		return fault_set(why, EPERM, "refusing to reset a node that was complete");
	r = units_stop(w->bus, WORK_KUBELET, WORK_KUBELET_S, &tick, why);
	work_note(w, "kubeadm reset is running: an earlier try was interrupted");
	return r < 0 ? r
		     : work_program(w, reset_unit, "kubeadm reset of rackseed-firstboot", argv,
				    RESET_S, why);
}

/* What an API server once held is kept: the phases of init run again over it. */
int work_resume_init(struct work *w, struct fault *why)
{
	int r = w->decision.reset ? work_reset(w, why) : work_mend(w, why);

	if (r < 0)
		return r;
	return w->decision.reset ? work_init(w, why) : work_init_over(w, why);
}

int work_resume_join(struct work *w, struct fault *why)
{
	int r = w->decision.reset ? work_reset(w, why) : 0;

	return r < 0 ? r : work_join(w, why);
}

/* What ran on while nobody looked is at work again; how it ends is told. */
static int rejoin(struct work *w, const char *unit, const char *verb, struct fault *why)
{
	struct units_tick tick = { unit == init_unit ? alive_in_init : work_alive, w };
	char state[32];
	int r = units_state(w->bus, unit, state, why);
	bool runs = r >= 0 && strcmp(state, "activating") == 0;

	if (runs)
		work_note(w, "kubeadm %s is running", verb);
	if (r >= 0)
		r = units_rejoin(w->bus, unit, &tick, why);
	return r == UNITS_FAILED && runs ? -why->code : r;
}

/* Where it cannot be found out whether one still runs, another must not be started beside it. */
int work_rejoin(struct work *w, struct fault *why)
{
	static const struct {
		const char *unit, *verb;
	} programs[] = { { init_unit, "init" }, { join_unit, "join" }, { reset_unit, "reset" } };
	struct units_tick tick = { work_alive, w };
	struct state *state = &w->node->state;
	size_t i;
	int r;

	for (i = 0; i < COUNT(programs); i++) {
		const char *unit = programs[i].unit;

		r = rejoin(w, unit, programs[i].verb, why);
		if (r < 0)
			return r;
		if (r != UNITS_SUCCEEDED || unit == reset_unit || state->completed)
			continue;
		r = work_complete(w, why);
		if (r == -EBADMSG) /* it lied: what lies on the disk decides */
			r = units_stop(w->bus, unit, WORK_KUBELET_S, &tick, why);
		if (r < 0)
			return r;
	}
	return 0;
}
