/* SPDX-License-Identifier: MIT */
#include "firstboot/json.h"

#include <stddef.h>
#include <string.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/yaml.h"

static bool contains(const struct yaml *have, const struct yaml *want);

static const struct yaml *value_of(const struct yaml *y, const char *key)
{
	size_t i;

	for (i = 0; key && y && y->kind == YAML_MAPPING && i + 1 < y->n_items; i += 2)
		if (y->items[i].text && strcmp(y->items[i].text, key) == 0)
			return &y->items[i + 1];
	return NULL;
}

static bool contains_pairs(const struct yaml *have, const struct yaml *want)
{
	size_t i;

	for (i = 0; i + 1 < want->n_items; i += 2)
		if (!contains(value_of(have, want->items[i].text), &want->items[i + 1]))
			return false;
	return true;
}

static bool contains_item(const struct yaml *have, const struct yaml *item)
{
	size_t i;

	for (i = 0; i < have->n_items; i++)
		if (contains(&have->items[i], item))
			return true;
	return false;
}

static bool contains_items(const struct yaml *have, const struct yaml *want)
{
	size_t i;

	if (want->n_items > 0 && (!have || have->kind != YAML_SEQUENCE))
		return false;
	for (i = 0; i < want->n_items; i++)
		if (!contains_item(have, &want->items[i]))
			return false;
	return true;
}

/* Bounded by the depth that yaml_parse() allows. */
static bool contains(const struct yaml *have, const struct yaml *want)
{
	switch (want->kind) {
	case YAML_NULL:
		return !have || have->kind == YAML_NULL;
	case YAML_SCALAR:
		return have && have->kind == YAML_SCALAR && strcmp(have->text, want->text) == 0;
	case YAML_SEQUENCE:
		return contains_items(have, want);
	case YAML_MAPPING:
		return contains_pairs(have, want);
	}
	return false;
}

bool json_contains(const struct yaml *have, const struct yaml *want)
{
	return contains(have, want);
}

static bool is(const struct yaml *y, const char *key, const char *value)
{
	const char *s = yaml_text(yaml_get(y, key));

	return s && strcmp(s, value) == 0;
}

const struct yaml *json_managed(const struct yaml *object, const char *manager)
{
	const struct yaml *list = yaml_get(yaml_get(object, "metadata"), "managedFields");
	size_t i;

	for (i = 0; list && list->kind == YAML_SEQUENCE && i < list->n_items; i++)
		if (is(&list->items[i], "manager", manager) &&
		    is(&list->items[i], "operation", "Apply"))
			return yaml_get(&list->items[i], "fieldsV1");
	return NULL;
}

/* The item of a list that "k:{"name":"x"}" or "v:"x"" means, or NULL. */
static const struct yaml *find_item(const struct yaml *list, const char *selector)
{
	scoped(yaml_done) struct yaml key = { 0 };
	struct yaml_error error;
	size_t i;

	if (!list || list->kind != YAML_SEQUENCE ||
	    yaml_parse(selector, strlen(selector), &key, &error) < 0)
		return NULL;
	for (i = 0; i < list->n_items; i++)
		if (contains(&list->items[i], &key))
			return &list->items[i];
	return NULL;
}

/* The field of want that a key of fieldsV1 means; itself for ".", which says that it is there. */
static const struct yaml *find_field(const struct yaml *want, const char *key)
{
	if (strncmp(key, "f:", 2) == 0)
		return value_of(want, key + 2);
	if (strncmp(key, "k:", 2) == 0 || strncmp(key, "v:", 2) == 0)
		return find_item(want, key + 2);
	return want;
}

bool json_owned(const struct yaml *fields, const struct yaml *want)
{
	const struct yaml *field;
	size_t i;

	if (!fields || fields->kind != YAML_MAPPING)
		return true;
	for (i = 0; i + 1 < fields->n_items; i += 2) {
		if (!fields->items[i].text)
			continue;
		field = find_field(want, fields->items[i].text);
		if (!field || !json_owned(&fields->items[i + 1], field))
			return false;
	}
	return true;
}

static void write_items(const struct yaml *y, struct text *out)
{
	bool is_mapping = y->kind == YAML_MAPPING;
	size_t i;

	text_add(out, is_mapping ? "{" : "[");
	for (i = 0; i < y->n_items; i++) {
		text_add(out, i == 0 ? "" : is_mapping && i % 2 ? ":" : ",");
		if (is_mapping && i % 2 == 0)
			quote_json(out, y->items[i].text ? y->items[i].text : "");
		else
			json_write(&y->items[i], out);
	}
	text_add(out, is_mapping ? "}" : "]");
}

void json_write(const struct yaml *y, struct text *out)
{
	switch (y->kind) {
	case YAML_NULL:
		text_add(out, "null");
		break;
	case YAML_SCALAR:
		if (y->plain)
			text_add(out, y->text);
		else
			quote_json(out, y->text);
		break;
	case YAML_SEQUENCE:
	case YAML_MAPPING:
		write_items(y, out);
		break;
	}
}
