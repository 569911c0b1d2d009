/* SPDX-License-Identifier: MIT */
#include "cluster/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"

static void *field(void *object, const struct parse_key *key)
{
	return (char *)object + key->offset;
}

PARSE_READER(parse_submapping)
{
	bool empty = y->kind == YAML_NULL && !key->required;

	/* A section whose lines are all commented out is as good as none. */
	if (!empty && parse_expect(p, y, YAML_MAPPING))
		parse_mapping(p, y, y, key->table, field(object, key));
}

static void bad_form(struct parse *p, const struct yaml *y, const struct parse_form *form)
{
	parse_complain(p, y, form->code, form->hint, "%s: '%.128s' is not %s", p->key, y->text,
		       form->what);
}

PARSE_READER(parse_text)
{
	const char *s = parse_scalar(p, y);

	if (!s)
		return;
	if (!key->form->ok(s)) {
		bad_form(p, y, key->form);
		parse_unmark(key, object);
	}
	*(char **)field(object, key) = parse_copy(p, s);
}

PARSE_READER(parse_texts)
{
	struct model_mark *marks = NULL;
	char **list;
	size_t n = 0;
	size_t i;

	if (y->kind == YAML_SCALAR) {
		parse_complain(p, y, "type", "put it into brackets: [ ]", "%s must be a list",
			       p->key);
		return;
	}
	if (y->kind != YAML_NULL && !parse_expect(p, y, YAML_SEQUENCE))
		return;
	list = parse_alloc(p, y->n_items + 1, sizeof(*list));
	*(char ***)field(object, key) = list;
	if (key->mark) {
		marks = parse_alloc(p, y->n_items + 1, sizeof(*marks));
		*(struct model_mark **)((char *)object + key->mark) = marks;
	}
	for (i = 0; i < y->n_items && list; i++) {
		const char *s = parse_scalar(p, &y->items[i]);

		if (s && !key->form->ok(s)) {
			bad_form(p, &y->items[i], key->form);
			s = NULL;
		}
		if (s && marks)
			marks[n] = parse_mark(&y->items[i]);
		if (s)
			list[n] = parse_copy(p, s);
		n += s && list[n];
	}
}

PARSE_READER(parse_one_word)
{
	const char *s = parse_scalar(p, y);
	struct complaint_guess guess = { .word = s };
	scoped(text_done) struct text hint = { 0 };
	const struct parse_word *w;

	if (!s)
		return;
	for (w = key->words->list; w->word; w++) {
		if (strcmp(w->word, s) == 0) {
			*(unsigned *)field(object, key) = w->value;
			return;
		}
		complaint_guess_try(&guess, w->word);
	}
	parse_unmark(key, object);
	if (guess.best)
		text_addf(&hint, "did you mean '%s'?", guess.best);
	for (w = key->words->list; w->word && !guess.best; w++)
		text_addf(&hint, "%s%s", w == key->words->list ? "one of: " : ", ", w->word);
	parse_complain(p, y, key->words->code, parse_hint(p, &hint), "%s: there is no '%.128s'",
		       p->key, s);
}

PARSE_READER(parse_bool)
{
	static const char *const yes[] = { "true", "yes", "on", "y", "1" };
	bool *ret = field(object, key);
	size_t i;
	const char *s = parse_scalar(p, y);

	if (!s)
		return;
	if (!y->plain || (strcmp(s, "true") != 0 && strcmp(s, "false") != 0))
		parse_complain(p, y, "boolean-form", "write true or false, without quotes",
			       "%s: '%.128s' is neither true nor false", p->key, s);
	/* What was meant is taken, so that no complaint follows from this one. */
	for (i = 0; i < COUNT(yes); i++)
		*ret = *ret || strcasecmp(s, yes[i]) == 0;
}

/* Digits alone, at most 18 of them. */
static bool read_digits(const char *s, size_t n, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i;

	if (n == 0 || n > 18)
		return false;
	for (i = 0; i < n; i++) {
		if (!isdigit((unsigned char)s[i]))
			return false;
		value = value * 10 + (uint64_t)(s[i] - '0');
	}
	*ret = value;
	return true;
}

static void read_whole(struct parse *p, const struct yaml *y, unsigned least, unsigned most,
		       unsigned *ret)
{
	const char *s = parse_scalar(p, y);
	uint64_t value;

	if (!s)
		return;
	if (!read_digits(s, strlen(s), &value) || value < least || value > most)
		parse_complain(p, y, "number-form", NULL,
			       "%s: '%.128s' is not a whole number from %u to %u", p->key, s, least,
			       most);
	else
		*ret = (unsigned)value;
}

PARSE_READER(parse_count)
{
	read_whole(p, y, 1, 4096, field(object, key));
}

PARSE_READER(parse_id)
{
	read_whole(p, y, 0, UINT32_MAX - 1, field(object, key)); /* the last is "no user" */
}

static const struct {
	const char *unit;
	uint64_t bytes;
} units[] = {
	{ .unit = "Ki", .bytes = 1ull << 10 },	 { .unit = "Mi", .bytes = 1ull << 20 },
	{ .unit = "Gi", .bytes = 1ull << 30 },	 { .unit = "Ti", .bytes = 1ull << 40 },
	{ .unit = "Pi", .bytes = 1ull << 50 },	 { .unit = "k", .bytes = 1000 },
	{ .unit = "M", .bytes = 1000000 },	 { .unit = "G", .bytes = 1000000000 },
	{ .unit = "T", .bytes = 1000000000000 }, { .unit = "P", .bytes = 1000000000000000 },
};

/* What somebody who wrote "8GB", "8 g" or "8gib" wants: the unit in its right spelling. */
static const char *meant_unit(const char *s)
{
	size_t i;
	bool binary;

	s += strspn(s, " ");
	binary = (s[0] && (s[1] | 0x20) == 'i') || !s[0] || (islower((unsigned char)s[0]) && !s[1]);
	if (!s[0])
		return "Gi";
	for (i = 0; i < COUNT(units); i++)
		if ((units[i].unit[0] | 0x20) == (s[0] | 0x20) &&
		    (units[i].unit[1] == 'i') == binary)
			return units[i].unit;
	return NULL;
}

static void bad_size(struct parse *p, const struct yaml *y, size_t n_digits)
{
	scoped(text_done) struct text hint = { 0 };
	const char *rest = y->text + n_digits;
	const char *unit = n_digits ? meant_unit(rest) : NULL;

	if (n_digits && unit && strlen(rest) <= 4)
		text_addf(&hint, "write %.*s%s", (int)n_digits, y->text, unit);
	else
		text_add(&hint, "a whole number with a unit, such as 512Mi, 8Gi or 40G");
	parse_complain(p, y, "size-form", parse_hint(p, &hint), "%s: '%.128s' is not a size%s",
		       p->key, y->text, n_digits && !*rest ? ": it has no unit" : "");
}

PARSE_READER(parse_size)
{
	const char *s = parse_scalar(p, y);
	size_t n = s ? strspn(s, "0123456789") : 0;
	uint64_t number, *ret = field(object, key);
	size_t i;

	if (!s)
		return;
	for (i = 0; i < COUNT(units); i++)
		if (strcmp(s + n, units[i].unit) == 0)
			break;
	if (i == COUNT(units) || !read_digits(s, n, &number))
		bad_size(p, y, n);
	else if (number == 0 || __builtin_mul_overflow(number, units[i].bytes, ret) ||
		 *ret > INT64_MAX)
		parse_complain(p, y, "size-form", NULL, "%s: '%.128s' is %s", p->key, s,
			       number == 0 ? "nothing" : "beyond all measure");
}

/* "1.36" or "1.36.2" from s; false for anything else. */
static bool read_version(const char *s, struct model_version *ret)
{
	int *const parts[] = { &ret->major, &ret->minor, &ret->patch };
	uint64_t value;
	size_t i;

	ret->patch = -1;
	for (i = 0; i < COUNT(parts); i++) {
		size_t n = strcspn(s, ".");

		if (n > 4 || !read_digits(s, n, &value) || (n > 1 && *s == '0'))
			return false;
		*parts[i] = (int)value;
		s += n;
		if (!*s)
			return i > 0;
		s++;
	}
	return false;
}

PARSE_READER(parse_version)
{
	const char *s = parse_scalar(p, y);
	struct model_version *ret = field(object, key);
	struct model_version v = { 0 };

	if (!s)
		return;
	if (*s == 'v' && read_version(s + 1, &v)) {
		scoped(text_done) struct text hint = { 0 };

		text_addf(&hint, "write \"%s\"", s + 1);
		parse_complain(p, y, "version-form", parse_hint(p, &hint),
			       "%s: '%s' has a letter in front", p->key, s);
	} else if (!read_version(s, &v)) {
		parse_complain(p, y, "version-form",
			       "a minor version such as \"1.36\", or an exact one such as "
			       "\"1.36.2\"",
			       "%s: '%.128s' is not a version of Kubernetes", p->key, s);
		return;
	}
	if (v.major != 1 || v.minor < 17)
		parse_complain(p, y, "version-range", "1.17 and newer are known",
			       "%s: Kubernetes '%s' is %s", p->key, s,
			       v.major > 1 ? "not known" : "too old");
	*ret = v;
}
