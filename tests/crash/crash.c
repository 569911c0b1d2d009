/* SPDX-License-Identifier: MIT */
/*
 * crash [--states N] [--seed S] [--jobs J]: cuts the power everywhere. crash --member: counts what
 * the boot of a member changes. See README.md. Prints TAP.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "firstboot/node.h"
#include "firstboot/state.h"
#include "firstboot/tasks.h"
#include "tests/crash/record.h"
#include "tests/crash/world.h"

/*
 * WHOLE: so many states are every prefix and every call, and some at random. Of those who lie, one
 * in FEW is always heard.
 */
enum { MAX_TRIES = 60, MAX_FAILURES = 5, MAX_OPS = 4096, HEAVY = 1 << 20, WHOLE = 12000, FEW = 8 };

int seed_main(int argc, char **argv); /* tests/nspawn/seed.c */

struct scenario {
	const char *name;
	bool control_plane;
	void (*prepare)(void); /* makes the tree that its boot begins with */
	bool keeps_cluster;    /* the data that is there must live, from the first instant */
	struct disk base, result;
	struct trace trace;
	size_t healthy_at; /* from this operation on, the cluster that began must live */
	unsigned cluster;
};

struct tally {
	unsigned long states, converged, failures, kills, faults, pairs, lies, troubles;
};

static struct {
	char work[64], root[96], seeds[2][96];
	int fd;
	uint64_t random;
	unsigned long target;
	int jobs, job;
	struct tally *tally; /* shared */
	uint64_t *seen;
} t;

static uint64_t random_u64(void)
{
	t.random ^= t.random << 13;
	t.random ^= t.random >> 7;
	t.random ^= t.random << 17;
	return t.random;
}

/* ---- one boot ---- */

static bool always(void *data)
{
	(void)data;
	return true;
}

static void step_files(struct node *node)
{
	static const enum plan_step steps[] = { PLAN_HOSTNAME,	 PLAN_ADMIN,  PLAN_NETWORK,
						PLAN_SWAP,	 PLAN_KERNEL, PLAN_CLOCK,
						PLAN_CONTAINERD, PLAN_IMAGES, PLAN_FIREWALL };
	struct fault why = { 0 };
	size_t i, tries;

	for (i = 0; i < COUNT(steps); i++)
		for (tries = 0; tries < MAX_TRIES && node_apply(node, steps[i], &why) < 0; tries++)
			;
}

/* 0, or the last fault when it does not come to rest. */
static int boot(bool control_plane, bool kubelet_is_early, struct fault *why)
{
	struct node node = { .root = t.fd, .seed_dir = t.seeds[!control_plane], .alive = always };
	int r = -1, tries, rest = 0;

	world_power_on(t.fd, control_plane, kubelet_is_early);
	for (tries = 0; tries < MAX_TRIES && r < 0; tries++)
		r = node_load(&node, why);
	if (r >= 0)
		step_files(&node);
	/* Done, and once more to see that it rests. */
	for (tries = 0; r >= 0 && tries < MAX_TRIES && rest < 2; tries++) {
		*why = (struct fault){ 0 };
		rest = task_cluster(&node, why) >= 0 ? rest + 1 : 0;
	}
	node_done(&node);
	return r < 0 || rest < 2 ? -1 : 0;
}

/* ---- what two boots must agree on ---- */

static bool is_aside(const char *path)
{
	return strncmp(path, "run", 3) == 0 || strcmp(path, "var/lib/rackseed/snapshots") == 0 ||
	       strstr(path, ".damaged") || strstr(path, "/damaged-") ||
	       strcmp(path, "etc/kubernetes/bootstrap-kubelet.conf") == 0;
}

static void normalize_state(struct entry *e)
{
	struct state state;
	char text[64];

	if (state_parse(e->data, e->len, &state) != STATE_READ)
		return;
	snprintf(text, sizeof(text), "completed %d healthy %d", state.completed, state.healthy);
	e->len = strlen(text);
	memcpy(e->data, text, e->len + 1);
}

/* Which cluster it is, is judged apart. */
static void normalize(struct disk *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct entry *e = &d->entries[i];

		if (is_aside(e->path)) {
			e->mode = 0;
			free(e->data);
			free(e->target);
			e->data = e->target = NULL;
			e->len = 0;
			e->path[0] = '\0';
		} else if (strcmp(e->path, "var/lib/rackseed/state") == 0) {
			normalize_state(e);
		} else if (strcmp(e->path, "var/lib/etcd/member/snap/db") == 0 && e->len > 160) {
			memset(e->data + 128, 0, 16);
		}
	}
	for (size_t i = 0; i < d->n;)
		if (!d->entries[i].path[0]) {
			free(d->entries[i].path);
			d->entries[i] = d->entries[--d->n];
		} else {
			i++;
		}
	(void)disk_hash(d); /* sorts */
}

static const char *differs(const struct disk *got, const struct disk *want)
{
	static char text[512];

	for (size_t i = 0; i < want->n; i++) {
		const struct entry *w = &want->entries[i];
		const struct entry *g = disk_find(got, w->path);

		if (!g)
			snprintf(text, sizeof(text), "%s is not there", w->path);
		else if (g->mode != w->mode)
			snprintf(text, sizeof(text), "%s has mode %o, not %o", w->path, g->mode,
				 w->mode);
		else if (g->len != w->len || (g->len && memcmp(g->data, w->data, g->len) != 0))
			snprintf(text, sizeof(text), "%s has another content: %.80s", w->path,
				 g->data ? g->data : "");
		else
			continue;
		return text;
	}
	for (size_t i = 0; i < got->n; i++)
		if (!disk_find(want, got->entries[i].path)) {
			snprintf(text, sizeof(text), "%s is left over", got->entries[i].path);
			return text;
		}
	return NULL;
}

/* NULL when the boot from the tree that lies there comes to the undisturbed result. */
static const char *converges(const struct scenario *s, bool early, bool must_keep)
{
	static char text[1200];
	struct disk got = { 0 };
	struct fault why = { 0 };
	unsigned before = world.clusters;
	const char *what;

	world.resets = 0;
	if (boot(s->control_plane, early, &why) < 0) {
		snprintf(text, sizeof(text), "it does not come to rest: %s", why.text);
		return text;
	}
	disk_take(&got, t.root);
	normalize(&got);
	what = differs(&got, &s->result);
	disk_done(&got);
	if (!what && must_keep && world.clusters != before)
		what = "a second cluster began";
	if (!what && must_keep && world.resets)
		what = "it was reset";
	if (!what && must_keep && s->control_plane && world_cluster(t.fd) != s->cluster) {
		snprintf(text, sizeof(text), "the data is cluster %u's, not %u's",
			 world_cluster(t.fd), s->cluster);
		return text;
	}
	return what;
}

/* ---- scenarios ---- */

static void put(const char *path, const char *text)
{
	struct fault why = { 0 };

	if (fs_write(t.fd, path, 0644, text, strlen(text), &why) < 0)
		errx(1, "%s", why.text);
}

#define IMAGE                                                                                      \
	"{\"distribution\":\"debian\",\"release\":\"bookworm\",\"kubernetes\":\"1.20.2\","         \
	"\"containerd\":\"1.6.20\",\"pause\":\"k8s.gcr.io/pause:3.2\"}"

static void fresh(void)
{
	put("usr/lib/rackseed/image.json", IMAGE);
}

static void must_boot(bool control_plane)
{
	struct fault why = { 0 };

	if (boot(control_plane, false, &why) < 0)
		errx(1, "an undisturbed boot: %s", why.text);
}

static void member(void)
{
	fresh();
	must_boot(true);
}

static void worker_member(void)
{
	fresh();
	must_boot(false);
}

static void expired(void)
{
	member();
	world_expire(t.fd, true);
}

static void worker_expired(void)
{
	worker_member();
	world_expire(t.fd, false);
}

#define SNAPSHOT "var/lib/rackseed/snapshots/etcd-20261101T000000Z.db"

static void snapshot_at_hand(void)
{
	fresh();
	world_put_snapshot(t.fd, SNAPSHOT, 77);
}

static void damaged(void)
{
	member();
	world_put_snapshot(t.fd, SNAPSHOT, 77);
	put("var/lib/etcd/member/snap/db", "");
}

/* Files of the plan as an older document had them, and what kubelet keeps unreadable. */
static void older(void)
{
	member();
	put("etc/hosts", "127.0.0.1 localhost\n");
	put("etc/containerd/config.toml", "old\n");
	put("etc/kubernetes/pki/ca.crt", "");
	put("etc/kubernetes/pki/apiserver.crt", "");
	put("etc/kubernetes/admin.conf", "");
	put("etc/kubernetes/manifests/kube-scheduler.yaml", "");
	put("var/lib/kubelet/cpu_manager_state", "");
	put("var/lib/kubelet/pki/kubelet.crt", "");
	put("var/lib/kubelet/pki/kubelet.key", "");
	put("var/lib/kubelet/allocated_pods_state", "{\"data\":\"{}\",\"check");
}

static void half_init(void)
{
	struct fault_plan kill = { .at = { 0 }, .error = { FAULT_KILL } };
	int status;

	fresh();
	/* In the midst of kubeadm, as a power cut that loses nothing. */
	for (unsigned at = 700;; at -= 50) {
		pid_t pid;

		kill.at[0] = at;
		disk_write(&(struct disk){ 0 }, t.root);
		fresh();
		pid = fork();
		if (pid == 0) {
			struct fault why = { 0 };

			record_faults(&kill);
			_exit(boot(true, false, &why) < 0);
		}
		if (waitpid(pid, &status, 0) < 0)
			err(1, "fork");
		if (WIFEXITED(status) && WEXITSTATUS(status) == 9)
			return;
	}
}

static struct scenario scenarios[] = {
	{ .name = "first boot of a control plane", .control_plane = true, .prepare = fresh },
	{ .name = "first boot of a worker", .prepare = fresh },
	{ .name = "a cut init is taken up again", .control_plane = true, .prepare = half_init },
	{ .name = "a snapshot is restored to a new disk",
	  .control_plane = true,
	  .prepare = snapshot_at_hand,
	  .keeps_cluster = true },
	{ .name = "a snapshot is restored over damaged data",
	  .control_plane = true,
	  .prepare = damaged,
	  .keeps_cluster = true },
	{ .name = "certificates are over",
	  .control_plane = true,
	  .prepare = expired,
	  .keeps_cluster = true },
	{ .name = "certificates of a worker are over",
	  .prepare = worker_expired,
	  .keeps_cluster = true },
	{ .name = "files are old, empty or damaged",
	  .control_plane = true,
	  .prepare = older,
	  .keeps_cluster = true },
};

/* The operation behind which "healthy" is on the disk for good. */
static size_t find_healthy(const struct trace *trace)
{
	static const char healthy[] = "\nhealthy 1\n";
	bool written = false, named = false;

	for (size_t i = 0; i < trace->n; i++) {
		const struct op *op = &trace->ops[i];

		if (op->kind == OP_WRITE &&
		    memmem(op->data, op->len, healthy, sizeof(healthy) - 1))
			written = true;
		if (written && op->kind == OP_RENAME &&
		    strcmp(op->to, "var/lib/rackseed/state") == 0)
			named = true;
		if (named && op->kind == OP_SYNC_FOLDER &&
		    strcmp(op->path, "var/lib/rackseed") == 0)
			return i + 1;
	}
	return trace->n + 1;
}

static void record(struct scenario *s)
{
	struct fault why = { 0 };

	disk_write(&(struct disk){ 0 }, t.root);
	s->prepare();
	disk_take(&s->base, t.root);
	record_begin(t.root, &s->base, &s->trace);
	if (boot(s->control_plane, false, &why) < 0)
		errx(1, "%s: %s", s->name, why.text);
	record_end();
	if (s->trace.n > MAX_OPS)
		errx(1, "%s: too many operations", s->name);
	disk_take(&s->result, t.root);
	normalize(&s->result);
	s->cluster = world_cluster(t.fd);
	s->healthy_at = find_healthy(&s->trace);
	if (t.job > 0)
		return;
	printf("# %s: %zu operations, healthy at %zu, cluster %u\n", s->name, s->trace.n,
	       s->healthy_at, s->cluster);
}

/* ---- states ---- */

static bool is_new(uint64_t hash)
{
	size_t i = hash % HEAVY;

	hash += hash == 0;
	while (t.seen[i] && t.seen[i] != hash)
		i = (i + 1) % HEAVY;
	if (t.seen[i])
		return false;
	t.seen[i] = hash;
	return true;
}

static void tell_state(const struct scenario *s, size_t n, const unsigned char *fates,
		       const char *what)
{
	static const char *const kinds[] = { "create",	"mkdir",   "symlink", "rename", "unlink",
					     "rmdir",	"trunc",   "write",   "mode",	"syncfile",
					     "syncdir", "syncall", "mark" };
	static const char *const fate_names[] = { "kept", "lost", "torn", "zeroed" };

	printf("# %s, cut behind operation %zu: %s\n", s->name, n, what);
	for (size_t i = 0; i < n; i++)
		if (fates[i] != FATE_KEPT)
			printf("#   %zu %s %s (file %d): %s\n", i, kinds[s->trace.ops[i].kind],
			       s->trace.ops[i].path ? s->trace.ops[i].path : "",
			       s->trace.ops[i].ino, fate_names[fates[i]]);
	fflush(stdout);
}

static void try_state(struct scenario *s, size_t n, const unsigned char *fates)
{
	struct disk d;
	uint64_t hash;
	const char *what;

	if (t.tally->failures >= MAX_FAILURES)
		return;
	disk_copy(&s->base, &d);
	disk_apply(&d, &s->trace, n, fates);
	/* The same tree is another state where another result is due. */
	hash = disk_hash(&d) ^ (uint64_t)(s - scenarios) * UINT64_C(0x9e3779b97f4a7c15);
	if (is_new(hash) && hash % (uint64_t)t.jobs == (uint64_t)t.job) {
		disk_write(&d, t.root);
		world.clusters = 1000;
		what = converges(s, hash >> 32 & 1, s->keeps_cluster || n >= s->healthy_at);
		__atomic_add_fetch(&t.tally->states, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(what ? &t.tally->failures : &t.tally->converged, 1,
				   __ATOMIC_RELAXED);
		if (what)
			tell_state(s, n, fates, what);
	}
	disk_done(&d);
}

static void structured(struct scenario *s, size_t n)
{
	static size_t list[MAX_OPS];
	static unsigned char fates[MAX_OPS];
	size_t n_list = trace_volatile(&s->trace, n, list);

	memset(fates, FATE_KEPT, sizeof(fates));
	try_state(s, n, fates);
	for (size_t i = 0; i < n_list; i++)
		fates[list[i]] = FATE_LOST;
	try_state(s, n, fates);
	/* The youngest are the likeliest to be lost. */
	for (size_t i = n_list; i > 0 && i + 6 > n_list; i--) {
		for (int fate = FATE_LOST; fate < N_FATES; fate++) {
			memset(fates, FATE_KEPT, sizeof(fates));
			fates[list[i - 1]] = (unsigned char)fate;
			try_state(s, n, fates);
		}
	}
}

static void at_random(struct scenario *s)
{
	static size_t list[MAX_OPS];
	static unsigned char fates[MAX_OPS];
	size_t n = random_u64() % (s->trace.n + 1);
	size_t n_list = trace_volatile(&s->trace, n, list);
	unsigned often = 1 + (unsigned)(random_u64() % 7);

	memset(fates, FATE_KEPT, sizeof(fates));
	for (size_t i = 0; i < n_list; i++)
		if (random_u64() % 8 < often)
			fates[list[i]] = (unsigned char)(FATE_LOST + random_u64() % 3);
	try_state(s, n, fates);
}

/* Where only a part is asked for, one in so many is taken, and which by the seed; 1: all. */
static unsigned stride(void)
{
	return t.target == 0 ? WHOLE : (unsigned)((WHOLE + t.target - 1) / t.target);
}

static void cut_everywhere(void)
{
	unsigned long i;

	for (size_t k = 0; k < COUNT(scenarios); k++)
		for (size_t n = random_u64() % stride(); n <= scenarios[k].trace.n; n += stride())
			structured(&scenarios[k], n);
	for (i = 0;
	     i < 40 * t.target && t.tally->states < t.target && t.tally->failures < MAX_FAILURES;
	     i++)
		at_random(&scenarios[random_u64() % COUNT(scenarios)]);
}

/* ---- kills, errors, liars ---- */

static void begin_again(const struct scenario *s)
{
	disk_write(&s->base, t.root);
	world.clusters = 1000;
	world.lies_left = world.troubles_left = 0;
}

static unsigned count_calls(const struct scenario *s)
{
	struct fault why = { 0 };
	unsigned calls;

	begin_again(s);
	record_faults(NULL);
	if (boot(s->control_plane, false, &why) < 0)
		errx(1, "%s: %s", s->name, why.text);
	calls = record_calls();
	return calls;
}

static void judge(const struct scenario *s, bool keep, unsigned long *count, const char *how)
{
	const char *what;

	record_faults(NULL);
	what = converges(s, random_u64() & 1, keep);
	__atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
	if (what) {
		__atomic_add_fetch(&t.tally->failures, 1, __ATOMIC_RELAXED);
		printf("# %s, %s: %s\n", s->name, how, what);
		fflush(stdout);
	}
}

static void kill_at(const struct scenario *s, unsigned at)
{
	const struct fault_plan plan = { .at = { at }, .error = { FAULT_KILL } };
	char how[64];
	int status;
	pid_t pid;

	begin_again(s);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct fault why = { 0 };

		record_faults(&plan);
		_exit(boot(s->control_plane, false, &why) < 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		err(1, "fork");
	snprintf(how, sizeof(how), "killed at call %u", at);
	judge(s, s->keeps_cluster, &t.tally->kills, how);
}

static void fail_at(const struct scenario *s, const struct fault_plan *plan, unsigned long *count)
{
	struct fault why = { 0 };
	char how[96];

	begin_again(s);
	record_faults(plan);
	/* Whether this very run gets over it or the next one does, nothing must be lost. */
	(void)(boot(s->control_plane, false, &why) < 0);
	snprintf(how, sizeof(how), "errors %d at call %u and %d at call %u", plan->error[0],
		 plan->at[0], plan->error[1], plan->at[1]);
	judge(s, s->keeps_cluster, count, how);
}

static const int errors[] = { ENOSPC, EIO, EROFS, EMFILE, ENOMEM, EINTR, FAULT_SHORT };

static void kills_and_errors(void)
{
	unsigned every = stride();

	for (size_t k = 0; k < COUNT(scenarios); k++) {
		const struct scenario *s = &scenarios[k];
		unsigned calls = count_calls(s);
		unsigned at = 1 + (unsigned)t.job + (unsigned)(random_u64() % every);

		for (; at <= calls; at += (unsigned)t.jobs * every) {
			struct fault_plan one = { .at = { at } }, two = { .at = { at } };

			if (t.tally->failures >= MAX_FAILURES)
				return;
			kill_at(s, at);
			one.error[0] = errors[(at / (unsigned)t.jobs) % COUNT(errors)];
			fail_at(s, &one, &t.tally->faults);
			two.error[0] = errors[random_u64() % COUNT(errors)];
			two.error[1] = errors[random_u64() % COUNT(errors)];
			two.at[1] = at + 1 + (unsigned)(random_u64() % calls);
			fail_at(s, &two, &t.tally->pairs);
		}
	}
}

/* Programs that lie, or trouble outside, so many times from the boot on; then all is well again. */
static void mislead(const struct scenario *s, enum lie lie, enum trouble trouble, unsigned times)
{
	struct fault why = { 0 };
	char how[64];

	if (random_u64() % (stride() < FEW ? stride() : FEW) != 0)
		return;
	begin_again(s);
	world.lie = lie;
	world.lies_left = lie == LIE_NONE ? 0 : times;
	world.trouble = trouble;
	world.troubles_left = trouble == TROUBLE_NONE ? 0 : times;
	(void)(boot(s->control_plane, false, &why) < 0);
	world.lies_left = world.troubles_left = 0;
	snprintf(how, sizeof(how), "lie %u, trouble %u, %u times", lie, trouble, times);
	judge(s, s->keeps_cluster, lie == LIE_NONE ? &t.tally->troubles : &t.tally->lies, how);
}

static void liars(void)
{
	for (size_t k = 0; k < COUNT(scenarios); k++) {
		for (unsigned lie = LIE_FAIL; lie < N_LIES; lie++)
			for (unsigned n = 1; n <= 3; n++)
				mislead(&scenarios[k], (enum lie)lie, TROUBLE_NONE, n);
		for (unsigned trouble = TROUBLE_REFUSED; trouble < N_TROUBLES; trouble++)
			for (unsigned n = 1; n <= 9; n += 4)
				mislead(&scenarios[k], LIE_NONE, (enum trouble)trouble, n);
	}
}

/* ---- a boot that has nothing to do ---- */

static void enter_root(int job)
{
	snprintf(t.root, sizeof(t.root), "%s/root-%d", t.work, job);
	if (mkdir(t.root, 0755) < 0)
		err(1, "%s", t.root);
	t.fd = open(t.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t.fd < 0)
		err(1, "%s", t.root);
}

/* Boots once and says how many calls changed something; told: and which. */
static unsigned changes_of(bool control_plane, bool early, FILE *to)
{
	struct fault why = { 0 };
	unsigned n;
	int r;

	record_count(t.root, to);
	r = boot(control_plane, early, &why);
	n = record_changes();
	record_count(NULL, NULL);
	if (r < 0)
		errx(1, "a boot to be counted: %s", why.text);
	return n;
}

static int report(int n, bool ok, unsigned long count, const char *what)
{
	printf("%s %d - %lu %s\n", ok ? "ok" : "not ok", n, count, what);
	return !ok;
}

/* 0 when the boots of members, with kubelet up before us and after, change nothing. */
static int count_members(void)
{
	static const struct {
		bool control_plane;
		const char *first, *again, *early;
	} members[] = {
		{ true, "changes in the first boot of a control plane: they are seen",
		  "changes in its next boot: none", "changes where kubelet is up before us: none" },
		{ false, "changes in the first boot of a worker: they are seen",
		  "changes in its next boot: none", "changes where kubelet is up before us: none" },
	};
	FILE *null = fopen("/dev/null", "we");
	int n = 0, bad = 0;

	if (!null)
		err(1, "/dev/null");
	enter_root(0);
	for (size_t i = 0; i < COUNT(members); i++) {
		unsigned count;

		disk_write(&(struct disk){ 0 }, t.root);
		fresh();
		count = changes_of(members[i].control_plane, false, null);
		bad += report(++n, count > 50, count, members[i].first);
		count = changes_of(members[i].control_plane, false, stdout);
		bad += report(++n, count == 0, count, members[i].again);
		count = changes_of(members[i].control_plane, true, stdout);
		bad += report(++n, count == 0, count, members[i].early);
		/* A file that was taken back counts, though the tree is as before. */
		record_count(t.root, null);
		put("etc/passing", "");
		if (unlinkat(t.fd, "etc/passing", 0) < 0)
			err(1, "etc/passing");
		count = record_changes();
		record_count(NULL, NULL);
		bad += report(++n, count > 1, count, "changes by a file made and removed: seen");
	}
	fclose(null);
	printf("1..%d\n", n);
	return bad > 0;
}

/* ---- the whole ---- */

static void make_seeds(void)
{
	static const char *const nodes[] = { "master", "worker" };
	char secrets[96];

	snprintf(secrets, sizeof(secrets), "%s/secrets", t.work);
	if (mkdir(secrets, 0700) < 0)
		err(1, "%s", secrets);
	for (size_t i = 0; i < COUNT(nodes); i++) {
		char *argv[] = { (char *)"seed", (char *)"tests/nspawn/cluster.yaml",
				 secrets,	 (char *)nodes[i],
				 t.seeds[i],	 NULL };

		snprintf(t.seeds[i], sizeof(t.seeds[i]), "%s/seed-%s", t.work, nodes[i]);
		if (mkdir(t.seeds[i], 0700) < 0 || seed_main(5, argv) != 0)
			err(1, "%s", t.seeds[i]);
	}
	world_make_keys(secrets);
}

static void work(int job, uint64_t seed)
{
	t.job = job;
	t.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	enter_root(job);
	t.seen = calloc(HEAVY, sizeof(*t.seen));
	if (!t.seen)
		err(1, "memory");
	for (size_t k = 0; k < COUNT(scenarios); k++)
		record(&scenarios[k]);
	fflush(stdout);
	cut_everywhere();
	kills_and_errors();
	if (job == 0)
		liars();
}

static void remove_work(void)
{
	struct fault why = { 0 };
	int top = open("/", O_RDONLY | O_DIRECTORY);

	if (fs_remove_tree(top, t.work, &why) < 0)
		warnx("%s", why.text);
	close(top);
}

int main(int argc, char **argv)
{
	bool members = argc == 2 && strcmp(argv[1], "--member") == 0;
	uint64_t seed = 1;
	bool ok = true;
	int status, i;

	t.target = WHOLE;
	t.jobs = 2;
	for (i = 1; !members && i + 1 < argc; i += 2) {
		unsigned long value = strtoul(argv[i + 1], NULL, 10);

		if (strcmp(argv[i], "--states") == 0)
			t.target = value;
		else if (strcmp(argv[i], "--seed") == 0)
			seed = value;
		else if (strcmp(argv[i], "--jobs") == 0)
			t.jobs = value ? (int)value : 1;
		else
			errx(2, "crash [--states N] [--seed S] [--jobs J] | --member");
	}
	umask(022);
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(t.work, sizeof(t.work), "%s/rackseed-crash-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(t.work))
		err(1, "%s", t.work);
	t.tally = mmap(NULL, sizeof(*t.tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (t.tally == MAP_FAILED)
		err(1, "memory");
	make_seeds();
	if (members) {
		ok = count_members() == 0;
		remove_work();
		return !ok;
	}
	fflush(stdout);
	for (i = 0; i < t.jobs; i++)
		if (fork() == 0) {
			work(i, seed);
			fflush(stdout);
			_exit(0);
		}
	for (i = 0; i < t.jobs; i++)
		if (wait(&status) < 0 || status != 0)
			ok = false;
	printf("# seed %llu\n%lu states, %lu converged\n", (unsigned long long)seed,
	       t.tally->states, t.tally->converged);
	ok = !report(1, ok && t.tally->states >= t.target && t.tally->states == t.tally->converged,
		     t.tally->states, "states that a power cut can leave come to the one result") &&
	     ok;
	ok = !report(2, t.tally->failures == 0 && t.tally->kills > 0, t.tally->kills,
		     "boots were killed, each at another call, and the next one came to it") &&
	     ok;
	ok = !report(3, t.tally->failures == 0 && t.tally->faults > 0, t.tally->faults,
		     "boots had one call fail, and came to it") &&
	     ok;
	ok = !report(4, t.tally->failures == 0 && t.tally->pairs > 0, t.tally->pairs,
		     "boots had two calls fail, and came to it") &&
	     ok;
	ok = !report(5, t.tally->failures == 0 && t.tally->lies > 0, t.tally->lies,
		     "boots were lied to by programs, and came to it") &&
	     ok;
	ok = !report(6, t.tally->failures == 0 && t.tally->troubles > 0, t.tally->troubles,
		     "boots had trouble with the API server or the bus, and came to it") &&
	     ok;
	printf("1..6\n");
	remove_work();
	return !ok;
}
