/* SPDX-License-Identifier: MIT */
#pragma once

struct text;

/*
 * One function per target language; each adds s to t so that the reader of that language gets back
 * exactly s, whatever bytes of UTF-8 it holds. User text enters rendered files through these only.
 */
void quote_yaml(struct text *t, const char *s) __attribute__((nonnull)); /* "double quoted" */
void quote_json(struct text *t, const char *s) __attribute__((nonnull));
void quote_toml(struct text *t, const char *s) __attribute__((nonnull)); /* basic string */

/*
 * A systemd unit's value: '%' doubled, backslash and control characters escaped, no quotes added.
 * Only settings that read C escapes undo the latter two: elsewhere they are to be refused before.
 */
void quote_unit(struct text *t, const char *s) __attribute__((nonnull));
