/* SPDX-License-Identifier: MIT */
#include "firstboot/mend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/pki.h"
#include "cluster/whole.h"
#include "firstboot/etcd.h"
#include "firstboot/node.h"

enum { FILE_MAX = 4 << 20, RENEW_S = 120 * 24 * 3600 };

#define PKI "etc/kubernetes/pki/"

/* The leaves, and which CA of the seed signs them. */
static const struct {
	const char *path, *ca;
} leaves[] = {
	{ PKI "apiserver", "pki/ca.crt" },
	{ PKI "apiserver-kubelet-client", "pki/ca.crt" },
	{ PKI "front-proxy-client", "pki/front-proxy-ca.crt" },
	{ PKI "apiserver-etcd-client", "pki/etcd/ca.crt" },
	{ PKI "etcd/server", "pki/etcd/ca.crt" },
	{ PKI "etcd/peer", "pki/etcd/ca.crt" },
	{ PKI "etcd/healthcheck-client", "pki/etcd/ca.crt" },
};

static const char *const kubeconfigs[] = {
	"etc/kubernetes/admin.conf",
	"etc/kubernetes/controller-manager.conf",
	"etc/kubernetes/scheduler.conf",
	"etc/kubernetes/kubelet.conf",
};

static const char *const manifests[] = {
	"etc/kubernetes/manifests/etcd.yaml",
	"etc/kubernetes/manifests/kube-apiserver.yaml",
	"etc/kubernetes/manifests/kube-controller-manager.yaml",
	"etc/kubernetes/manifests/kube-scheduler.yaml",
};

/* kubelet does not start over one that it cannot read; since 1.27 that of the pods' resources. */
static const char *const checkpoints[] = {
	"var/lib/kubelet/cpu_manager_state",
	"var/lib/kubelet/memory_manager_state",
	"var/lib/kubelet/dra_manager_state",
	"var/lib/kubelet/pod_status_manager_state",
	"var/lib/kubelet/allocated_pods_state",
	"var/lib/kubelet/actuated_pods_state",
	"var/lib/kubelet/device-plugins/kubelet_internal_checkpoint",
};

/* What kubelet serves with: made by itself or signed for it, and again where it is not there. */
static const struct {
	const char *crt, *key;
} served[] = {
	{ "var/lib/kubelet/pki/kubelet.crt", "var/lib/kubelet/pki/kubelet.key" },
	{ "var/lib/kubelet/pki/kubelet-server-current.pem",
	  "var/lib/kubelet/pki/kubelet-server-current.pem" },
};

static int removed(int root, const char *path, struct mend_found *found, struct fault *why)
{
	int r = fs_remove(root, path, why);

	if (r == FS_CHANGED)
		found->changed = true;
	return r < 0 ? r : 0;
}

/* A file whose disk does not answer is not called broken. */
static int read_file(int root, const char *path, struct text *out, struct fault *why)
{
	int r = fs_read(root, path, FILE_MAX, out, why);

	return r == -ENOENT || r == -EFBIG || r == -EISDIR || r == -EINVAL ? 0 : r;
}

/* 0 for a pair that is whole, even if its time is over; -EBADMSG; or the disk's fault. */
static int check_leaf(const struct node *node, const char *crt_path, const char *key_path,
		      const char *ca, int64_t now, struct mend_found *found, struct fault *why)
{
	scoped(text_done) struct text crt = { 0 };
	scoped(text_wipe) struct text key = { 0 };
	struct fault bad = { 0 };
	int64_t end = 0;
	int r = read_file(node->root, crt_path, &crt, why);

	if (r >= 0)
		r = read_file(node->root, key_path, &key, why);
	if (r < 0)
		return r;
	r = ca ? pki_verify(text_str(&crt), ca, now, &bad) : 0;
	if (!whole_pem(text_str(&crt)) || !whole_pem(text_str(&key)) ||
	    (r < 0 && r != -EKEYEXPIRED) ||
	    pki_keypair(text_str(&crt), text_str(&key), &bad) < 0 ||
	    pki_not_after(text_str(&crt), &end, &bad) < 0)
		return -EBADMSG;
	found->over_soon = found->over_soon || end - now < RENEW_S;
	return 0;
}

static int sweep_leaf(const struct node *node, size_t i, int64_t now, struct mend_found *found,
		      struct fault *why)
{
	char crt[128], key[128];
	int r;

	snprintf(crt, sizeof(crt), "%s.crt", leaves[i].path);
	snprintf(key, sizeof(key), "%s.key", leaves[i].path);
	r = check_leaf(node, crt, key, node_secret(node, leaves[i].ca), now, found, why);
	if (r != -EBADMSG)
		return r;
	found->certificates = true;
	r = removed(node->root, crt, found, why);
	return r < 0 ? r : removed(node->root, key, found, why);
}

/* kubelet only looks whether they can be opened, and then ends over what they hold. */
static int sweep_served(const struct node *node, size_t i, struct mend_found *found,
			struct fault *why)
{
	scoped(text_done) struct text crt = { 0 };
	scoped(text_wipe) struct text key = { 0 };
	struct fault bad = { 0 };
	int r = read_file(node->root, served[i].crt, &crt, why);

	if (r >= 0)
		r = read_file(node->root, served[i].key, &key, why);
	if (r < 0 || pki_keypair(text_str(&crt), text_str(&key), &bad) == 0)
		return r;
	r = removed(node->root, served[i].crt, found, why);
	return r < 0 ? r : removed(node->root, served[i].key, found, why);
}

static int sweep_object(int root, const char *path, const char *kind, bool *lacks,
			struct mend_found *found, struct fault *why)
{
	scoped(text_wipe) struct text bytes = { 0 };
	int r = read_file(root, path, &bytes, why);

	if (r < 0 || whole_object(text_str(&bytes), bytes.len, kind))
		return r;
	*lacks = true;
	return removed(root, path, found, why);
}

static int set_aside(int root, const char *path, struct mend_found *found, struct fault *why)
{
	char aside[160];

	snprintf(aside, sizeof(aside), "%s.damaged", path);
	if (renameat(root, path, root, aside) < 0)
		return fault_errno(why, errno, "cannot set %s aside", path);
	found->changed = true;
	return 0;
}

static int sweep_checkpoint(int root, const char *path, struct mend_found *found, struct fault *why)
{
	scoped(text_done) struct text bytes = { 0 };
	struct stat st;
	int r;

	if (fstatat(root, path, &st, 0) < 0)
		return 0;
	r = read_file(root, path, &bytes, why);
	if (r < 0 || whole_object(text_str(&bytes), bytes.len, ""))
		return r;
	return set_aside(root, path, found, why);
}

static int sweep_control_plane(const struct node *node, int64_t now, struct mend_found *found,
			       struct fault *why)
{
	size_t i;
	/* A snapshot that was put in its place left its folder behind. */
	int r = fs_remove_tree(node->root, ETCD_RESTORING, why);

	for (i = 0; r >= 0 && i < COUNT(leaves); i++)
		r = sweep_leaf(node, i, now, found, why);
	for (i = 0; r >= 0 && i < COUNT(kubeconfigs); i++)
		r = sweep_object(node->root, kubeconfigs[i], "Config", &found->kubeconfigs, found,
				 why);
	for (i = 0; r >= 0 && i < COUNT(manifests); i++)
		r = sweep_object(node->root, manifests[i], "Pod", &found->manifests, found, why);
	return r;
}

/* On a control plane it is a file of the plan; a worker's was written by a join. */
static int mend_ca(const struct node *node, struct fault *why)
{
	const char *ca = node_secret(node, "pki/ca.crt");
	struct stat st;

	if (!ca || fstatat(node->root, "etc/kubernetes/kubelet.conf", &st, 0) < 0)
		return 0;
	return fs_write(node->root, PKI "ca.crt", 0600, ca, strlen(ca), why);
}

int mend_sweep(const struct node *node, int64_t now, struct mend_found *ret, struct fault *why)
{
	struct mend_found found = { 0 };
	size_t i;
	int r = 0;

	for (i = 0; r >= 0 && i < COUNT(checkpoints); i++)
		r = sweep_checkpoint(node->root, checkpoints[i], &found, why);
	for (i = 0; r >= 0 && i < COUNT(served); i++)
		r = sweep_served(node, i, &found, why);
	if (r >= 0 && (node->self->roles & MODEL_CONTROL_PLANE))
		r = sweep_control_plane(node, now, &found, why);
	else if (r >= 0)
		r = mend_ca(node, why);
	if (r < 0)
		return r;
	*ret = found;
	return 0;
}

int mend_drop_kubelet(int root, struct fault *why)
{
	static const char *const paths[] = {
		"etc/kubernetes/kubelet.conf",
		"var/lib/kubelet/pki/kubelet-client-current.pem",
	};
	size_t i;
	int r = 0;

	for (i = 0; r >= 0 && i < COUNT(paths); i++)
		r = fs_remove(root, paths[i], why);
	return r < 0 ? r : 0;
}

int mend_check_address(const struct node *node, struct fault *why)
{
	static const char flag[] = "--advertise-address=";
	scoped(text_done) struct text manifest = { 0 };
	char address[NET_IP_LEN];
	const char *at;
	size_t n;
	int r = read_file(node->root, manifests[1], &manifest, why);

	at = r < 0 ? NULL : strstr(text_str(&manifest), flag);
	if (!at)
		return r;
	at += strlen(flag);
	n = strcspn(at, " \t\r\n\"'");
	net_ip_text(&node->self->address, address);
	if (strlen(address) == n && strncmp(at, address, n) == 0)
		return 0;
	return fault_set(why, EUCLEAN,
			 "left alone: this control plane was made for %.*s, and the file says %s: "
			 "kubeadm cannot move it; put the old address back, or flash it anew",
			 (int)n, at, address);
}
