/* SPDX-License-Identifier: MIT */
#include "firstboot/probe.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/pki.h"
#include "firstboot/etcd.h"
#include "firstboot/node.h"
#include "firstboot/snapshots.h"
#include "firstboot/tasks.h"

#define KUBELET_CONF "etc/kubernetes/kubelet.conf"
#define KUBELET_SETTINGS "var/lib/kubelet/config.yaml"
#define KUBELET_FLAGS "var/lib/kubelet/kubeadm-flags.env"

enum { FILE_MAX = 1 << 20 };

/* What the disk did not answer is kept in *silent: of that file nothing is known. */
static int read_file(int root, const char *path, struct text *out, struct fault *silent)
{
	struct fault why = { 0 };
	int r = fs_read(root, path, FILE_MAX, out, &why);

	if (fs_is_silent(r) && !silent->code)
		*silent = why;
	return r;
}

/*
 * Whether a file is an object of the kind and has the key, which comes last as kubeadm writes it:
 * what a power cut leaves of one is empty, zeros or cut short.
 */
static bool is_object(int root, const char *path, const char *kind, const char *last,
		      struct fault *silent)
{
	scoped(text_done) struct text bytes = { 0 };
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };
	const char *is;
	int r;

	if (read_file(root, path, &bytes, silent) < 0)
		return false;
	r = yaml_parse(text_str(&bytes), bytes.len, &tree, &error);
	if (r == -ENOMEM)
		fault_errno(silent, r, "/%s", path);
	if (r < 0)
		return false;
	is = yaml_text(yaml_get(&tree, "kind"));
	return is && strcmp(is, kind) == 0 && yaml_get(&tree, last);
}

/* One line, KUBELET_KUBEADM_ARGS="...": whole up to its quote and its end. */
static bool is_environment(int root, const char *path, struct fault *silent)
{
	static const char begin[] = "KUBELET_KUBEADM_ARGS=\"";
	scoped(text_done) struct text bytes = { 0 };
	const char *s;

	if (read_file(root, path, &bytes, silent) < 0)
		return false;
	s = text_str(&bytes);
	return strlen(s) == bytes.len && strncmp(s, begin, strlen(begin)) == 0 &&
	       bytes.len > strlen(begin) + 1 && strcmp(s + bytes.len - 2, "\"\n") == 0;
}

bool probe_is_early(const char *pem)
{
	struct fault ignored = { 0 };
	int64_t begin;

	return pki_not_before(pem, &begin, &ignored) == 0 && begin > (int64_t)time(NULL);
}

/*
 * A kubelet.conf alone may be a relic of an interrupted init; the certificate is what counts, and
 * kubelet's own settings must be whole beside it.
 */
static void look_at_kubelet(const struct node *node, struct decide_facts *f, struct fault *silent)
{
	const char *ca = node_secret(node, "pki/ca.crt");
	scoped(text_wipe) struct text pem = { 0 };
	struct fault ignored = { 0 };
	int r;

	if (!ca || read_file(node->root, PROBE_KUBELET_CERT, &pem, silent) < 0 || pem.len == 0)
		return;
	r = pki_verify(text_str(&pem), ca, time(NULL), &ignored);
	/* Its kubelet uses it all the same, and the API server says whether it counts. */
	if (r == -EKEYEXPIRED && !f->control_plane && probe_is_early(text_str(&pem)))
		r = 0;
	f->foreign = r == -EKEYREJECTED;
	f->expired = r == -EKEYEXPIRED;
	f->has_kubelet_conf =
		r == 0 && pki_keypair(text_str(&pem), text_str(&pem), &ignored) == 0 &&
		is_object(node->root, KUBELET_CONF, "Config", "users", silent) &&
		is_object(node->root, KUBELET_SETTINGS, "KubeletConfiguration", "kind", silent) &&
		is_environment(node->root, KUBELET_FLAGS, silent);
}

static int look_at_etcd(const struct node *node, struct decide_facts *f, struct fault *why)
{
	struct snapshots_found found;
	enum etcd_data data;
	int r = etcd_look(node->root, ETCD_DIR "/member", &data, why);

	if (r < 0)
		return r;
	f->has_etcd_data = data == ETCD_FIT;
	f->etcd_damaged = data == ETCD_DAMAGED;
	if (f->has_etcd_data || !f->control_plane)
		return 0;
	snapshots_look(node, &found);
	f->has_snapshot = found.state == SNAPSHOTS_FOUND;
	f->snapshots_silent = found.state == SNAPSHOTS_SILENT;
	return 0;
}

static bool has_peers(const struct node *node)
{
	size_t i;

	for (i = 0; i < node->model.n_nodes; i++)
		if (&node->model.nodes[i] != node->self &&
		    (node->model.nodes[i].roles & MODEL_CONTROL_PLANE))
			return true;
	return false;
}

int probe_disk(const struct node *node, struct decide_facts *ret, struct fault *why)
{
	struct fault silent = { 0 };
	struct stat st;

	*ret = (struct decide_facts){
		.control_plane = node->self->roles & MODEL_CONTROL_PLANE,
		.first = node->self == model_first(&node->model, MODEL_CONTROL_PLANE),
		.completed = node->state.completed,
		.started = node->state.init_started || node->state.join_started,
		.was_healthy = node->state.healthy,
		.restored = node->state.restored,
		.forced = fstatat(node->root, &PROBE_FORCED[1], &st, 0) == 0,
		.clock_off = !clock_fits(node, time(NULL)),
		/* Silence is all we know of a peer until it is asked. */
		.peers = has_peers(node) ? DECIDE_PEER_SILENT : DECIDE_NO_PEERS,
	};
	look_at_kubelet(node, ret, &silent);
	if (silent.code) {
		*why = silent;
		return -silent.code;
	}
	return look_at_etcd(node, ret, why);
}
