/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "firstboot/apply.h"
#include "firstboot/folder.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"
#include "storage/server.h"
#include "storage/share.h"
#include "storage/storage.h"

/*
 * The step of a storage node. Nothing replaces smb.conf that testparm does not accept, and smbd
 * does not start before all that it serves is there (its unit has a condition on READY_PATH).
 */

#define READY_PATH "/run/rackseed/smbd"
#define LOGIN_PATH "/run/rackseed/login"

enum { CONF_MAX = 1 << 20, LOGIN_S = 10 };

static const struct plan_action *next_of(const struct node *node, enum plan_kind kind, size_t *at)
{
	for (; *at < node->plan.n; (*at)++)
		if (node->plan.actions[*at].step == PLAN_STORAGE &&
		    node->plan.actions[*at].kind == kind)
			return &node->plan.actions[(*at)++];
	return NULL;
}

/* testparm is asked only for what is about to replace something. */
static int check_conf(struct node *node, struct fault *why)
{
	const struct plan_action *conf =
		apply_find(&node->plan, PLAN_STORAGE, STORAGE_CONF_PATH, "", 0);
	scoped(text_done) struct text now = { 0 };
	struct fault ignored = { 0 };
	int r;

	/* smbd makes this one itself; testparm, asked before smbd ran, would complain of it. */
	r = fs_mkdirs(node->root, "/run/samba", 0755, why);
	if (r >= 0 && conf &&
	    (fs_read(node->root, conf->path, CONF_MAX, &now, &ignored) < 0 ||
	     strcmp(text_str(&now), conf->content) != 0))
		return storage_server_check(conf->content, why);
	return r < 0 ? r : STEP_SAME;
}

static int write_files(struct node *node, struct fault *why)
{
	return node_apply(node, PLAN_STORAGE, why);
}

/* Linux accounts: the files of all shares belong to one of them. */
static int make_users(struct node *node, struct fault *why)
{
	static const char *const argv[] = { "systemd-sysusers", STORAGE_USERS_PATH, NULL };
	const struct plan_action *account;
	bool missing = false;
	size_t at = 0;
	int r;

	while ((account = next_of(node, PLAN_ACCOUNT, &at)))
		missing = missing || !getpwnam(account->path);
	if (!missing)
		return STEP_SAME;
	r = run(&(struct run){ .argv = argv }, why);
	return r < 0 ? r : STEP_CHANGED;
}

static int make_folders(struct node *node, struct fault *why)
{
	const struct plan_action *folder;
	int outcome = STEP_SAME;
	size_t at = 0;
	int r;

	while ((folder = next_of(node, PLAN_FOLDER, &at))) {
		r = folder_make(node->root, folder->path, folder->mode, folder->content, why);
		if (r < 0)
			return r;
		outcome = r == FS_CHANGED ? STEP_CHANGED : outcome;
	}
	return outcome;
}

static int start_server(struct node *node, bool changed, struct fault *why)
{
	int r = fs_write(node->root, READY_PATH, 0644, "", 0, why);

	return r < 0 ? r : task_unit_up(node, "smbd.service", changed, why);
}

/* The seed's password, one line; Samba's tools are given nothing else. */
static int find_password(const struct node *node, const struct plan_action *account,
			 struct text *out, struct fault *why)
{
	const char *file = node_secret(node, account->source);
	const char *flaw;

	if (!file)
		return fault_set(why, ENOENT, "the seed holds no secrets/%s", account->source);
	text_add_n(out, file, strcspn(file, "\r\n"));
	flaw = text_error(out) < 0 ? "does not fit into memory"
				   : storage_password_flaw(text_str(out));
	return flaw ? fault_set(why, EBADMSG, "secrets/%s %s", account->source, flaw) : 0;
}

/* A login at the running server; the password's file is in memory only, and gone afterwards. */
static int log_in(struct node *node, const char *share, const char *user, const char *password,
		  struct share_result *ret, struct fault *why)
{
	scoped(text_wipe) struct text credentials = { 0 };
	scoped(text_done) struct text address = { 0 };
	struct share_request request = { .timeout_s = LOGIN_S };
	struct fault ignored = { 0 };
	int r = 0;

	text_addf(&address, "//127.0.0.1/%s", share);
	if (user) {
		storage_credentials(user, password, &credentials);
		if (text_error(&credentials) < 0)
			return fault_errno(why, ENOMEM, "share '%s'", share);
		r = fs_write(node->root, LOGIN_PATH, 0600, text_str(&credentials), credentials.len,
			     why);
		request.credentials = LOGIN_PATH;
	}
	request.share = text_str(&address);
	if (r >= 0)
		r = share_probe(TASK_SHARE_PROGRAM, &request, ret, why);
	if (user && fs_remove(node->root, LOGIN_PATH, &ignored) < 0 && r >= 0)
		r = fault_wrap(&ignored, "%s", LOGIN_PATH);
	return r;
}

static bool is_usable(const struct share_result *result)
{
	return result->code == SHARE_OK || result->code == SHARE_FULL;
}

/* Where guests are let in, a user without an account is taken for one, who cannot sign. */
static bool is_stranger(const struct share_result *result)
{
	return result->code == SHARE_WRONG_PASSWORD || result->code == SHARE_SIGNING_REFUSED;
}

/* Proves that the share can be used as the file says; sets the password where it does not. */
static int verify(struct node *node, const struct model_share *s, struct fault *why)
{
	const struct plan_action *account = NULL;
	scoped(text_wipe) struct text password = { 0 };
	struct share_result result = { 0 };
	int outcome = STEP_SAME;
	size_t at = 0;
	int r = 0;

	while (s->user && (account = next_of(node, PLAN_ACCOUNT, &at)))
		if (strcmp(account->path, s->user) == 0)
			break;
	if (account)
		r = find_password(node, account, &password, why);
	if (r >= 0)
		r = log_in(node, s->name, s->user, text_str(&password), &result, why);
	if (r >= 0 && account && is_stranger(&result)) {
		outcome = STEP_CHANGED;
		r = storage_server_account(NULL, s->user, text_str(&password), why);
		if (r >= 0)
			r = log_in(node, s->name, s->user, text_str(&password), &result, why);
	}
	if (r >= 0 && !is_usable(&result))
		r = fault_set(why, EREMOTEIO, "%s: %s", share_code_name(result.code),
			      result.reason);
	return r < 0 ? fault_wrap(why, "share '%s'", s->name) : outcome;
}

static int verify_all(struct node *node, struct fault *why)
{
	int outcome = STEP_SAME;
	size_t i;
	int r;

	for (i = 0; i < node->model.n_shares; i++) {
		const struct model_share *s = &node->model.shares[i];

		if (!s->node || strcmp(s->node, node->self->name) != 0)
			continue;
		if (!node->alive(node->data))
			return fault_set(why, ECANCELED, "stopped");
		r = verify(node, s, why);
		if (r < 0)
			return r;
		outcome = r == STEP_CHANGED ? STEP_CHANGED : outcome;
	}
	return outcome;
}

static bool is_planned(const struct node *node, const char *name, size_t len)
{
	const struct plan_action *account;
	size_t at = 0;

	while ((account = next_of(node, PLAN_ACCOUNT, &at)))
		if (strlen(account->path) == len && strncmp(account->path, name, len) == 0)
			return true;
	return false;
}

/* Whoever the file does not name any more must not get in. */
static int remove_others(struct node *node, struct fault *why)
{
	scoped(text_done) struct text names = { 0 };
	int outcome = STEP_SAME;
	int r = storage_server_accounts(NULL, &names, why);
	const char *name;
	size_t n;

	for (name = text_str(&names); r >= 0 && *name; name += n + (name[n] == '\n')) {
		scoped(text_done) struct text one = { 0 };

		n = strcspn(name, "\n");
		if (n == 0 || is_planned(node, name, n))
			continue;
		text_add_n(&one, name, n);
		r = text_error(&one) < 0 ? fault_errno(why, ENOMEM, "accounts")
					 : storage_server_account_remove(NULL, text_str(&one), why);
		outcome = STEP_CHANGED;
	}
	return r < 0 ? r : outcome;
}

int task_storage(struct node *node, struct fault *why)
{
	static int (*const before[])(struct node *, struct fault *) = { check_conf, write_files,
									make_users, make_folders };
	static int (*const after[])(struct node *, struct fault *) = { remove_others, verify_all };
	bool changed = false;
	size_t i;
	int r = 0;

	if (!(node->self->roles & MODEL_STORAGE))
		return STEP_SAME;
	for (i = 0; i < COUNT(before) && r >= 0; i++) {
		r = before[i](node, why);
		changed = changed || r == STEP_CHANGED;
	}
	if (r >= 0)
		r = start_server(node, changed, why);
	changed = changed || r == STEP_CHANGED;
	for (i = 0; i < COUNT(after) && r >= 0; i++) {
		r = after[i](node, why);
		changed = changed || r == STEP_CHANGED;
	}
	return r < 0 ? r : changed ? STEP_CHANGED : STEP_SAME;
}
