/* SPDX-License-Identifier: MIT */
#include "firstboot/etcd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/api.h"
#include "cluster/pki.h"
#include "cluster/snapshot.h"
#include "firstboot/node.h"
#include "firstboot/steps.h"

DEFINE_DROP(dir, DIR *, closedir)
DEFINE_DROP(stream, struct snapshot_stream *, free)

enum { CALL_MS = 10000, SNAPSHOT_MS = 10 * 60 * 1000, MAX_ASIDE = 100 };

/* ---- on the disk ---- */

/* 1 when a log is there that holds anything, 0, or negative: the disk did not answer. */
static int has_log(int root, const char *member)
{
	scoped(drop_dir) DIR *dir = NULL;
	scoped(text_done) struct text path = { 0 };
	struct dirent *entry;
	struct stat st;
	int fd;

	text_addf(&path, "%s/wal", member);
	fd = openat(root, text_str(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int code = errno;

		if (fd >= 0)
			close(fd);
		return fs_is_silent(code) ? -code : 0;
	}
	errno = 0;
	while ((entry = readdir(dir))) {
		const char *end = strrchr(entry->d_name, '.');

		if (end && strcmp(end, ".wal") == 0 &&
		    fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && st.st_size > 0)
			return 1;
	}
	return fs_is_silent(errno) ? -errno : 0;
}

int etcd_look(int root, const char *member, enum etcd_data *ret, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	struct fault damage = { 0 };
	struct stat st;
	int r;

	*ret = ETCD_NONE;
	if (fstatat(root, member, &st, 0) < 0)
		return fs_is_silent(errno) ? fault_errno(why, errno, "/%s", member) : 0;
	*ret = ETCD_DAMAGED;
	r = has_log(root, member);
	if (r < 0)
		return fault_errno(why, r, "/%s/wal", member);
	text_addf(&path, "%s/snap/db", member);
	if (text_error(&path) < 0)
		return fault_errno(why, ENOMEM, "/%s", member);
	if (r == 0)
		return 0;
	r = snapshot_check_database(root, text_str(&path), &damage);
	if (fs_is_silent(r)) {
		*why = damage;
		return r;
	}
	if (r == 0)
		*ret = ETCD_FIT;
	return 0;
}

bool etcd_kubelet_may_start(int root)
{
	return faccessat(root, "etc/kubernetes/manifests/etcd.yaml", F_OK, 0) < 0 ||
	       faccessat(root, ETCD_DIR "/member", F_OK, 0) == 0;
}

int etcd_set_aside(int root, struct fault *why)
{
	scoped(drop_fd) int folder = openat(root, ETCD_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[32];
	int i;

	if (folder < 0 || faccessat(folder, "member", F_OK, 0) < 0)
		return errno == ENOENT ? FS_SAME : fault_errno(why, errno, "/" ETCD_DIR);
	for (i = 1; i < MAX_ASIDE; i++) {
		snprintf(name, sizeof(name), "damaged-%d", i);
		if (faccessat(folder, name, F_OK, 0) == 0)
			continue;
		if (renameat(folder, "member", folder, name) < 0 || fsync(folder) < 0)
			return fault_errno(why, errno, "/" ETCD_DIR "/%s", name);
		return FS_CHANGED;
	}
	return fault_set(why, EEXIST, "/" ETCD_DIR " holds %d damaged copies: remove some",
			 MAX_ASIDE);
}

/* ---- through the gateway ---- */

struct door {
	struct text server, crt, key;
	struct api api;
};

static void door_done(struct door *d)
{
	api_close(&d->api);
	text_done(&d->server);
	text_done(&d->crt);
	text_wipe(&d->key);
}

static int door_open(const struct node *node, struct door *d, struct fault *why)
{
	const char *ca_key = node_secret(node, "pki/etcd/ca.key");
	int r;

	d->api = (struct api){ .ca = node_secret(node, "pki/etcd/ca.crt"), .timeout_ms = CALL_MS };
	if (!d->api.ca || !ca_key)
		return fault_set(why, ENOENT, "the seed holds no CA of etcd");
	r = pki_client(d->api.ca, ca_key, "rackseed", NULL, (int64_t)time(NULL), &d->crt, &d->key,
		       why);
	return r < 0 ? r : api_keep(&d->api, why);
}

static int call(struct door *d, const struct net_ip *address, const char *path, const char *body,
		struct text *answer, struct fault *why)
{
	char ip[NET_IP_LEN];
	int status;

	text_done(&d->server);
	net_ip_text(address, ip);
	text_addf(&d->server, strchr(ip, ':') ? "https://[%s]:2379" : "https://%s:2379", ip);
	if (text_error(&d->server) < 0)
		return fault_errno(why, ENOMEM, "etcd");
	d->api.server = text_str(&d->server);
	d->api.crt = text_str(&d->crt);
	d->api.key = text_str(&d->key);
	status = api_call(&d->api, "POST", path, body, answer, why);
	if (status < 0 || status == 200)
		return status < 0 ? status : 0;
	return fault_set(why, EAGAIN, "etcd at %s says %d to %s", ip, status, path);
}

/* Whether a member is this node: by name, or by one of its peer URLs. */
static bool is_self(const struct node *node, const struct yaml *member)
{
	const struct yaml *urls = yaml_get(member, "peerURLs");
	const char *name = yaml_text(yaml_get(member, "name"));
	scoped(text_done) struct text url = { 0 };
	char ip[NET_IP_LEN];
	size_t i;

	if (name && strcmp(name, node->self->name) == 0)
		return true;
	net_ip_text(&node->self->address, ip);
	text_addf(&url, strchr(ip, ':') ? "https://[%s]:2380" : "https://%s:2380", ip);
	for (i = 0; urls && urls->kind == YAML_SEQUENCE && i < urls->n_items; i++) {
		const char *one = yaml_text(&urls->items[i]);

		if (one && strcmp(one, text_str(&url)) == 0)
			return true;
	}
	return false;
}

static int remove_member(struct door *d, const struct net_ip *address, const char *id,
			 struct fault *why)
{
	scoped(text_done) struct text body = { 0 };
	scoped(text_done) struct text answer = { 0 };

	if (!id || !id[0] || strspn(id, "0123456789") != strlen(id))
		return fault_set(why, EBADMSG, "etcd names a member without an ID");
	text_addf(&body, "{\"ID\":\"%s\"}", id);
	return call(d, address, "/v3/cluster/member/remove", text_str(&body), &answer, why);
}

/* Asks one control plane for the members and has it remove ours. */
static int leave_by(const struct node *node, struct door *d, const struct net_ip *address,
		    struct fault *why)
{
	scoped(text_done) struct text answer = { 0 };
	scoped(yaml_done) struct yaml list = { 0 };
	struct yaml_error error = { 0 };
	const struct yaml *members;
	size_t i;
	int r = call(d, address, "/v3/cluster/member/list", "{}", &answer, why);

	if (r < 0)
		return r;
	if (yaml_parse(text_str(&answer), answer.len, &list, &error) < 0)
		return fault_set(why, EBADMSG, "etcd's answer is no JSON: %s", error.message);
	members = yaml_get(&list, "members");
	if (!members || members->kind != YAML_SEQUENCE)
		return fault_set(why, EBADMSG, "etcd's answer names no members");
	for (i = 0; r >= 0 && i < members->n_items; i++)
		if (is_self(node, &members->items[i]))
			r = remove_member(d, address, yaml_text(yaml_get(&members->items[i], "ID")),
					  why);
	return r;
}

int etcd_leave(const struct node *node, struct fault *why)
{
	scoped(door_done) struct door door = { 0 };
	const struct model_node *n = node->model.nodes;
	const struct model_node *end = n + node->model.n_nodes;
	int r = door_open(node, &door, why);

	if (r < 0)
		return r;
	for (r = -ENOENT; n < end && r < 0; n++)
		if (n != node->self && (n->roles & MODEL_CONTROL_PLANE))
			r = leave_by(node, &door, &n->address, why);
	if (r == -ENOENT && why->code == 0)
		return 0; /* the file has no other one */
	return r < 0 ? step_wait(why, "etcd of another control plane") : 0;
}

static int fetch(struct door *d, const struct net_ip *address, int fd, struct fault *why)
{
	scoped(drop_stream) struct snapshot_stream *stream = malloc(sizeof(*stream));
	scoped(text_done) struct text answer = { 0 };
	int r;

	if (!stream)
		return fault_errno(why, ENOMEM, "snapshot");
	snapshot_stream_init(stream, fd);
	d->api.sink = snapshot_stream_take;
	d->api.sink_data = stream;
	d->api.timeout_ms = SNAPSHOT_MS;
	r = call(d, address, "/v3/maintenance/snapshot", "{}", &answer, why);
	if (r < 0)
		return r;
	r = snapshot_stream_end(stream, why);
	if (r >= 0 && fsync(fd) < 0)
		r = fault_errno(why, errno, "cannot sync the snapshot");
	return r;
}

#define TEMP ".snapshot.rackseed-new"

static int fetch_to(const struct node *node, int folder, const char *name, struct fault *why)
{
	scoped(door_done) struct door door = { 0 };
	scoped(drop_fd) int fd =
		openat(folder, TEMP, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? fault_errno(why, errno, TEMP) : door_open(node, &door, why);

	if (r >= 0)
		r = fetch(&door, &node->self->address, fd, why);
	if (r >= 0)
		r = snapshot_verify(folder, TEMP, why);
	if (r >= 0 && (renameat(folder, TEMP, folder, name) < 0 || fsync(folder) < 0))
		r = fault_errno(why, errno, "%s", name);
	return r;
}

int etcd_snapshot(const struct node *node, int folder, const char *name, struct fault *why)
{
	int r = fetch_to(node, folder, name, why);

	if (r < 0)
		unlinkat(folder, TEMP, 0);
	return r;
}
