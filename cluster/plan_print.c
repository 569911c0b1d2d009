/* SPDX-License-Identifier: MIT */
#include "cluster/plan.h"

#include <string.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/plan_parts.h"

void plan_headline(const struct plan_action *a, struct text *out)
{
	/* How a file comes to its bytes shows in the bytes themselves. */
	enum plan_kind kind = a->kind == PLAN_TEMPLATE ? PLAN_FILE : a->kind;

	text_addf(out, "%s %s", plan_kind_name(kind), a->path);
	if (kind == PLAN_FILE || kind == PLAN_SECRET || kind == PLAN_FOLDER ||
	    kind == PLAN_HTPASSWD)
		text_addf(out, " %04o", a->mode & 07777);
	if (kind == PLAN_FOLDER)
		text_addf(out, " %s", a->content);
	if (kind == PLAN_SECRET || kind == PLAN_ACCOUNT)
		text_addf(out, " from secrets/%s", a->source);
	if (kind == PLAN_LINK)
		text_addf(out, " -> %s", a->content);
}

static bool is_filled(const struct plan_action *a)
{
	return a->kind == PLAN_TEMPLATE || a->kind == PLAN_OBJECT || a->kind == PLAN_FIELDS;
}

static bool has_body(const struct plan_action *a)
{
	return a->content && (a->kind == PLAN_FILE || a->kind == PLAN_HTPASSWD || is_filled(a));
}

void plan_body(const struct plan_action *a, struct text *out)
{
	if (a->content && is_filled(a))
		plan_veil(a->content, out);
	else if (has_body(a))
		text_add(out, a->content);
}

void plan_lines(const char *s, const char *prefix, struct text *out)
{
	while (*s) {
		size_t n = strcspn(s, "\n");

		text_add(out, n || prefix[strcspn(prefix, "+-")] ? prefix : "");
		for (; n > 0; n--, s++)
			text_addf(out, "%c", (unsigned char)*s < 0x20 && *s != '\t' ? ' ' : *s);
		text_add(out, "\n");
		s += *s == '\n';
	}
}

void plan_print(const struct plan *p, struct text *out)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		const struct plan_action *a = &p->actions[i];
		scoped(text_done) struct text content = { 0 };

		if (i == 0 || a->step != p->actions[i - 1].step)
			text_addf(out, "%s== step %s\n", i ? "\n" : "", plan_step_name(a->step));
		plan_headline(a, out);
		text_add(out, "\n");
		plan_body(a, &content);
		text_inherit(out, &content);
		plan_lines(text_str(&content), "    ", out);
	}
}

static void member(const char *key, const char *value, struct text *out)
{
	text_addf(out, ", \"%s\": ", key);
	quote_json(out, value);
}

void plan_json(const struct plan *p, struct text *out)
{
	size_t i;

	text_add(out, "[");
	for (i = 0; i < p->n; i++) {
		const struct plan_action *a = &p->actions[i];
		scoped(text_done) struct text content = { 0 };

		text_addf(out, "%s\n  {\"step\": \"%s\", \"kind\": \"%s\"", i ? "," : "",
			  plan_step_name(a->step), plan_kind_name(a->kind));
		member("path", a->path, out);
		if (a->mode)
			text_addf(out, ", \"mode\": \"%04o\"", a->mode & 07777);
		if (a->source)
			member("source", a->source, out);
		if (a->kind == PLAN_FOLDER)
			member("owner", a->content, out);
		if (a->kind == PLAN_LINK)
			member("target", a->content, out);
		plan_body(a, &content);
		text_inherit(out, &content);
		if (has_body(a))
			member("content", text_str(&content), out);
		text_add(out, "}");
	}
	text_add(out, "\n]\n");
}
