/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct text;

/*
 * YAML 1.2 and JSON as a tree of values, built from libfyaml's events under bounds: depth 64,
 * one document, no alias or anchor, no tag, no duplicate key left unreported. The only place that
 * sees libfyaml.
 */

enum yaml_kind { YAML_NULL, YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml {
	enum yaml_kind kind; /* NULL: an empty plain scalar, ~ or null */
	bool plain; /* SCALAR: written without quotes */
	unsigned line, column; /* of its first character, from 1 */
	char *text; /* SCALAR: NUL-terminated, holds no NUL itself */
	struct yaml *items; /* SEQUENCE: items; MAPPING: key, value, key, value, … */
	size_t n_items; /* MAPPING: two for each pair */
};

struct yaml_error {
	unsigned line, column;
	const char *code; /* "not-yaml", "not-utf8", "binary", "too-deep", "alias", "empty", … */
	char message[256];
};

enum { YAML_MAX_DEPTH = 64 };

/* 0; -EBADMSG with *ret_error filled; -ENOMEM. *ret is the caller's: yaml_done. */
int yaml_parse(const char *bytes, size_t len, struct yaml *ret, struct yaml_error *ret_error)
	__attribute__((nonnull, warn_unused_result));

void yaml_done(struct yaml *y);

/* The value of a scalar key of a mapping, or NULL; y may be NULL or no mapping (then NULL). */
const struct yaml *yaml_get(const struct yaml *y, const char *key);

/* A scalar's text; NULL for anything else, NULL included, so that look-ups can be chained. */
const char *yaml_text(const struct yaml *y);

/* Writes it as block YAML, each line indented by so many spaces, every scalar quoted safely. */
void yaml_emit(const struct yaml *y, unsigned indent, struct text *out)
	__attribute__((nonnull));
