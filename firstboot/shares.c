/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "firstboot/apply.h"
#include "firstboot/node.h"
#include "firstboot/share_watch.h"
#include "firstboot/stray.h"
#include "firstboot/tasks.h"
#include "storage/share.h"
#include "storage/storage.h"

DEFINE_DROP(bus, struct sd_bus *, units_close)

/*
 * The shares that this node mounts. A server may come late, go and come back at any time: nobody
 * waits for it here, each round looks at every share and does what can be done now.
 */

#define UNITS_D "/etc/systemd/system/"

enum { ASK_S = 8, STAT_MS = 10000, MOUNT_S = 45 };

/* One share on its way through a round. */
struct visit {
	struct node *node;
	struct sd_bus *bus;
	const struct model_share *share;
	const struct plan_action *action; /* its unit's file */
	const char *unit;
	struct share_watch *watch;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The number of shares that are mounted here. */
static size_t count_units(const struct node *node)
{
	size_t n = 0;

	while (apply_find(&node->plan, PLAN_SHARES, UNITS_D, ".mount", n))
		n++;
	return n;
}

/* The files; a share whose own changed is to be mounted anew. Credentials precede their unit. */
static int write_files(struct node *node, bool *changed, struct fault *why)
{
	bool renew = false;
	size_t i, k = 0;
	int r;

	for (i = 0; i < node->plan.n; i++) {
		const struct plan_action *a = &node->plan.actions[i];

		if (a->step != PLAN_SHARES)
			continue;
		r = apply_action(node->root, a, &node->seed, why);
		if (r < 0)
			return r;
		*changed = *changed || r == FS_CHANGED;
		renew = renew || r == FS_CHANGED;
		if (a != apply_find(&node->plan, PLAN_SHARES, UNITS_D, ".mount", k))
			continue;
		node->shares[k++].renew |= renew;
		renew = false;
	}
	return 0;
}

/*
 * Whether what is mounted answers. Another program asks, since a mount whose server is gone may
 * keep whoever touches it for as long as it likes.
 */
static void touch(const struct visit *v)
{
	const char *const argv[] = { "stat", "-f", "-c", "%b %a", "--", v->share->mount, NULL };
	scoped(text_done) struct text out = { 0 };
	struct fault ignored = { 0 };
	uint64_t total, left;
	char *end;

	v->watch->answers = run(&(struct run){ .argv = argv, .out = &out, .timeout_ms = STAT_MS },
				&ignored) == 0;
	total = strtoull(text_str(&out), &end, 10);
	left = strtoull(end, &end, 10);
	v->watch->full = v->watch->answers && *end == '\n' && total > 0 && left == 0;
}

static int look(const struct visit *v, struct fault *why)
{
	char state[32];
	int r = units_state(v->bus, v->unit, state, why);

	v->watch->mounted = r >= 0 && strcmp(state, "active") == 0;
	v->watch->answers = v->watch->full = false;
	if (!v->watch->mounted)
		return r;
	r = units_since(v->bus, v->unit, &v->watch->since_us, why);
	if (r >= 0)
		touch(v);
	return r;
}

/* Asks the server; that it cannot be asked is an answer, too. */
static void ask(const struct visit *v)
{
	scoped(text_done) struct text address = { 0 };
	scoped(text_done) struct text credentials = { 0 };
	struct share_request request = { .timeout_s = ASK_S, .write = true };
	struct share_watch *w = v->watch;
	struct fault why = { 0 };

	plan_share_address(&v->node->model, v->share, &address);
	text_addf(&credentials, PLAN_CREDENTIALS_D "%s.cred", v->share->name);
	request.share = text_str(&address);
	request.credentials = v->share->user ? text_str(&credentials) : NULL;
	w->result = (struct share_result){ .code = SHARE_FAILED };
	if (share_probe(TASK_SHARE_PROGRAM, &request, &w->result, &why) < 0)
		snprintf(w->result.reason, sizeof(w->result.reason), "%.500s", why.text);
	w->asked = true;
	w->trouble[0] = '\0';
	w->tries++;
	w->next_ms = now_ms() + share_delay_ms(w->tries, w->result.code);
}

/* Where the server was found just now; in /run, so that nothing old is believed after a boot. */
static int pin_address(const struct visit *v, struct fault *why)
{
	scoped(text_done) struct text drop_in = { 0 };
	scoped(text_done) struct text path = { 0 };
	struct storage_unc unc;
	struct net_ip ip;
	int r;

	if (!v->share->server || !v->watch->result.address[0] ||
	    storage_unc_parse(v->share->server, &unc, why) < 0 || net_ip_parse(unc.host, &ip) == 0)
		return 0;
	text_addf(&path, "/run/systemd/system/%s.d/10-address.conf", v->unit);
	share_drop_in(v->action->content, v->watch->result.address, &drop_in);
	if (text_error(&path) < 0 || text_error(&drop_in) < 0)
		return fault_errno(why, ENOMEM, "%s", v->unit);
	r = fs_write(v->node->root, text_str(&path), 0644, text_str(&drop_in), drop_in.len, why);
	return r == FS_CHANGED ? units_reload(v->bus, why) : r;
}

/* What mount.cifs cannot tell: EACCES (13) for a guest whom the server answered just now. */
static const char *likely_cause(const struct visit *v, const char *trouble)
{
	return !v->share->user && strstr(trouble, "error(13)")
		       ? "; perhaps the server demands signatures, which guests cannot give"
		       : "";
}

/* A stale mount is replaced at once: its unit unmounts lazily. */
static int mount(const struct visit *v, struct fault *why)
{
	struct units_tick tick = task_tick(v->node);
	struct share_watch *w = v->watch;
	struct fault trouble = { 0 };
	int r = pin_address(v, &trouble);

	if (r >= 0)
		r = w->mounted ? units_restart(v->bus, v->unit, MOUNT_S, &tick, &trouble)
			       : units_start(v->bus, v->unit, MOUNT_S, &tick, &trouble);
	if (r == -ECANCELED)
		return fault_set(why, ECANCELED, "stopped");
	if (r < 0) {
		snprintf(w->trouble, sizeof(w->trouble), "%.400s%s", trouble.text,
			 likely_cause(v, trouble.text));
		return look(v, why);
	}
	w->renew = false;
	w->tries = 0;
	r = look(v, why);
	return r < 0 ? r : STEP_CHANGED;
}

static int settle(const struct visit *v, struct fault *why)
{
	int r = look(v, why);

	if (r < 0)
		return r;
	switch (share_need(v->watch, now_ms())) {
	case SHARE_NOTHING:
		v->watch->tries = 0;
		v->watch->trouble[0] = '\0';
		return STEP_SAME;
	case SHARE_ASK:
		ask(v);
		if (share_may_mount(&v->watch->result))
			return mount(v, why);
		return STEP_SAME;
	case SHARE_WAIT:
	case SHARE_N_NEEDS:
		break;
	}
	return STEP_SAME;
}

/* The volume's way to the share: there while it is mounted, and never right after a boot. */
static int offer(const struct visit *v, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };

	text_addf(&path, PLAN_MOUNTED_D "%s", v->share->name);
	if (text_error(&path) < 0)
		return fault_errno(why, ENOMEM, "%s", v->share->name);
	return v->watch->mounted
		       ? fs_link(v->node->root, text_str(&path), v->share->mount, why)
		       : fs_remove(v->node->root, text_str(&path), why);
}

static int settle_all(struct node *node, struct sd_bus *bus, struct text *waiting,
		      struct text *reasons, struct fault *why)
{
	int outcome = STEP_SAME;
	size_t i, k = 0;
	int r;

	/* A node without a Kubernetes role mounts none. */
	for (i = 0; i < node->model.n_shares && node->n_shares > 0; i++) {
		const struct model_share *s = &node->model.shares[i];
		struct visit v = { .node = node, .bus = bus, .share = s };

		if (!s->mount)
			continue;
		if (!node->alive(node->data))
			return fault_set(why, ECANCELED, "stopped");
		v.watch = &node->shares[k];
		v.action = apply_find(&node->plan, PLAN_SHARES, UNITS_D, ".mount", k++);
		v.unit = v.action->path + strlen(UNITS_D);
		r = settle(&v, why);
		if (r < 0 || offer(&v, why) < 0)
			return fault_wrap(why, "share '%s'", s->name);
		outcome = r == STEP_CHANGED ? STEP_CHANGED : outcome;
		if (!share_is_fine(v.watch))
			text_addf(waiting, "%s'%s'", waiting->len ? ", " : "", s->name);
		text_addf(reasons, "%s%s: ", reasons->len ? "; " : "", s->name);
		share_tell(v.watch, reasons);
	}
	return outcome;
}

/* Removes what an earlier file asked for. */
static int prepare(struct node *node, struct sd_bus *bus, struct fault *why)
{
	struct units_tick tick = task_tick(node);
	bool changed = false;
	int r = write_files(node, &changed, why);

	if (r >= 0)
		r = stray_shares(node->root, &node->plan, bus, &tick, why);
	if (r < 0)
		return r;
	changed = changed || r == FS_CHANGED;
	r = changed ? units_reload(bus, why) : 0;
	return r < 0 ? r : changed ? STEP_CHANGED : STEP_SAME;
}

int task_shares(struct node *node, struct fault *why)
{
	scoped(drop_bus) struct sd_bus *bus = NULL;
	scoped(text_done) struct text waiting = { 0 };
	scoped(text_done) struct text reasons = { 0 };
	int changed, r;

	node->n_shares = count_units(node);
	if (!node->shares)
		node->shares = calloc(node->n_shares + 1, sizeof(*node->shares));
	if (!node->shares)
		return fault_errno(why, ENOMEM, "shares");
	r = units_open(&bus, why);
	changed = r < 0 ? r : prepare(node, bus, why);
	if (changed < 0)
		return changed;
	r = settle_all(node, bus, &waiting, &reasons, why);
	if (r < 0)
		return r;
	if (waiting.len > 0) {
		fault_set(why, EAGAIN, "%s", text_str(&reasons));
		return step_wait(why, "share%s %s", strchr(text_str(&waiting), ',') ? "s" : "",
				 text_str(&waiting));
	}
	r = r == STEP_CHANGED ? STEP_CHANGED : changed;
	return node->n_shares ? step_say(why, (enum step_result)r, "%s", text_str(&reasons)) : r;
}
