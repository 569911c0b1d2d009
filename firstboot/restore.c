/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "firstboot/etcd.h"
#include "firstboot/node.h"
#include "firstboot/snapshots.h"
#include "firstboot/steps.h"
#include "firstboot/units.h"
#include "firstboot/work.h"

enum { RESTORE_S = 15 * 60, LIST_MS = 60000 };

#define CTR "/usr/bin/ctr"
#define CONTAINER "rackseed-restore"

static const char restore_unit[] = "rackseed-etcd-restore.service";

/* The image that kubeadm runs etcd from: the one that has the tool for its snapshots. */
static int find_image(struct work *w, struct text *ret, struct fault *why)
{
	const struct model *m = &w->node->model;
	const struct model_version *v = &w->node->facts.kubernetes;
	scoped(text_done) struct text version = { 0 };
	scoped(text_done) struct text list = { 0 };
	const char *argv[] = { "kubeadm", "config", "images", "list", "--kubernetes-version",
			       NULL,	  NULL,	    NULL,     NULL };
	const struct run what = { .argv = argv, .out = &list, .timeout_ms = LIST_MS };
	const char *at, *line;
	int r;

	text_addf(&version, "v%d.%d.%d", v->major, v->minor, v->patch);
	argv[5] = text_str(&version);
	if (m->image_repository) {
		argv[6] = "--image-repository";
		argv[7] = m->image_repository;
	}
	r = run(&what, why);
	if (r < 0)
		return r;
	at = strstr(text_str(&list), "/etcd:");
	if (!at)
		return fault_set(why, ENOENT, "kubeadm names no image of etcd");
	for (line = at; line > text_str(&list) && line[-1] != '\n'; line--)
		;
	text_add_n(ret, line, strcspn(line, "\r\n"));
	return text_error(ret) < 0 ? fault_errno(why, ENOMEM, "image of etcd") : 0;
}

/* What a cut left of an earlier try: containerd remembers containers, their tasks end with a boot.
 */
static void forget_container(void)
{
	static const char *const task[] = { CTR,  "-n", "k8s.io",  "tasks",
					    "rm", "-f", CONTAINER, NULL };
	static const char *const container[] = { CTR,  "-n",	  "k8s.io", "containers",
						 "rm", CONTAINER, NULL };
	const struct run both[] = { { .argv = task, .timeout_ms = 20000 },
				    { .argv = container, .timeout_ms = 20000 } };
	struct fault ignored = { 0 };
	size_t i;

	for (i = 0; i < COUNT(both); i++)
		if (run(&both[i], &ignored) < 0)
			continue; /* there was none */
}

/* etcd's own tool writes database, log and membership of this one member into ETCD_RESTORING. */
static int run_tool(struct work *w, const char *snapshot, struct fault *why)
{
	const struct model_node *self = w->node->self;
	const char *tool =
		model_version_cmp(&w->node->facts.kubernetes, 1, 34) >= 0 ? "etcdutl" : "etcdctl";
	scoped(text_done) struct text image = { 0 };
	scoped(text_done) struct text mount = { 0 };
	scoped(text_done) struct text peer = { 0 };
	scoped(text_done) struct text initial = { 0 };
	scoped(text_done) struct text file = { 0 };
	char ip[NET_IP_LEN];
	int r = find_image(w, &image, why);

	if (r < 0)
		return r;
	net_ip_text(&self->address, ip);
	text_addf(&mount, "type=bind,src=%s,dst=/snapshots,options=rbind:ro",
		  w->node->model.snapshots.path);
	text_addf(&peer, strchr(ip, ':') ? "https://[%s]:2380" : "https://%s:2380", ip);
	text_addf(&initial, "%s=%s", self->name, text_str(&peer));
	text_addf(&file, "/snapshots/%s", snapshot);
	const char *const argv[] = { CTR,
				     "-n",
				     "k8s.io",
				     "run",
				     "--rm",
				     "--env",
				     "ETCDCTL_API=3",
				     "--mount",
				     text_str(&mount),
				     "--mount",
				     "type=bind,src=/" ETCD_DIR ",dst=/" ETCD_DIR
				     ",options=rbind:rw",
				     text_str(&image),
				     CONTAINER,
				     tool,
				     "snapshot",
				     "restore",
				     text_str(&file),
				     "--name",
				     self->name,
				     "--initial-cluster",
				     text_str(&initial),
				     "--initial-advertise-peer-urls",
				     text_str(&peer),
				     "--data-dir",
				     "/" ETCD_RESTORING,
				     NULL };

	forget_container();
	return work_program(w, restore_unit, "rackseed-firstboot restores etcd", argv, RESTORE_S,
			    why);
}

/* Exit status 0 is not believed: what lies there must be fit for etcd. */
static int publish(struct work *w, struct fault *why)
{
	int root = w->node->root;
	scoped(drop_fd) int folder = -1;
	enum etcd_data made;
	int r = etcd_look(root, ETCD_RESTORING "/member", &made, why);

	if (r < 0)
		return r;
	if (made != ETCD_FIT)
		return fault_set(why, EBADMSG, "the tool of etcd left no data at /" ETCD_RESTORING);
	folder = openat(root, ETCD_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A kubelet that was up for a moment makes it 0755. */
	if (folder < 0 || fchmodat(root, ETCD_DIR, 0700, 0) < 0 || syncfs(folder) < 0)
		return fault_errno(why, errno, "/" ETCD_DIR);
	if (renameat(folder, "restoring/member", folder, "member") < 0 || fsync(folder) < 0)
		return fault_errno(why, errno, "/" ETCD_DIR "/member");
	return fs_remove_tree(root, ETCD_RESTORING, why);
}

/*
 * The order is what makes it safe to be cut anywhere: that a snapshot comes here is on the disk
 * before it does, and it comes by one rename.
 */
static int bring_back(struct work *w, struct fault *why)
{
	struct state *state = &w->node->state;
	struct snapshots_found found;
	int r;

	snapshots_look(w->node, &found);
	if (found.state != SNAPSHOTS_FOUND || snapshot_time(found.name, &state->snapshot) < 0)
		return fault_set(why, EAGAIN, "the snapshot went out of reach");
	state->init_started = state->restored = state->anew = true;
	state->began = (int64_t)time(NULL);
	r = work_save(w, why);
	if (r >= 0)
		r = etcd_set_aside(w->node->root, why);
	if (r >= 0)
		r = fs_mkdirs(w->node->root, ETCD_DIR, 0700, why);
	if (r >= 0)
		r = fs_remove_tree(w->node->root, ETCD_RESTORING, why);
	work_note(w, "etcd is restored from %s", found.name);
	if (r >= 0)
		r = run_tool(w, found.name, why);
	return r < 0 ? r : publish(w, why);
}

int work_restore(struct work *w, struct fault *why)
{
	struct units_tick tick = { work_alive, w };
	int r = w->decision.reset ? work_reset(w, why)
				  : units_stop(w->bus, WORK_KUBELET, WORK_KUBELET_S, &tick, why);

	if (r >= 0)
		r = bring_back(w, why);
	if (r >= 0)
		r = work_mend(w, why);
	return r < 0 ? r : work_init_over(w, why);
}

/* The others have quorum: what lies here is of no use to them any more. */
int work_replace(struct work *w, struct fault *why)
{
	struct units_tick tick = { work_alive, w };
	int r = units_stop(w->bus, WORK_KUBELET, WORK_KUBELET_S, &tick, why);

	if (r >= 0)
		r = etcd_set_aside(w->node->root, why);
	if (r >= 0)
		r = fs_remove(w->node->root, "etc/kubernetes/manifests/etcd.yaml", why);
	if (r >= 0)
		r = work_mend(w, why);
	return r < 0 ? r : work_join_over(w, why);
}

int work_anew(struct work *w, struct fault *why)
{
	struct units_tick tick = { work_alive, w };
	struct state *state = &w->node->state;
	int r = units_stop(w->bus, WORK_KUBELET, WORK_KUBELET_S, &tick, why);

	if (r >= 0)
		r = etcd_set_aside(w->node->root, why);
	state->anew = true;
	state->began = (int64_t)time(NULL);
	state->snapshot = 0;
	work_note(w, "by an operator's word the cluster begins anew; etcd's data is kept aside");
	if (r >= 0)
		r = work_save(w, why);
	if (r >= 0)
		r = work_mend(w, why);
	return r < 0 ? r : work_init_over(w, why);
}
