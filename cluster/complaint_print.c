/* SPDX-License-Identifier: MIT */
#include "cluster/complaint.h"

#include <stdint.h>
#include <string.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"

/* A source line longer than this is shown in part: from CONTEXT characters before the caret on. */
enum { SHOWN_MAX = 120, CONTEXT = 60 };

/* A place in the source that only moves forward, so that printing stays linear. */
struct cursor {
	const char *s, *end;
	unsigned line;
};

static const char *line_end(const struct cursor *at)
{
	const char *s = at->s;

	while (s < at->end && *s != '\n' && *s != '\r')
		s++;
	return s;
}

/* Moves on to the line; false when there is none such. */
static bool seek(struct cursor *at, unsigned line)
{
	while (at->line < line) {
		const char *s = line_end(at);

		if (s == at->end)
			return false;
		at->s = s + (s[0] == '\r' && s + 1 < at->end && s[1] == '\n' ? 2 : 1);
		at->line++;
	}
	return at->line == line && at->s < at->end;
}

/* Adds one character so that it is harmless; returns the bytes it took. */
static size_t add_visible(struct text *out, const char *s, size_t left)
{
	size_t n = text_utf8(s, left);

	if (n == 0)
		text_add(out, "?");
	else if (text_is_control(s, n))
		text_add(out, " ");
	else
		text_add_n(out, s, n);
	return n ? n : 1;
}

static void add_words(struct text *out, const char *s)
{
	size_t left = strlen(s);

	while (left > 0) {
		size_t n = add_visible(out, s, left);

		s += n;
		left -= n;
	}
}

/* The line at the cursor with a caret below its column. */
static void print_source(struct text *out, const struct cursor *at, unsigned column)
{
	const char *end = line_end(at);
	const char *s = at->s;
	unsigned skip = column > SHOWN_MAX - CONTEXT / 2 ? column - CONTEXT : 0;
	unsigned shown = 0, caret = column - skip;
	size_t n;

	/* A byte order mark takes no column. */
	if (at->line == 1 && end - s >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	if (skip > 0) {
		text_add(out, "...");
		caret += 3;
	}
	for (; s < end && skip > 0; skip--) {
		n = text_utf8(s, (size_t)(end - s));
		s += n ? n : 1;
	}
	for (; s < end && shown < SHOWN_MAX; shown++)
		s += add_visible(out, s, (size_t)(end - s));
	text_add(out, s < end ? "...\n" : "\n");
	text_addf(out, "%*s\n", (int)caret, "^");
}

static void print_one(struct text *out, const struct complaint *c, const char *file,
		      struct cursor *at)
{
	static const char *const words[COMPLAINT_N_SEVERITIES] = {
		[COMPLAINT_ERROR] = "error",
		[COMPLAINT_WARNING] = "warning",
	};
	unsigned line = c->mark.line ? c->mark.line : 1;
	unsigned column = c->mark.column ? c->mark.column : 1;

	add_words(out, file);
	text_addf(out, ":%u:%u: %s: ", line, column, words[c->severity]);
	if (c->node) {
		text_add(out, "node '");
		add_words(out, c->node);
		text_add(out, "': ");
	}
	add_words(out, c->message);
	text_add(out, "\n");
	if (seek(at, line))
		print_source(out, at, column);
	if (c->hint) {
		text_add(out, "hint: ");
		add_words(out, c->hint);
		text_add(out, "\n");
	}
}

static const char *truncated_text(const struct complaints *c)
{
	return c->n >= COMPLAINTS_MAX ? "not every complaint is listed: there are too many"
				      : "not every complaint is listed: memory ran out";
}

void complaints_print(const struct complaints *c, const char *file, const char *source, size_t len,
		      struct text *out)
{
	struct cursor start = { .s = source, .end = source + len, .line = 1 };
	struct cursor at = start;
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->list[i].mark.line < at.line)
			at = start;
		print_one(out, &c->list[i], file, &at);
	}
	if (c->truncated) {
		add_words(out, file);
		text_addf(out, ": %s\n", truncated_text(c));
	}
}

static void json_text(struct text *out, const char *key, const char *value)
{
	text_addf(out, ", \"%s\": ", key);
	if (value)
		quote_json(out, value);
	else
		text_add(out, "null");
}

static void json_one(struct text *out, const struct complaint *one, const char *file, bool first)
{
	text_add(out, first ? "\n {\"file\": " : ",\n {\"file\": ");
	quote_json(out, file);
	text_addf(out, ", \"line\": %u, \"column\": %u", one->mark.line ? one->mark.line : 1,
		  one->mark.column ? one->mark.column : 1);
	json_text(out, "severity", one->severity == COMPLAINT_ERROR ? "error" : "warning");
	json_text(out, "node", one->node);
	json_text(out, "code", one->code);
	json_text(out, "message", one->message);
	json_text(out, "hint", one->hint);
	text_add(out, "}");
}

/* An error when one is among what is not listed. */
static void json_truncated(struct text *out, const struct complaints *c, const char *file)
{
	struct complaint one = { .severity = COMPLAINT_WARNING, .code = "truncated" };
	size_t i, n_errors = 0;

	for (i = 0; i < c->n; i++)
		n_errors += c->list[i].severity == COMPLAINT_ERROR;
	if (n_errors < c->n_errors)
		one.severity = COMPLAINT_ERROR;
	one.message = (char *)(uintptr_t)truncated_text(c);
	json_one(out, &one, file, c->n == 0);
}

void complaints_json(const struct complaints *c, const char *file, struct text *out)
{
	size_t i;

	text_add(out, "[");
	for (i = 0; i < c->n; i++)
		json_one(out, &c->list[i], file, i == 0);
	if (c->truncated)
		json_truncated(out, c, file);
	text_add(out, c->n || c->truncated ? "\n]\n" : "]\n");
}
