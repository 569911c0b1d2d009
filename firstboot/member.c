/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "cluster/kubeadm.h"
#include "firstboot/mend.h"
#include "firstboot/node.h"
#include "firstboot/probe.h"
#include "firstboot/snapshots.h"
#include "firstboot/steps.h"
#include "firstboot/units.h"
#include "firstboot/work.h"

enum { PHASE_S = 5 * 60, PHASE_ARGS = 6, MAX_PODS = 16 };

#define KUBEADM "/usr/bin/kubeadm"
/* An init's document for what lies here, also where this node joined; gone with this boot. */
#define DOCUMENT "/run/rackseed/kubeadm-mend.yaml"

static const char mend_unit[] = "rackseed-kubeadm-mend.service";

static int write_document(struct work *w, struct fault *why)
{
	scoped(text_wipe) struct text token = { 0 };
	scoped(text_wipe) struct text document = { 0 };
	int r = node_token(w->node, &token, why);

	if (r < 0)
		return r;
	kubeadm_init_document(&w->node->model, w->node->self, &w->node->facts.kubernetes,
			      text_str(&token), &document);
	if (text_error(&document) < 0)
		return fault_errno(why, ENOMEM, DOCUMENT);
	return fs_write(w->node->root, DOCUMENT, 0600, text_str(&document), document.len, why);
}

/* One command of kubeadm's that only makes files. */
static int phase(struct work *w, const char *const *words, const char *patches, struct fault *why)
{
	const char *argv[PHASE_ARGS + 5] = { KUBEADM };
	size_t n = 1;

	while (*words)
		argv[n++] = *words++;
	argv[n++] = "--config";
	argv[n++] = DOCUMENT;
	if (patches)
		argv[n++] = patches;
	return work_program(w, mend_unit, "kubeadm of rackseed-firstboot mends files", argv,
			    PHASE_S, why);
}

/* Files that lack, in an order in which each finds what it needs. */
static int make_again(struct work *w, const struct mend_found *found, bool kubelet,
		      struct fault *why)
{
	static const struct {
		const char *words[PHASE_ARGS];
		bool is_pods;
	} all[] = {
		{ { "init", "phase", "certs", "all" }, false },
		{ { "init", "phase", "kubeconfig", "all" }, false },
		{ { "init", "phase", "control-plane", "all" }, true },
		{ { "init", "phase", "etcd", "local" }, true },
	};
	const bool wanted[] = { found->certificates, found->kubeconfigs || kubelet,
				found->manifests, found->manifests };
	const char *patches = kubeadm_patches_argument(&w->node->facts.kubernetes);
	size_t i;
	int r = 0;

	for (i = 0; r >= 0 && i < COUNT(all); i++)
		if (wanted[i]) {
			work_note(w, "kubeadm makes again what lacks: %s", all[i].words[2]);
			r = phase(w, all[i].words, all[i].is_pods ? patches : NULL, why);
		}
	return r;
}

/* kubelet's settings; and it starts it, so all that its pods read must be good by then. */
static int make_kubelet(struct work *w, struct fault *why)
{
	static const char *const words[] = { "init", "phase", "kubelet-start", NULL };

	work_note(w, "kubeadm makes again what lacks: %s", words[2]);
	return phase(w, words, NULL, why);
}

/* "kubeadm certs" was "kubeadm alpha certs" before 1.20. */
static int renew_leaves(struct work *w, struct fault *why)
{
	static const char *const now[] = { "certs", "renew", "all", NULL };
	static const char *const before[] = { "alpha", "certs", "renew", "all", NULL };
	bool old = model_version_cmp(&w->node->facts.kubernetes, 1, 20) < 0;

	work_note(w, "kubeadm renews certificates");
	return phase(w, old ? before : now, NULL, why);
}

/* The containers of the static pods; kubelet starts them again, with what lies there now. */
static int restart_pods(struct fault *why)
{
	static const char *const list[] = {
		"crictl",
		"ps",
		"--quiet",
		"--name",
		"^(etcd|kube-(apiserver|controller-manager|scheduler))$",
		NULL
	};
	scoped(text_done) struct text ids = { 0 };
	const struct run ps = { .argv = list, .out = &ids };
	const char *argv[5 + MAX_PODS] = { "crictl", "stop", "--timeout", "30" };
	const struct run stop = { .argv = argv, .timeout_ms = 180000 };
	size_t n = 4;
	char *id, *rest;
	int r = run(&ps, why);

	if (r < 0 || ids.len == 0)
		return r;
	for (id = strtok_r(ids.data, " \r\n", &rest); id && n < 4 + MAX_PODS;
	     id = strtok_r(NULL, " \r\n", &rest))
		argv[n++] = id;
	return run(&stop, why);
}

/* Where etcd runs, its data is kept before anything is changed; that it cannot be holds up nothing.
 */
static void keep_data(struct work *w)
{
	struct fault why = { 0 };

	if (w->facts.kubelet_active && snapshots_take(w->node, &why) < 0)
		work_note(w, "no snapshot before the change: %s", why.text);
}

/* Before kubelet starts its pods, where that can be: then none of them has to be restarted. */
static int mend_control_plane(struct work *w, const struct mend_found *found, bool kubelet,
			      struct fault *why)
{
	bool lacks = found->certificates || found->kubeconfigs || found->manifests || kubelet;
	int r;

	if (!lacks && !found->over_soon)
		return STEP_SAME;
	keep_data(w);
	r = write_document(w, why);
	if (r >= 0)
		r = make_again(w, found, kubelet, why);
	if (r >= 0 && found->over_soon)
		r = renew_leaves(w, why);
	/* They outlive a kubelet that is stopped, and the next one would leave them as they are. */
	if (r >= 0 && w->facts.kubelet_active)
		r = restart_pods(why);
	if (r >= 0 && kubelet)
		r = make_kubelet(w, why);
	return r < 0 ? r : STEP_CHANGED;
}

int work_mend(struct work *w, struct fault *why)
{
	struct mend_found found;
	int r = mend_check_address(w->node, why);

	if (r >= 0)
		r = mend_bridge(w->node, why);
	if (r >= 0)
		r = mend_sweep(w->node, (int64_t)time(NULL), &found, why);
	/* An init that runs again makes what lacks; a half-made join has no use for an init's. */
	if (r < 0 || !w->facts.control_plane || !w->node->state.completed)
		return r < 0 ? r : STEP_SAME;
	return mend_control_plane(w, &found, false, why);
}

/* A worker's kubelet gets all it needs by joining again; its Node and its pods stay. */
static int renew_worker(struct work *w, struct fault *why)
{
	struct units_tick tick = { work_alive, w };
	int r = probe_join(w->node, why);

	if (r < 0)
		return work_wait_server(w, why);
	r = units_stop(w->bus, WORK_KUBELET, WORK_KUBELET_S, &tick, why);
	if (r >= 0)
		r = mend_drop_kubelet(w->node->root, why);
	return r < 0 ? r : work_join_over(w, why);
}

/* A control plane holds the CA, and its kubelet starts the API server: it helps itself. */
static int renew_control_plane(struct work *w, struct fault *why)
{
	struct units_tick tick = { work_alive, w };
	struct mend_found found;
	int r = units_stop(w->bus, WORK_KUBELET, WORK_KUBELET_S, &tick, why);

	if (r >= 0)
		r = node_apply(w->node, PLAN_CLUSTER, why);
	if (r >= 0)
		r = mend_check_address(w->node, why);
	if (r >= 0)
		r = mend_drop_kubelet(w->node->root, why);
	if (r >= 0)
		r = mend_sweep(w->node, (int64_t)time(NULL), &found, why);
	if (r >= 0)
		r = mend_control_plane(w, &found, true, why);
	return r < 0 ? r : work_start(w, why);
}

int work_renew(struct work *w, struct fault *why)
{
	return w->facts.control_plane ? renew_control_plane(w, why) : renew_worker(w, why);
}
