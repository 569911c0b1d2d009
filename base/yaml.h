/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct text;

/*
 * YAML 1.2 and JSON as a tree of values, built from libfyaml's events under bounds: depth, number
 * of values, one document, no alias or anchor, no tag, keys that are scalars. The only place that
 * sees libfyaml.
 */

enum yaml_kind { YAML_NULL, YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml {
	enum yaml_kind kind; /* NULL: an empty plain scalar, ~ or null */
	bool plain; /* SCALAR: written without quotes */
	unsigned line, column; /* of its first character, from 1; columns count characters */
	char *text; /* SCALAR: NUL-terminated, holds no NUL itself */
	struct yaml *items; /* SEQUENCE: items; MAPPING: key, value, key, value, … */
	size_t n_items; /* MAPPING: two for each pair */
};

struct yaml_error {
	unsigned line, column;
	const char *code; /* a row of yaml.c's table: "not-yaml", "too-deep", "alias", … */
	char message[256];
};

enum { YAML_MAX_DEPTH = 64, YAML_MAX_VALUES = 2 << 20 };

/*
 * 0; -EBADMSG with *ret_error filled; -ENOMEM. *ret is the caller's: yaml_done. A key that stands
 * twice in a mapping is no error here: yaml_twice() finds it.
 */
int yaml_parse(const char *bytes, size_t len, struct yaml *ret, struct yaml_error *ret_error)
	__attribute__((nonnull, warn_unused_result));

void yaml_done(struct yaml *y);

/* The value of a scalar key of a mapping, or NULL; y may be NULL or no mapping (then NULL). */
const struct yaml *yaml_get(const struct yaml *y, const char *key);

/* A scalar's text; NULL for anything else, NULL included, so that look-ups can be chained. */
const char *yaml_text(const struct yaml *y);

/*
 * Calls found(again, first, data) for each key of the mapping that equals an earlier one, letters
 * of either case being equal when fold is set. O(n log n). -ENOMEM, or 0.
 */
int yaml_twice(const struct yaml *mapping, bool fold,
	       void (*found)(const struct yaml *again, const struct yaml *first, void *data),
	       void *data) __attribute__((nonnull(1, 3), warn_unused_result));

/* Writes it as block YAML, each line indented, so that yaml_parse gives the same tree again. */
void yaml_emit(const struct yaml *y, unsigned indent, struct text *out)
	__attribute__((nonnull));
