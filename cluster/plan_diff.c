/* SPDX-License-Identifier: MIT */
#include "cluster/plan.h"

#include <string.h>

#include "base/macros.h"
#include "base/text.h"
#include "cluster/plan_parts.h"

/* The action of the same path; they mostly stand at the same place, so the search begins there. */
static const struct plan_action *find(const struct plan *p, const char *path, size_t hint)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		const struct plan_action *a = &p->actions[(hint + i) % p->n];

		if (strcmp(a->path, path) == 0)
			return a;
	}
	return NULL;
}

/* How many bytes at the beginning, in whole lines, are the same. */
static size_t common_head(const char *a, const char *b)
{
	size_t i, n = 0;

	for (i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '\n')
			n = i + 1;
	return n;
}

/* The same for the end; a and b are NUL-terminated, and begin where a line does. */
static size_t common_tail(const char *a, size_t n_a, const char *b, size_t n_b)
{
	size_t i, n = 0;

	for (i = 0; i < n_a && i < n_b && a[n_a - i - 1] == b[n_b - i - 1]; i++)
		if (a[n_a - i - 1] == '\n' && i > 0)
			n = i;
	/* All of the shorter one: whole lines only if the longer has a line's end before it. */
	if (i == n_a && (i == n_b || b[n_b - i - 1] == '\n'))
		n = i;
	if (i == n_b && i < n_a && a[n_a - i - 1] == '\n')
		n = i;
	return n;
}

static void diff_lines(const char *before, const char *after, struct text *out)
{
	size_t head = common_head(before, after);
	size_t n_before, n_after, tail;
	scoped(text_done) struct text removed = { 0 };
	scoped(text_done) struct text added = { 0 };

	before += head;
	after += head;
	n_before = strlen(before);
	n_after = strlen(after);
	tail = common_tail(before, n_before, after, n_after);
	text_add_n(&removed, before, n_before - tail);
	text_add_n(&added, after, n_after - tail);
	text_inherit(out, &removed);
	text_inherit(out, &added);
	plan_lines(text_str(&removed), "    -", out);
	plan_lines(text_str(&added), "    +", out);
}

/* Either may be NULL: it is not there. */
static void diff_action(const struct plan_action *before, const struct plan_action *after,
			struct text *out)
{
	scoped(text_done) struct text old_head = { 0 };
	scoped(text_done) struct text new_head = { 0 };
	scoped(text_done) struct text old_body = { 0 };
	scoped(text_done) struct text new_body = { 0 };
	const char *word = !before ? "added" : !after ? "removed" : "changed";

	if (before) {
		plan_headline(before, &old_head);
		plan_body(before, &old_body);
	}
	if (after) {
		plan_headline(after, &new_head);
		plan_body(after, &new_body);
	}
	text_inherit(out, &old_head);
	text_inherit(out, &new_head);
	text_inherit(out, &old_body);
	text_inherit(out, &new_body);
	if (strcmp(text_str(&old_head), text_str(&new_head)) == 0 &&
	    strcmp(text_str(&old_body), text_str(&new_body)) == 0)
		return;
	text_addf(out, "%s %s\n", word, text_str(after ? &new_head : &old_head));
	diff_lines(text_str(&old_body), text_str(&new_body), out);
}

void plan_diff(const struct plan *before, const struct plan *after, struct text *out)
{
	size_t i;

	for (i = 0; i < after->n; i++)
		diff_action(find(before, after->actions[i].path, i), &after->actions[i], out);
	for (i = 0; i < before->n; i++)
		if (!find(after, before->actions[i].path, i))
			diff_action(&before->actions[i], NULL, out);
}
