/* SPDX-License-Identifier: MIT */
#include "base/yaml_inside.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/*
 * libfyaml holds every token of a line that might still turn out to be a key, walks back over runs
 * of blank lines, and gathers directives without end. No document written for us comes near these.
 */
enum { MAX_LINE = 64 << 10, MAX_BLANK_LINES = 100, MAX_DIRECTIVES = 4 };

/* A '\r' alone was a line's end once; libfyaml counts wrongly over it. */
static bool is_text(const char *s, size_t left)
{
	if (*s == '\r')
		return left > 1 && s[1] == '\n';
	return (unsigned char)*s >= 0x20 ? *s != 0x7f : *s == '\t' || *s == '\n';
}

/* The library takes a NUL for the end and guesses at encodings: so bytes are judged before it. */
int yaml_scan_bytes(const char *bytes, size_t len, struct yaml_error *e)
{
	const unsigned char *s = (const unsigned char *)bytes;
	unsigned line = 1, column = 1;
	size_t at, n;

	if (len >= 2 && ((s[0] == 0xff && s[1] == 0xfe) || (s[0] == 0xfe && s[1] == 0xff)))
		return yaml_refuse(e, 1, 1, "not-utf8", "the file is UTF-16; it must be UTF-8");
	for (at = 0; at < len; at += n) {
		n = text_utf8(bytes + at, len - at);
		if (n == 0)
			return yaml_refuse(e, line, column, "not-utf8",
					   "byte 0x%02x at offset %zu is not UTF-8", s[at], at);
		if (!is_text(bytes + at, len - at))
			return yaml_refuse(e, line, column, "binary",
					   "byte 0x%02x at offset %zu is no text: a binary file?",
					   s[at], at);
		column++;
		if (s[at] == '\n') {
			line++;
			column = 1;
		}
	}
	return 0;
}

static bool is_blank(const char *s, size_t n)
{
	while (n > 0 && (*s == ' ' || *s == '\t' || *s == '\r')) {
		s++;
		n--;
	}
	return n == 0;
}

/* "? KEY", also as an item of a list. */
static bool is_explicit_key(const char *s, size_t n)
{
	while (n > 0 && (*s == ' ' || *s == '\t' || *s == '-')) {
		s++;
		n--;
	}
	return n > 0 && *s == '?' && is_blank(s + 1, n > 1);
}

int yaml_scan_lines(const char *bytes, size_t len, struct yaml_error *e)
{
	unsigned line = 1, blank = 0, directives = 0;
	bool explicit_key = false;
	size_t at = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* not of a line */
	size_t n;

	for (; at < len; at += n + 1, line++) {
		for (n = 0; at + n < len && bytes[at + n] != '\n'; n++)
			;
		if (n > MAX_LINE)
			return yaml_refuse(e, line, 1, "long-line",
					   "the line is longer than %d bytes", MAX_LINE);
		blank = is_blank(bytes + at, n) ? blank + 1 : 0;
		if (blank > MAX_BLANK_LINES)
			return yaml_refuse(e, line, 1, "blank-lines",
					   "more than %d blank lines in a row", MAX_BLANK_LINES);
		/* libfyaml 0.7.12 finds fault with a tab behind such a key, and crashes. */
		explicit_key = explicit_key || is_explicit_key(bytes + at, n);
		if (explicit_key && memchr(bytes + at, '\t', n))
			return yaml_refuse(e, line, 1, "not-yaml",
					   "a tab behind a key with '?': write KEY: VALUE");
		directives += bytes[at] == '%';
		if (directives > MAX_DIRECTIVES)
			return yaml_refuse(e, line, 1, "not-yaml",
					   "this is no YAML: more than %d lines with '%%'",
					   MAX_DIRECTIVES);
	}
	return 0;
}
