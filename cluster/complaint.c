/* SPDX-License-Identifier: MIT */
#include "cluster/complaint.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"

enum { MESSAGE_MAX = 400 };

static void complaint_done(struct complaint *c)
{
	free(c->node);
	free(c->message);
	free(c->hint);
}

void complaints_done(struct complaints *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		complaint_done(&c->list[i]);
	free(c->list);
	*c = (struct complaints){ 0 };
}

void complaints_exhausted(struct complaints *c)
{
	if (!c->truncated)
		c->n_errors++;
	c->truncated = true;
}

static bool is_known(const struct complaints *c, struct model_mark mark, const char *code,
		     const char *message)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->list[i].mark.line == mark.line && c->list[i].mark.column == mark.column &&
		    strcmp(c->list[i].code, code) == 0 && strcmp(c->list[i].message, message) == 0)
			return true;
	return false;
}

/* A copy of at most MESSAGE_MAX bytes of whole characters: "%.64s" may have cut one in two. */
static char *cut_copy(const char *s)
{
	scoped(text_done) struct text copy = { 0 };
	size_t left = strlen(s);

	while (left > 0 && copy.len < MESSAGE_MAX) {
		size_t n = text_utf8(s, left);

		text_add_n(&copy, s, n);
		n = n ? n : 1;
		s += n;
		left -= n;
	}
	if (left > 0)
		text_add(&copy, "...");
	return text_take(&copy);
}

static bool is_code(const char *code)
{
	const char *const *known;

	for (known = complaint_codes; *known; known++)
		if (strcmp(*known, code) == 0)
			return true;
	return false;
}

/* Room for one more, or false. */
static bool grow(struct complaints *c)
{
	size_t size = c->size ? 2 * c->size : 16;
	struct complaint *list;

	if (c->n < c->size)
		return true;
	list = reallocarray(c->list, size, sizeof(*list));
	if (!list)
		return false;
	c->list = list;
	c->size = size;
	return true;
}

static void add(struct complaints *c, struct complaint *new)
{
	if (!new->message || is_known(c, new->mark, new->code, new->message)) {
		if (!new->message)
			complaints_exhausted(c);
		complaint_done(new);
		return;
	}
	if (!grow(c)) {
		complaints_exhausted(c);
		complaint_done(new);
		return;
	}
	c->n_errors += new->severity == COMPLAINT_ERROR;
	c->list[c->n++] = *new;
}

void complaint_add(struct complaints *c, enum complaint_severity severity, struct model_mark mark,
		   const char *code, const char *node, const char *hint, const char *format, ...)
{
	struct complaint new = { .severity = severity, .mark = mark, .code = code };
	char part[1024];
	va_list ap;

	assert(is_code(code));
	if (c->n >= COMPLAINTS_MAX) {
		c->n_errors += severity == COMPLAINT_ERROR;
		c->truncated = true;
		return;
	}
	/* A value may have megabytes; more than the buffer holds is cut anyway. */
	va_start(ap, format);
	vsnprintf(part, sizeof(part), format, ap);
	va_end(ap);
	new.message = cut_copy(part);
	new.node = node ? cut_copy(node) : NULL;
	new.hint = hint ? cut_copy(hint) : NULL;
	if ((node && !new.node) || (hint && !new.hint))
		complaints_exhausted(c);
	add(c, &new);
}

static int compare(const void *a, const void *b)
{
	const struct complaint *x = a, *y = b;

	if (x->mark.line != y->mark.line)
		return x->mark.line < y->mark.line ? -1 : 1;
	if (x->mark.column != y->mark.column)
		return x->mark.column < y->mark.column ? -1 : 1;
	if (x->severity != y->severity)
		return x->severity < y->severity ? -1 : 1;
	if (strcmp(x->code, y->code) != 0)
		return strcmp(x->code, y->code);
	return strcmp(x->message, y->message);
}

void complaints_sort(struct complaints *c)
{
	if (c->n > 1)
		qsort(c->list, c->n, sizeof(*c->list), compare);
}

/* ---- did you mean ---- */

enum { WORD_MAX = 64 };

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment: insert, delete, replace, swap neighbours. Both have at most WORD_MAX.
 */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];
	size_t i, j;

	for (j = 0; j <= m; j++)
		above[j] = (unsigned)j;
	for (i = 1; i <= n; i++) {
		unsigned *spare = before;

		row[0] = (unsigned)i;
		for (j = 1; j <= m; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1,
				       above[j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1, row[j]);
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[m];
}

void complaint_guess_try(struct complaint_guess *guess, const char *candidate)
{
	size_t n = strlen(guess->word), m = strlen(candidate);
	size_t apart = n < m ? m - n : n - m;
	unsigned limit = n < 6 ? 1 : n < 10 ? 2 : 3;
	unsigned d;

	if (n > WORD_MAX || m > WORD_MAX || apart > limit)
		return;
	d = distance(guess->word, n, candidate, m);
	/* Nothing of a short word may be left over: "a" is not meant by "b". */
	if (d > limit || d >= n || (guess->best && d >= guess->distance))
		return;
	guess->best = candidate;
	guess->distance = d;
}
