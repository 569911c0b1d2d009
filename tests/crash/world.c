/* SPDX-License-Identifier: MIT */
#include "tests/crash/world.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/yaml.h"
#include "cluster/api.h"
#include "cluster/pki.h"
#include "firstboot/etcd.h"
#include "firstboot/units.h"
#include "tests/crash/record.h"

struct world world;

#define PKI "etc/kubernetes/pki/"
#define POD                                                                                        \
	"apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: %s\n" \
	"    volumeMounts:\n    - {mountPath: /x, name: x}\n" \
	"  volumes:\n  - hostPath: {path: /x}\n    name: x\n"
#define CONF "apiVersion: v1\nkind: Config\nusers: []\n"

enum { DB_LEN = 4096, DB_TEXT = 128 };

static const char *const leaves[] = {
	"apiserver",
	"apiserver-kubelet-client",
	"front-proxy-client",
	"apiserver-etcd-client",
	"etcd/server",
	"etcd/peer",
	"etcd/healthcheck-client",
};
static const char *const leaf_ca[] = { "ca",	  "ca",	     "front-proxy-ca", "etcd/ca",
				       "etcd/ca", "etcd/ca", "etcd/ca" };
static const char *const confs[] = { "admin", "controller-manager", "scheduler" };
static const char *const pods[] = { "etcd", "kube-apiserver", "kube-controller-manager",
				    "kube-scheduler" };

static struct {
	struct text crt[COUNT(leaves)], key[COUNT(leaves)], old[COUNT(leaves)];
	struct text kubelet, old_kubelet, ca;
} keys;

/* ---- files ---- */

static void slurp(int dirfd, const char *path, struct text *out)
{
	struct fault why = { 0 };

	if (fs_read(dirfd, path, 8 << 20, out, &why) < 0)
		errx(1, "%s", why.text);
}

static bool try_read(const char *path, struct text *out)
{
	struct fault ignored = { 0 };

	text_done(out);
	return fs_read(world.root, path, 8 << 20, out, &ignored) == 0;
}

/* As programs write that think of no power cut. */
static int put_n(const char *path, const char *bytes, size_t n)
{
	struct fault ignored = { 0 };
	char folder[256];
	const char *slash = strrchr(path, '/');
	int fd;

	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	if (fs_mkdirs(world.root, folder, 0755, &ignored) < 0)
		return -1;
	fd = openat(world.root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (write(fd, bytes, n) != (ssize_t)n) {
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

static int put(const char *path, const char *text)
{
	return put_n(path, text, strlen(text));
}

static int sync_path(const char *path, int flags)
{
	int fd = openat(world.root, path, flags | O_CLOEXEC);
	int r = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	return r;
}

/* As etcd and kubelet: what the disk does not tell is not taken for gone. */
static bool exists(const char *path)
{
	struct stat st;

	return fstatat(world.root, path, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static bool is_object(const char *path, const char *kind)
{
	struct text bytes = { 0 };
	struct yaml tree = { 0 };
	struct yaml_error error;
	const char *is = NULL;

	if (try_read(path, &bytes) && bytes.len &&
	    yaml_parse(text_str(&bytes), bytes.len, &tree, &error) == 0)
		is = yaml_text(yaml_get(&tree, "kind"));
	text_done(&bytes);
	if (!is || strcmp(is, kind) != 0) {
		yaml_done(&tree);
		return false;
	}
	yaml_done(&tree);
	return true;
}

/* ---- etcd ---- */

static void little(unsigned char *p, uint64_t value, int n)
{
	for (int i = 0; i < n; i++)
		p[i] = (unsigned char)(value >> (8 * i));
}

static void database(char *db, unsigned cluster)
{
	unsigned char *meta = (unsigned char *)db + 16;
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	memset(db, 0, DB_LEN);
	little(meta, 0xED0CDAED, 4);
	little(meta + 4, 2, 4);
	little(meta + 8, 4096, 4);
	for (int i = 0; i < 56; i++)
		sum = (sum ^ meta[i]) * UINT64_C(0x100000001b3);
	little(meta + 56, sum, 8);
	snprintf(db + DB_TEXT, DB_LEN - DB_TEXT, "cluster %08u\n", cluster);
}

static int put_synced(const char *path, const char *bytes, size_t n)
{
	return put_n(path, bytes, n) < 0 ? -1 : sync_path(path, O_RDWR);
}

/* A new database with its log, synced as etcd does it. */
static int put_database(const char *member, unsigned cluster)
{
	char db[DB_LEN], path[128];

	database(db, cluster);
	snprintf(path, sizeof(path), "%s/wal/0.wal", member);
	if (put_synced(path, "log\n", 4) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/snap/db", member);
	return put_synced(path, db, sizeof(db));
}

/* What an init writes into etcd at its end. */
#define DONE "var/lib/etcd/member/snap/done"

static bool read_database(int root, unsigned *cluster, int *done)
{
	struct text db = { 0 };
	struct fault ignored = { 0 };
	struct stat st;
	bool ok = fs_read(root, "var/lib/etcd/member/snap/db", 1 << 20, &db, &ignored) == 0 &&
		  db.len == DB_LEN && sscanf(db.data + DB_TEXT, "cluster %u", cluster) == 1;

	*done = fstatat(root, DONE, &st, 0) == 0;
	text_done(&db);
	return ok;
}

unsigned world_cluster(int root)
{
	unsigned cluster = 0;
	int done;

	return read_database(root, &cluster, &done) ? cluster : 0;
}

void world_put_snapshot(int root, const char *path, unsigned cluster)
{
	char bytes[DB_LEN + 32];
	unsigned n;

	world.root = root;
	database(bytes, cluster);
	if (EVP_Digest(bytes, DB_LEN, (unsigned char *)bytes + DB_LEN, &n, EVP_sha256(), NULL) !=
		    1 ||
	    put_n(path, bytes, sizeof(bytes)) < 0)
		errx(1, "%s", path);
}

/* ---- keys ---- */

static void make_pair(int secrets, const char *ca, int64_t now, struct text *crt, struct text *key)
{
	struct text ca_crt = { 0 }, ca_key = { 0 };
	struct fault why = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "pki/%s.crt", ca);
	slurp(secrets, path, &ca_crt);
	snprintf(path, sizeof(path), "pki/%s.key", ca);
	slurp(secrets, path, &ca_key);
	if (pki_client(text_str(&ca_crt), text_str(&ca_key), "x", NULL, now, crt, key, &why) < 0)
		errx(1, "%s", why.text);
	text_done(&ca_crt);
	text_wipe(&ca_key);
}

void world_make_keys(const char *secrets)
{
	int fd = open(secrets, O_RDONLY | O_DIRECTORY);
	int64_t now = (int64_t)time(NULL), ago = now - 3 * 24 * 3600;
	struct text key = { 0 };

	/* One pair per CA, valid and over, serves all the leaves under it. */
	for (size_t i = 0; i < COUNT(leaves); i++) {
		size_t first = 0;

		while (strcmp(leaf_ca[first], leaf_ca[i]) != 0)
			first++;
		if (first == i) {
			make_pair(fd, leaf_ca[i], now + 364 * 24 * 3600, &keys.crt[i],
				  &keys.key[i]);
			make_pair(fd, leaf_ca[i], ago, &keys.old[i], &key);
			text_add(&keys.old[i], text_str(&key));
			text_wipe(&key);
			continue;
		}
		text_add(&keys.crt[i], text_str(&keys.crt[first]));
		text_add(&keys.key[i], text_str(&keys.key[first]));
		text_add(&keys.old[i], text_str(&keys.old[first]));
	}
	text_addf(&keys.kubelet, "%s%s", text_str(&keys.crt[0]), text_str(&keys.key[0]));
	text_add(&keys.old_kubelet, text_str(&keys.old[0]));
	slurp(fd, "pki/ca.crt", &keys.ca);
	close(fd);
}

static bool same(const struct text *a, const struct text *b)
{
	return a->len == b->len && memcmp(text_str(a), text_str(b), a->len) == 0;
}

/* Whole are those that were made here; parsing them a million times would tell no more. */
static bool is_leaf(size_t i, const struct text *want_crt, const struct text *want_key)
{
	struct text crt = { 0 }, key = { 0 };
	char path[96];
	bool ok;

	snprintf(path, sizeof(path), PKI "%s.crt", leaves[i]);
	ok = try_read(path, &crt) && same(&crt, want_crt);
	snprintf(path, sizeof(path), PKI "%s.key", leaves[i]);
	ok = ok && try_read(path, &key) && same(&key, want_key);
	text_done(&crt);
	text_done(&key);
	return ok;
}

static bool is_leaf_valid(size_t i)
{
	return is_leaf(i, &keys.crt[i], &keys.key[i]);
}

static bool is_leaf_whole(size_t i)
{
	return is_leaf_valid(i) || is_leaf(i, &keys.old[i], &keys.old[i]);
}

static int put_leaf(size_t i)
{
	char path[96];

	snprintf(path, sizeof(path), PKI "%s.crt", leaves[i]);
	if (put(path, text_str(&keys.crt[i])) < 0)
		return -1;
	snprintf(path, sizeof(path), PKI "%s.key", leaves[i]);
	return put(path, text_str(&keys.key[i]));
}

/* ---- kubelet ---- */

#define PEM "var/lib/kubelet/pki/kubelet-client-current.pem"

static bool has_valid_kubelet(void)
{
	struct text pem = { 0 };
	bool ok = is_object("etc/kubernetes/kubelet.conf", "Config") && try_read(PEM, &pem) &&
		  same(&pem, &keys.kubelet);

	text_done(&pem);
	return ok;
}

/* What kubelet needs to come up at all. */
static bool can_start(void)
{
	return etcd_kubelet_may_start(world.root) &&
	       is_object("var/lib/kubelet/config.yaml", "KubeletConfiguration") &&
	       (has_valid_kubelet() ||
		(is_object("etc/kubernetes/kubelet.conf", "Config") && !exists(PEM)) ||
		is_object("etc/kubernetes/bootstrap-kubelet.conf", "Config"));
}

static bool control_plane_runs(void)
{
	struct fault ignored = { 0 };
	enum etcd_data data;
	char path[96];
	size_t i;

	if (!world.kubelet_active ||
	    etcd_look(world.root, "var/lib/etcd/member", &data, &ignored) < 0 || data != ETCD_FIT)
		return false;
	for (i = 0; i < COUNT(pods); i++) {
		snprintf(path, sizeof(path), "etc/kubernetes/manifests/%s.yaml", pods[i]);
		if (!is_object(path, "Pod"))
			return false;
	}
	for (i = 0; i < COUNT(leaves); i++)
		if (!is_leaf_valid(i))
			return false;
	for (i = 0; i < COUNT(confs); i++) {
		snprintf(path, sizeof(path), "etc/kubernetes/%s.conf", confs[i]);
		if (!is_object(path, "Config"))
			return false;
	}
	return true;
}

/* kubelet gets its certificate, and starts etcd, which begins a cluster where there is none. */
static void kubelet_works(void)
{
	struct fault ignored = { 0 };

	if (!world.kubelet_active)
		return;
	if (!has_valid_kubelet()) {
		/* Each certificate in a file of its own, as kubelet does it. */
		(void)(fs_remove(world.root, "var/lib/kubelet/pki/kubelet-client-1.pem", &ignored) <
		       0);
		put("var/lib/kubelet/pki/kubelet-client-1.pem", text_str(&keys.kubelet));
		(void)(fs_remove(world.root, PEM, &ignored) < 0);
		if (symlinkat("kubelet-client-1.pem", world.root, PEM) < 0)
			return;
		put("etc/kubernetes/kubelet.conf", CONF);
	}
	if (world.control_plane && is_object("etc/kubernetes/manifests/etcd.yaml", "Pod") &&
	    !exists("var/lib/etcd/member")) {
		world.clusters++;
		record_mark(MARK_CLUSTER);
		put_database("var/lib/etcd/member", world.clusters);
	}
	if (world.control_plane && control_plane_runs())
		record_mark(MARK_HEALTHY);
}

void world_power_on(int root, bool control_plane, bool kubelet_is_early)
{
	world.root = root;
	world.control_plane = control_plane;
	world.kubelet_active = false;
	if (kubelet_is_early && can_start()) {
		world.kubelet_active = true;
		kubelet_works();
	}
}

void world_expire(int root, bool control_plane)
{
	struct fault why = { 0 };
	char path[96];

	world.root = root;
	put("var/lib/kubelet/pki/kubelet-client-0.pem", text_str(&keys.old_kubelet));
	if (fs_remove(root, "var/lib/kubelet/pki/kubelet-client-1.pem", &why) < 0 ||
	    fs_remove(root, PEM, &why) < 0 || symlinkat("kubelet-client-0.pem", root, PEM) < 0)
		errx(1, PEM);
	for (size_t i = 0; control_plane && i < COUNT(leaves); i++) {
		snprintf(path, sizeof(path), PKI "%s.crt", leaves[i]);
		put(path, text_str(&keys.old[i]));
		snprintf(path, sizeof(path), PKI "%s.key", leaves[i]);
		put(path, text_str(&keys.old[i]));
	}
}

/* ---- kubeadm ---- */

static int complain(struct fault *why, const char *what)
{
	return fault_set(why, EREMOTEIO, "kubeadm: exit-code: %s", what);
}

static bool has_word(const char *const *argv, const char *word)
{
	for (; *argv; argv++)
		if (strstr(*argv, word))
			return true;
	return false;
}

static int make_certs(struct fault *why)
{
	char path[96];

	if (!exists(PKI "ca.crt") || !exists(PKI "ca.key") || !exists(PKI "etcd/ca.key"))
		return complain(why, "the CA is not there");
	for (size_t i = 0; i < COUNT(leaves); i++) {
		snprintf(path, sizeof(path), PKI "%s.crt", leaves[i]);
		if (exists(path) && !is_leaf_whole(i))
			return complain(why, "failure loading certificate");
		if (!exists(path) && put_leaf(i) < 0)
			return complain(why, "cannot write a certificate");
	}
	return 0;
}

static int make_confs(struct fault *why)
{
	static const char *const all[] = { "admin", "controller-manager", "scheduler", "kubelet" };
	char path[96];

	for (size_t i = 0; i < COUNT(all); i++) {
		snprintf(path, sizeof(path), "etc/kubernetes/%s.conf", all[i]);
		if (exists(path) && !is_object(path, "Config"))
			return complain(why, "a kubeconfig exists and cannot be loaded");
		if (!exists(path) && put(path, CONF) < 0)
			return complain(why, "cannot write a kubeconfig");
	}
	return 0;
}

static int make_pods(size_t from, size_t to, struct fault *why)
{
	char path[96], text[256];

	for (size_t i = from; i < to; i++) {
		snprintf(path, sizeof(path), "etc/kubernetes/manifests/%s.yaml", pods[i]);
		snprintf(text, sizeof(text), POD, pods[i]);
		if (put(path, text) < 0)
			return complain(why, "cannot write a manifest");
	}
	return 0;
}

static int start_kubelet_files(struct fault *why)
{
	if (put("var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\n") < 0 ||
	    put("var/lib/kubelet/kubeadm-flags.env", "KUBELET_KUBEADM_ARGS=\"\"\n") < 0)
		return complain(why, "cannot write kubelet's settings");
	if (!can_start())
		return complain(why, "kubelet does not start");
	world.kubelet_active = true;
	kubelet_works();
	return 0;
}

static int preflight_init(const char *const *argv, struct fault *why)
{
	bool over = has_word(argv, "DirAvailable--var-lib-etcd");

	if (!over && exists("etc/kubernetes/manifests/kube-apiserver.yaml"))
		return complain(why, "[ERROR FileAvailable--etc-kubernetes-manifests]");
	if (!over && exists("var/lib/etcd/member"))
		return complain(why, "[ERROR DirAvailable--var-lib-etcd]");
	return 0;
}

static int kubeadm_init(const char *const *argv, const struct units_tick *tick, struct fault *why)
{
	unsigned cluster = 0;
	int done, r = preflight_init(argv, why);

	if (r >= 0)
		r = make_certs(why);
	if (r >= 0)
		r = make_confs(why);
	if (r >= 0)
		r = start_kubelet_files(why);
	if (r >= 0)
		r = make_pods(1, COUNT(pods), why);
	if (r >= 0)
		r = make_pods(0, 1, why);
	if (r < 0)
		return r;
	kubelet_works();
	if (!control_plane_runs())
		return complain(why, "timed out waiting for the control plane");
	if (!tick->alive(tick->data))
		return fault_set(why, ECANCELED, "stopped");
	if (!read_database(world.root, &cluster, &done) ||
	    (!done && (put_synced(DONE, "", 0) < 0 ||
		       sync_path("var/lib/etcd/member/snap", O_RDONLY | O_DIRECTORY) < 0)))
		return complain(why, "etcdserver: request timed out");
	return 0;
}

static int kubeadm_join(const char *const *argv, struct fault *why)
{
	bool over = has_word(argv, "FileAvailable--etc-kubernetes-kubelet.conf");

	if (!over && (exists("etc/kubernetes/kubelet.conf") ||
		      exists("etc/kubernetes/bootstrap-kubelet.conf")))
		return complain(why, "[ERROR FileAvailable--etc-kubernetes-kubelet.conf]");
	if (put("etc/kubernetes/bootstrap-kubelet.conf", CONF) < 0 ||
	    put(PKI "ca.crt", text_str(&keys.ca)) < 0)
		return complain(why, "cannot write");
	return start_kubelet_files(why);
}

static int kubeadm_reset(void)
{
	static const char *const all[] = { "etc/kubernetes", "var/lib/kubelet",
					   "var/lib/etcd/member" };
	struct fault ignored = { 0 };

	world.kubelet_active = false;
	world.resets++;
	record_mark(MARK_RESET);
	for (size_t i = 0; i < COUNT(all); i++)
		if (fs_remove_tree(world.root, all[i], &ignored) < 0)
			return -EIO;
	return 0;
}

static int kubeadm_renew(struct fault *why)
{
	for (size_t i = 0; i < COUNT(leaves); i++)
		if (!is_leaf_whole(i) || put_leaf(i) < 0)
			return complain(why, "missing or broken certificate");
	return 0;
}

/* etcdctl snapshot restore, in a container. */
static int restore(const char *const *argv, struct fault *why)
{
	struct text bytes = { 0 };
	char path[128] = "";
	unsigned cluster = 0;

	for (; *argv; argv++)
		if (strncmp(*argv, "/snapshots/", 11) == 0)
			snprintf(path, sizeof(path), "var/lib/rackseed/snapshots/%s", *argv + 11);
	if (exists("var/lib/etcd/restoring"))
		return complain(why, "data-dir exists");
	if (!try_read(path, &bytes) || bytes.len < DB_LEN ||
	    sscanf(bytes.data + DB_TEXT, "cluster %u", &cluster) != 1) {
		text_done(&bytes);
		return complain(why, "no snapshot");
	}
	text_done(&bytes);
	/* What was kept of a cluster holds what its init once wrote. */
	return put_database("var/lib/etcd/restoring/member", cluster) < 0 ||
			       put_synced("var/lib/etcd/restoring/member/snap/done", "", 0) < 0
		       ? -EIO
		       : 0;
}

static int program(const char *const *argv, const struct units_tick *tick, struct fault *why)
{
	if (has_word(argv, "/ctr"))
		return restore(argv, why);
	if (strcmp(argv[1], "reset") == 0)
		return kubeadm_reset();
	if (has_word(argv, "renew"))
		return kubeadm_renew(why);
	if (strcmp(argv[1], "init") == 0 && strcmp(argv[2], "phase") == 0) {
		if (strcmp(argv[3], "certs") == 0)
			return make_certs(why);
		if (strcmp(argv[3], "kubeconfig") == 0)
			return make_confs(why);
		if (strcmp(argv[3], "kubelet-start") == 0)
			return start_kubelet_files(why);
		if (strcmp(argv[3], "etcd") == 0)
			return make_pods(0, 1, why);
		return make_pods(1, COUNT(pods), why);
	}
	return strcmp(argv[1], "init") == 0 ? kubeadm_init(argv, tick, why)
					    : kubeadm_join(argv, why);
}

/* ---- in place of units.c ---- */

int units_open(struct sd_bus **ret_bus, struct fault *why)
{
	if (world.trouble == TROUBLE_BUS && world.troubles_left > 0) {
		world.troubles_left--;
		return fault_set(why, ECONNREFUSED, "cannot reach the system bus");
	}
	*ret_bus = (struct sd_bus *)&world;
	return 0;
}

void units_close(struct sd_bus *bus)
{
	(void)bus;
}

int units_state(struct sd_bus *bus, const char *unit, char ret_state[static 32], struct fault *why)
{
	(void)bus, (void)why;
	snprintf(ret_state, 32, "%s",
		 strcmp(unit, "kubelet.service") == 0 && world.kubelet_active ? "active"
									      : "inactive");
	return 0;
}

int units_since(struct sd_bus *bus, const char *unit, uint64_t *ret_us, struct fault *why)
{
	(void)bus, (void)unit, (void)why;
	*ret_us = 0;
	return 0;
}

int units_start(struct sd_bus *bus, const char *unit, unsigned limit_s,
		const struct units_tick *tick, struct fault *why)
{
	(void)bus, (void)unit, (void)limit_s, (void)tick;
	if (!can_start())
		return fault_set(why, EREMOTEIO, "kubelet.service did not start");
	world.kubelet_active = true;
	kubelet_works();
	return 0;
}

int units_restart(struct sd_bus *bus, const char *unit, unsigned limit_s,
		  const struct units_tick *tick, struct fault *why)
{
	return units_start(bus, unit, limit_s, tick, why);
}

int units_stop(struct sd_bus *bus, const char *unit, unsigned limit_s,
	       const struct units_tick *tick, struct fault *why)
{
	(void)bus, (void)unit, (void)limit_s, (void)tick, (void)why;
	world.kubelet_active = false;
	return 0;
}

int units_reload(struct sd_bus *bus, struct fault *why)
{
	(void)bus, (void)why;
	return 0;
}

/* A liar: fails having done it, succeeds without, stops half way, or dies. */
int units_run(struct sd_bus *bus, const struct units_transient *what, const struct units_tick *tick,
	      struct fault *why)
{
	enum lie lie = world.lies_left > 0 ? world.lie : LIE_NONE;
	struct fault_plan half = { .at = { 7 }, .error = { EIO } };
	int r;

	(void)bus;
	if (lie != LIE_NONE)
		world.lies_left--;
	if (lie == LIE_FAIL)
		return fault_set(why, EREMOTEIO, "%s: signal", what->unit);
	if (lie == LIE_DONE_NOTHING)
		return 0;
	if (lie == LIE_HALF)
		record_faults(&half);
	r = program(what->argv, tick, why);
	if (lie == LIE_HALF)
		record_faults(NULL);
	if (r >= 0 && lie == LIE_FAIL_DONE)
		return fault_set(why, EREMOTEIO, "%s: exit-code", what->unit);
	return r < 0 && why->code == 0 ? fault_set(why, EREMOTEIO, "%s: exit-code", what->unit) : r;
}

int units_rejoin(struct sd_bus *bus, const char *unit, const struct units_tick *tick,
		 struct fault *why)
{
	(void)bus, (void)unit, (void)tick, (void)why;
	return UNITS_NONE;
}

/* ---- in place of run() ---- */

int run(const struct run *what, struct fault *why)
{
	(void)why;
	if (what->out)
		text_add(what->out,
			 "k8s.gcr.io/kube-apiserver:v1.20.2\nk8s.gcr.io/etcd:3.4.13-0\n");
	return 0;
}

/* ---- in place of api.c ---- */

static int trouble(struct text *out, struct fault *why)
{
	switch (world.trouble) {
	case TROUBLE_REFUSED:
		return fault_set(why, ECONNREFUSED, "connection refused");
	case TROUBLE_SILENT:
		return fault_set(why, ETIMEDOUT, "no answer within 5 s");
	case TROUBLE_FOREIGN:
		return fault_set(why, EKEYREJECTED, "its certificate is not from the cluster's CA");
	case TROUBLE_401:
		return 401;
	case TROUBLE_403:
		return 403;
	case TROUBLE_409:
		return 409;
	case TROUBLE_429:
		return 429;
	case TROUBLE_500:
		return 500;
	case TROUBLE_HALF:
		return fault_set(why, ECONNRESET, "the answer broke off");
	case TROUBLE_RUBBISH:
		text_add(out, "{]");
		return 201;
	case TROUBLE_NONE:
	case TROUBLE_BUS:
	case N_TROUBLES:
		break;
	}
	return 0;
}

int api_call(const struct api *api, const char *method, const char *path, const char *body,
	     struct text *out, struct fault *why)
{
	unsigned cluster;
	int done = 0, r;

	(void)api, (void)body;
	world.asked++;
	if (world.trouble != TROUBLE_BUS && world.troubles_left > 0) {
		world.troubles_left--;
		r = trouble(out, why);
		if (r != 0)
			return r;
	}
	if (world.control_plane) {
		kubelet_works();
		if (!control_plane_runs())
			return fault_set(why, ECONNREFUSED, "connection refused");
		if (!read_database(world.root, &cluster, &done))
			return fault_set(why, ECONNREFUSED, "connection refused");
	}
	if (strcmp(path, "/healthz") == 0)
		return 200;
	if (strcmp(method, "POST") == 0) {
		text_add(out, !world.control_plane || done ? "{\"status\": {\"allowed\": true}}"
							   : "{\"status\": {}}");
		return 201;
	}
	return 404;
}

int api_fault(int status, const char *body, struct fault *why)
{
	(void)body;
	return fault_set(why, EAGAIN, "status %d", status);
}

int api_keep(struct api *api, struct fault *why)
{
	(void)api;
	(void)why;
	return 0;
}

void api_close(struct api *api)
{
	(void)api;
}

int api_ready(const struct api *api, struct fault *why)
{
	(void)api, (void)why;
	return 0;
}
