/* SPDX-License-Identifier: MIT */
#include "base/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/quote.h"
#include "base/text.h"

void yaml_done(struct yaml *y)
{
	size_t i;

	for (i = 0; i < y->n_items; i++)
		yaml_done(&y->items[i]);
	free(y->items);
	free(y->text);
	*y = (struct yaml){ 0 };
}

const struct yaml *yaml_get(const struct yaml *y, const char *key)
{
	size_t i;

	if (!y || y->kind != YAML_MAPPING)
		return NULL;
	for (i = 0; i + 1 < y->n_items; i += 2)
		if (strcmp(y->items[i].text, key) == 0)
			return &y->items[i + 1];
	return NULL;
}

const char *yaml_text(const struct yaml *y)
{
	return y && y->kind == YAML_SCALAR ? y->text : NULL;
}

/* Equal keys come out in the order of the file, which is that of their addresses. */
static int compare_place(const struct yaml *a, const struct yaml *b)
{
	return (a > b) - (a < b);
}

static int compare_exact(const void *a, const void *b)
{
	const struct yaml *const *x = a, *const *y = b;
	int r = strcmp((*x)->text, (*y)->text);

	return r ? r : compare_place(*x, *y);
}

static int compare_fold(const void *a, const void *b)
{
	const struct yaml *const *x = a, *const *y = b;
	int r = strcasecmp((*x)->text, (*y)->text);

	return r ? r : compare_place(*x, *y);
}

int yaml_twice(const struct yaml *mapping, bool fold,
	       void (*found)(const struct yaml *again, const struct yaml *first, void *data),
	       void *data)
{
	size_t n = mapping->kind == YAML_MAPPING ? mapping->n_items / 2 : 0;
	const struct yaml **keys;
	const struct yaml *first;
	size_t i;

	if (n < 2)
		return 0;
	keys = calloc(n, sizeof(const struct yaml *));
	if (!keys)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		keys[i] = &mapping->items[2 * i];
	qsort(keys, n, sizeof(const struct yaml *), fold ? compare_fold : compare_exact);
	first = keys[0];
	for (i = 1; i < n; i++) {
		int (*same)(const char *, const char *) = fold ? strcasecmp : strcmp;

		if (same(first->text, keys[i]->text) == 0)
			found(keys[i], first, data);
		else
			first = keys[i];
	}
	free(keys);
	return 0;
}

/* Whether the scalar may stand without quotes: only where every reader of YAML sees the same. */
static bool goes_plain(const struct yaml *y)
{
	static const char middle[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		"_./+-:";
	size_t n = strlen(y->text);

	return y->plain && n > 0 && n < 200 && strspn(y->text, middle) == n &&
	       !strchr(":-", y->text[0]) && y->text[n - 1] != ':' && strcmp(y->text, "...") != 0;
}

static void emit_scalar(const struct yaml *y, struct text *out)
{
	if (y->kind == YAML_NULL)
		text_add(out, "null");
	else if (goes_plain(y))
		text_add(out, y->text);
	else
		quote_yaml(out, y->text);
}

static void emit_value(const struct yaml *y, unsigned indent, struct text *out);

/* What stands behind "- " or "key:": on the same line when short, else on lines of its own. */
static void emit_behind(const struct yaml *y, unsigned indent, struct text *out)
{
	if (y->n_items > 0) {
		text_add(out, "\n");
		emit_value(y, indent, out);
		return;
	}
	text_add(out, " ");
	emit_value(y, 0, out);
}

/* A key that is long needs the explicit form: an implicit one ends within 1024 characters. */
static void emit_key(const struct yaml *key, unsigned indent, struct text *out)
{
	enum { MAX_IMPLICIT = 160 }; /* each character may become six */
	bool is_long = strlen(key->text) > MAX_IMPLICIT;

	text_addf(out, "%*s%s", (int)indent, "", is_long ? "? " : "");
	emit_scalar(key, out);
	if (is_long)
		text_addf(out, "\n%*s", (int)indent, "");
	text_add(out, ":");
}

static void emit_value(const struct yaml *y, unsigned indent, struct text *out)
{
	size_t i;

	if (y->n_items == 0) {
		text_addf(out, "%*s", (int)indent, "");
		if (y->kind == YAML_MAPPING || y->kind == YAML_SEQUENCE)
			text_add(out, y->kind == YAML_MAPPING ? "{}" : "[]");
		else
			emit_scalar(y, out);
		text_add(out, "\n");
	}
	for (i = 0; i < y->n_items; i += y->kind == YAML_MAPPING ? 2 : 1) {
		if (y->kind == YAML_MAPPING)
			emit_key(&y->items[i], indent, out);
		else
			text_addf(out, "%*s-", (int)indent, "");
		emit_behind(&y->items[y->kind == YAML_MAPPING ? i + 1 : i], indent + 2, out);
	}
}

void yaml_emit(const struct yaml *y, unsigned indent, struct text *out)
{
	emit_value(y, indent, out);
}
