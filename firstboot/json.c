/* SPDX-License-Identifier: MIT */
#include "firstboot/json.h"

#include <stddef.h>
#include <string.h>

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
