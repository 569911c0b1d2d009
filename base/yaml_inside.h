/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/yaml.h"

struct text;

/* What the files of base/yaml share with each other and with nobody else. */

/* Fills *e and returns -EBADMSG. */
int yaml_refuse(struct yaml_error *e, unsigned line, unsigned column, const char *code,
		const char *format, ...) __attribute__((format(printf, 5, 6), nonnull(1, 4, 5)));

/* Refuses bytes that are no text. */
int yaml_scan_bytes(const char *bytes, size_t len, struct yaml_error *e)
	__attribute__((nonnull, warn_unused_result));

/* Refuses shapes that cost libfyaml time or memory beyond measure. */
int yaml_scan_lines(const char *bytes, size_t len, struct yaml_error *e)
	__attribute__((nonnull, warn_unused_result));

/* Appends an empty value, or NULL when memory is out. The pointer holds until the next call. */
struct yaml *yaml_add(struct yaml *y) __attribute__((nonnull, warn_unused_result));

/* Whether it can be nothing but JSON's kind of document. */
bool yaml_looks_json(const char *bytes, size_t len) __attribute__((nonnull));

/*
 * Strict JSON (RFC 8259). 0, -ENOMEM, or -EBADMSG for anything else, which may still be YAML. *ret
 * is the caller's in every case.
 */
int yaml_read_json(const char *bytes, size_t len, struct yaml *ret)
	__attribute__((nonnull, warn_unused_result));

/*
 * The text of a plain (quote 0) or quoted scalar from the bytes between its marks. -EBADMSG for an
 * escape that is none; NULs are left in.
 */
int yaml_flow_text(const char *s, size_t len, char quote, struct text *out)
	__attribute__((nonnull, warn_unused_result));

/*
 * Finds the header of a block ('|' or '>') in what stands before it on its line: *ret_chomp is '-',
 * '+' or ' '. False when there is none that we take (with a digit, say).
 */
bool yaml_block_header(const char *s, size_t len, char style, char *ret_chomp)
	__attribute__((nonnull));

/* The text of a block from its lines. */
int yaml_block_text(const char *s, size_t len, char style, char chomp, struct text *out)
	__attribute__((nonnull, warn_unused_result));

void yaml_add_utf8(struct text *t, uint32_t c) __attribute__((nonnull));

/* So many hex digits at s as a number, or negative when they are not there or it is too large. */
int32_t yaml_hex(const char *s, size_t left, unsigned n_digits) __attribute__((nonnull));
