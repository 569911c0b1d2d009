/* SPDX-License-Identifier: MIT */
#include "cluster/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"

struct model_mark parse_mark(const struct yaml *y)
{
	return (struct model_mark){ .line = y->line, .column = y->column };
}

const char *parse_hint(struct parse *p, const struct text *hint)
{
	if (text_error(hint) < 0)
		p->error = -ENOMEM;
	return text_str(hint);
}

void parse_complain(struct parse *p, const struct yaml *y, const char *code, const char *hint,
		    const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (p->part)
		complaint_add(p->c, COMPLAINT_ERROR, parse_mark(y), code, p->node, hint,
			      "%s '%.128s': %s", p->part, p->name, text);
	else
		complaint_add(p->c, COMPLAINT_ERROR, parse_mark(y), code, p->node, hint, "%s",
			      text);
}

void *parse_alloc(struct parse *p, size_t n, size_t size)
{
	void *memory = calloc(n ? n : 1, size);

	if (!memory)
		p->error = -ENOMEM;
	return memory;
}

char *parse_copy(struct parse *p, const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		p->error = -ENOMEM;
	return copy;
}

void parse_unmark(const struct parse_key *key, void *object)
{
	if (key->mark)
		*(struct model_mark *)((char *)object + key->mark) = (struct model_mark){ 0 };
}

static const char *kind_name(enum yaml_kind kind)
{
	static const char *const names[] = {
		[YAML_NULL] = "nothing",
		[YAML_SCALAR] = "a single value",
		[YAML_SEQUENCE] = "a list",
		[YAML_MAPPING] = "a mapping",
	};

	return names[kind];
}

bool parse_expect(struct parse *p, const struct yaml *y, enum yaml_kind kind)
{
	if (y->kind == kind)
		return true;
	if (y->kind == YAML_NULL)
		parse_complain(p, y, "value-missing", "give it a value, or leave the key out",
			       "%s has no value", p->key);
	else
		parse_complain(p, y, "type", NULL, "%s must be %s, this is %s", p->key,
			       kind_name(kind), kind_name(y->kind));
	return false;
}

const char *parse_scalar(struct parse *p, const struct yaml *y)
{
	return parse_expect(p, y, YAML_SCALAR) ? y->text : NULL;
}

struct twice {
	struct parse *p;
	const char *code;
};

static void found_twice(const struct yaml *again, const struct yaml *first, void *data)
{
	const struct twice *twice = data;

	parse_complain(twice->p, again, twice->code, NULL,
		       "'%.128s' is given twice%s%.128s%s; it stands in line %u already",
		       again->text, strcmp(again->text, first->text) ? " (as '" : "",
		       strcmp(again->text, first->text) ? first->text : "",
		       strcmp(again->text, first->text) ? "')" : "", first->line);
}

void parse_twice(struct parse *p, const struct yaml *y, bool fold, const char *code)
{
	struct twice twice = { .p = p, .code = code };

	if (yaml_twice(y, fold, found_twice, &twice) < 0)
		p->error = -ENOMEM;
}

static const struct parse_key *find_key(const struct parse_table *table, const char *name)
{
	const struct parse_key *key;

	for (key = table->keys; key->name; key++)
		if (strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

/* Returns the key that was probably meant, or NULL. */
static const struct parse_key *unknown_key(struct parse *p, const struct yaml *y,
					   const struct parse_table *table)
{
	struct complaint_guess guess = { .word = y->text };
	scoped(text_done) struct text hint = { 0 };
	const struct parse_key *key;

	for (key = table->keys; key->name && !p->c->truncated; key++)
		complaint_guess_try(&guess, key->name);
	if (guess.best)
		text_addf(&hint, "did you mean '%s'?", guess.best);
	for (key = table->keys; key->name && !guess.best; key++)
		text_addf(&hint, "%s%s", key == table->keys ? "the keys here are: " : ", ",
			  key->name);
	parse_complain(p, y, "key-unknown", parse_hint(p, &hint), "'%.128s' is not a key of %s",
		       y->text, table->what);
	return guess.best ? find_key(table, guess.best) : NULL;
}

static void read_pair(struct parse *p, const struct yaml *pair, const struct parse_key *key,
		      void *object)
{
	const char *outer = p->key;

	p->key = key->name;
	/* A list's mark is an array that its reader makes. */
	if (key->mark && key->read != parse_texts)
		*(struct model_mark *)((char *)object + key->mark) = parse_mark(&pair[1]);
	key->read(p, &pair[1], key, object);
	p->key = outer;
}

void parse_mapping(struct parse *p, const struct yaml *y, const struct yaml *at,
		   const struct parse_table *table, void *object)
{
	const struct yaml *seen[32] = { 0 }; /* more rows than any table has */
	const struct parse_key *meant[32] = {
		0
	}; /* instead of unknown ones: not missing as well */
	const struct parse_key *key;
	size_t i;

	for (i = 0; i < y->n_items; i += 2) {
		key = find_key(table, y->items[i].text);
		if (!key) {
			key = unknown_key(p, &y->items[i], table);
			if (key)
				meant[key - table->keys] = key;
			continue;
		}
		if (seen[key - table->keys]) {
			found_twice(&y->items[i], seen[key - table->keys],
				    &(struct twice){ .p = p, .code = "key-twice" });
			continue;
		}
		seen[key - table->keys] = &y->items[i];
		read_pair(p, &y->items[i], key, object);
	}
	for (key = table->keys; key->name; key++) {
		if (seen[key - table->keys])
			continue;
		if (meant[key - table->keys] && key->meant)
			*(bool *)((char *)object + key->meant) = true;
		if (key->required && !meant[key - table->keys])
			parse_complain(p, at, "key-missing", NULL, "%s needs the key '%s'",
				       table->what, key->name);
	}
}
