/* SPDX-License-Identifier: MIT */
#include "firstboot/apply.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/seed.h"
#include "registry/server.h"

enum { USERS_MAX = 64 << 10 };

typedef int executor(int root, const struct plan_action *action, const struct seed *seed,
		     struct fault *why);

static int write_file(int root, const struct plan_action *action, const struct seed *seed,
		      struct fault *why)
{
	const char *content = action->content ? action->content : "";

	(void)seed;
	return fs_write(root, action->path, action->mode, content, strlen(content), why);
}

static int write_secret(int root, const struct plan_action *action, const struct seed *seed,
			struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	const struct seed_file *file;

	text_addf(&path, "secrets/%s", action->source);
	if (text_error(&path) < 0)
		return fault_errno(why, text_error(&path), "%s", action->path);
	file = seed_find(seed, text_str(&path));
	if (!file)
		return fault_set(why, ENOENT, "%s: the seed holds no %s", action->path,
				 text_str(&path));
	return fs_write(root, action->path, action->mode, file->data, file->len, why);
}

static int write_filled(int root, const struct plan_action *action, const struct seed *seed,
			struct fault *why)
{
	scoped(text_wipe) struct text content = { 0 };
	int r = plan_fill(action->content, seed, &content, why);

	if (r >= 0 && text_error(&content) < 0)
		r = fault_errno(why, text_error(&content), "memory");
	if (r < 0)
		return fault_wrap(why, "%s", action->path);
	return fs_write(root, action->path, action->mode, text_str(&content), content.len, why);
}

static int make_link(int root, const struct plan_action *action, const struct seed *seed,
		     struct fault *why)
{
	(void)seed;
	return fs_link(root, action->path, action->content, why);
}

static int remove_file(int root, const struct plan_action *action, const struct seed *seed,
		       struct fault *why)
{
	(void)seed;
	return fs_remove(root, action->path, why);
}

/* One of a plan's users: a line of the action, and the password of the seed. */
struct user {
	struct text name, password;
};

static void user_done(struct user *u)
{
	text_done(&u->name);
	text_wipe(&u->password);
}

/* Takes the user at *line and moves *line to the next. A password ends with its line. */
static int next_user(const char **line, const struct seed *seed, struct user *ret,
		     struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	size_t n = strcspn(*line, ":");
	const char *file = *line + n + 1;
	size_t len = strcspn(file, "\n");
	const struct seed_file *found;

	user_done(ret);
	text_add_n(&ret->name, *line, n);
	text_addf(&path, "secrets/%.*s", (int)len, file);
	found = seed_find(seed, text_str(&path));
	if (!found)
		return fault_set(why, ENOENT, "the seed holds no %s", text_str(&path));
	text_add_n(&ret->password, found->data, strcspn(found->data, "\r\n"));
	*line = file + len + (file[len] == '\n');
	if (text_error(&ret->name) < 0 || text_error(&ret->password) < 0)
		return fault_errno(why, ENOMEM, "%s", text_str(&path));
	return 0;
}

static size_t lines(const char *s)
{
	size_t n = 0;

	for (; (s = strchr(s, '\n')); s++)
		n++;
	return n;
}

/* 1 when the file lets in just these users with just these passwords. */
static int users_hold(const char *file, const struct plan_action *action, const struct seed *seed,
		      struct fault *why)
{
	scoped(user_done) struct user user = { 0 };
	const char *line = action->content;
	int r;

	if (lines(file) != lines(line))
		return 0;
	while (*line) {
		r = next_user(&line, seed, &user, why);
		if (r < 0)
			return r;
		if (!registry_htpasswd_holds(file, text_str(&user.name), text_str(&user.password)))
			return 0;
	}
	return 1;
}

/* Salts are drawn anew each time, so what lets in the same users already is left alone. */
static int write_users(int root, const struct plan_action *action, const struct seed *seed,
		       struct fault *why)
{
	scoped(user_done) struct user user = { 0 };
	scoped(text_wipe) struct text have = { 0 };
	scoped(text_wipe) struct text want = { 0 };
	struct fault absent = { 0 };
	const char *line = action->content;
	int r = fs_read(root, action->path, USERS_MAX, &have, &absent);

	r = r < 0 ? 0 : users_hold(text_str(&have), action, seed, why);
	if (r == 1)
		return fs_write(root, action->path, action->mode, have.data, have.len, why);
	while (r == 0 && *line) {
		r = next_user(&line, seed, &user, why);
		if (r == 0)
			r = registry_htpasswd_add(text_str(&user.name), text_str(&user.password),
						  &want, why);
	}
	if (r < 0)
		return fault_wrap(why, "%s", action->path);
	return fs_write(root, action->path, action->mode, text_str(&want), want.len, why);
}

static int pass_over(int root, const struct plan_action *action, const struct seed *seed,
		     struct fault *why)
{
	(void)root;
	(void)action;
	(void)seed;
	(void)why;
	return FS_SAME;
}

static executor *const executors[PLAN_N_KINDS] = {
	[PLAN_FILE] = write_file,      [PLAN_SECRET] = write_secret, [PLAN_TEMPLATE] = write_filled,
	[PLAN_LINK] = make_link,       [PLAN_ABSENT] = remove_file,  [PLAN_OBJECT] = pass_over,
	[PLAN_FIELDS] = pass_over,     [PLAN_FOLDER] = pass_over,    [PLAN_ACCOUNT] = pass_over,
	[PLAN_HTPASSWD] = write_users,
};

int apply_action(int root, const struct plan_action *action, const struct seed *seed,
		 struct fault *why)
{
	return executors[action->kind](root, action, seed, why);
}

int apply_step(int root, const struct plan *plan, enum plan_step step, const struct seed *seed,
	       struct fault *why)
{
	int outcome = FS_SAME;
	size_t i;
	int r;

	for (i = 0; i < plan->n; i++) {
		if (plan->actions[i].step != step)
			continue;
		r = apply_action(root, &plan->actions[i], seed, why);
		if (r < 0)
			return r;
		if (r == FS_CHANGED)
			outcome = FS_CHANGED;
	}
	return outcome;
}

static bool is_content(const struct plan_action *action, enum plan_step step)
{
	return action->step == step && (action->kind == PLAN_FILE || action->kind == PLAN_TEMPLATE);
}

static bool matches(const char *path, const char *prefix, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return strncmp(path, prefix, strlen(prefix)) == 0 && n >= m &&
	       strcmp(path + n - m, suffix) == 0;
}

const struct plan_action *apply_find(const struct plan *plan, enum plan_step step,
				     const char *prefix, const char *suffix, size_t n)
{
	size_t i;

	for (i = 0; i < plan->n; i++)
		if (is_content(&plan->actions[i], step) &&
		    matches(plan->actions[i].path, prefix, suffix) && n-- == 0)
			return &plan->actions[i];
	return NULL;
}
