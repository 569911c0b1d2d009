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
	[PLAN_FILE] = write_file,  [PLAN_SECRET] = write_secret, [PLAN_TEMPLATE] = write_filled,
	[PLAN_LINK] = make_link,   [PLAN_ABSENT] = remove_file,	 [PLAN_OBJECT] = pass_over,
	[PLAN_FIELDS] = pass_over, [PLAN_FOLDER] = pass_over,	 [PLAN_ACCOUNT] = pass_over,
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
