/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "firstboot/apply.h"
#include "firstboot/nft.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"

/*
 * The file holds the last rule set that the kernel took: it is written after the loading, and not
 * before. What the kernel made of it is noted below /run, so that a later look sees whether
 * somebody has flushed or changed the table.
 */

#define NOTE_PATH "run/rackseed/firewall"

enum { RULES_MAX = 16 << 20 };

/* The rules with the kernel's account of them. */
static int account(const char *rules, struct text *out, struct fault *why)
{
	text_add(out, rules);
	return nft_list(rules, out, why);
}

static bool holds(int root, const char *path, const char *content)
{
	scoped(text_done) struct text now = { 0 };
	struct fault ignored = { 0 };

	return fs_read(root, path, RULES_MAX, &now, &ignored) >= 0 &&
	       strcmp(text_str(&now), content) == 0;
}

static bool is_in_force(int root, const char *rules)
{
	scoped(text_done) struct text now = { 0 };
	struct fault ignored = { 0 };

	return account(rules, &now, &ignored) >= 0 && holds(root, NOTE_PATH, text_str(&now));
}

static int note(int root, const char *rules, struct fault *why)
{
	scoped(text_done) struct text now = { 0 };
	int r = account(rules, &now, why);

	return r < 0 ? r : fs_write(root, NOTE_PATH, 0600, text_str(&now), now.len, why);
}

/* What stands after rules were refused: *why tells of both. */
static void fall_back(int root, const char *path, const char *refused, struct fault *why)
{
	scoped(text_done) struct text last = { 0 };
	struct fault ignored = { 0 };
	const char *outcome = "no rule set is known to be good";
	int r = fs_read(root, path, RULES_MAX, &last, &ignored);

	if (r >= 0 && strcmp(text_str(&last), refused) != 0) {
		r = nft_load(text_str(&last), &ignored);
		if (r >= 0)
			r = note(root, text_str(&last), &ignored);
		if (r >= 0)
			outcome = "the last good rule set stays in force";
	}
	fault_wrap(why, "%s", outcome);
}

static int put_in_force(int root, const struct plan_action *rules, struct fault *why)
{
	int r = nft_load(rules->content, why);

	if (r < 0) {
		fall_back(root, rules->path, rules->content, why);
		return r;
	}
	r = note(root, rules->content, why);
	return r < 0 ? r : FS_CHANGED;
}

/* What was done to rules that this boot has loaded before; NULL when it has not. */
static const char *deed(int root, const char *rules)
{
	scoped(text_done) struct text noted = { 0 };
	scoped(text_done) struct text now = { 0 };
	struct fault ignored = { 0 };

	if (fs_read(root, NOTE_PATH, RULES_MAX, &noted, &ignored) < 0 ||
	    strncmp(text_str(&noted), rules, strlen(rules)) != 0)
		return NULL;
	return nft_list(rules, &now, &ignored) < 0 ? "somebody had taken them away"
						   : "somebody had changed them";
}

/* It stays in the status until the service ends: who looks a minute later shall see it, too. */
static void remember(struct node *node, const char *deed)
{
	time_t now = time(NULL);
	struct tm tm;
	size_t n;

	node->firewall[0] = '\0';
	if (!deed || !gmtime_r(&now, &tm))
		return;
	n = strftime(node->firewall, sizeof(node->firewall), "loaded again %F %T UTC: ", &tm);
	snprintf(node->firewall + n, sizeof(node->firewall) - n, "%s", deed);
}

int task_firewall(struct node *node, struct fault *why)
{
	const struct plan_action *rules = apply_find(&node->plan, PLAN_FIREWALL, "", ".nft", 0);
	int changed = FS_SAME;
	int r;

	if (rules && !is_in_force(node->root, rules->content)) {
		remember(node, deed(node->root, rules->content));
		changed = put_in_force(node->root, rules, why);
	}
	r = changed < 0 ? changed : node_apply(node, PLAN_FIREWALL, why);
	if (r < 0)
		return r;
	r |= changed;
	return node->firewall[0] ? step_say(why, r, "%s", node->firewall) : r;
}
