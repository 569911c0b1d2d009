/* SPDX-License-Identifier: MIT */
#include "base/yaml_inside.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"

/*
 * JSON is YAML, but an API server writes megabytes of it on one line, which libfyaml keeps whole
 * in tokens; and YAML's escapes know no surrogate pairs.
 */

struct json {
	const char *s, *end;
	const char *counted; /* line and column are those of this place */
	unsigned line, column;
	size_t n_values;
};

static void skip_space(struct json *j)
{
	while (j->s < j->end && (*j->s == ' ' || *j->s == '\t' || *j->s == '\r' || *j->s == '\n'))
		j->s++;
}

/* Moves line and column on to where we are. */
static void count_place(struct json *j)
{
	for (; j->counted < j->s; j->counted++) {
		j->column += (*j->counted & 0xc0) != 0x80;
		if (*j->counted == '\n') {
			j->line++;
			j->column = 1;
		}
	}
}

static bool accept(struct json *j, char c)
{
	if (j->s >= j->end || *j->s != c)
		return false;
	j->s++;
	return true;
}

/* What follows "\u": a character, or two halves of one. */
static int read_unicode(struct json *j, struct text *t)
{
	int32_t c = yaml_hex(j->s, (size_t)(j->end - j->s), 4);
	int32_t low;

	if (c <= 0 || (c >= 0xdc00 && c < 0xe000))
		return -EBADMSG;
	j->s += 4;
	if (c >= 0xd800 && c < 0xdc00) {
		if (!accept(j, '\\') || !accept(j, 'u'))
			return -EBADMSG;
		low = yaml_hex(j->s, (size_t)(j->end - j->s), 4);
		if (low < 0xdc00 || low >= 0xe000)
			return -EBADMSG;
		j->s += 4;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	yaml_add_utf8(t, (uint32_t)c);
	return 0;
}

static int read_escape(struct json *j, struct text *t)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *hit;

	if (j->s >= j->end)
		return -EBADMSG;
	if (accept(j, 'u'))
		return read_unicode(j, t);
	hit = strchr(from, *j->s++); /* no NUL, by now */
	if (!hit)
		return -EBADMSG;
	text_add_n(t, &to[hit - from], 1);
	return 0;
}

static int read_string(struct json *j, struct yaml *y)
{
	scoped(text_done) struct text t = { 0 };
	int r = 0;

	y->kind = YAML_SCALAR;
	while (r == 0 && !accept(j, '"')) {
		const char *from = j->s;

		while (j->s < j->end && *j->s != '"' && *j->s != '\\' &&
		       (unsigned char)*j->s >= 0x20)
			j->s++;
		text_add_n(&t, from, (size_t)(j->s - from));
		if (accept(j, '\\'))
			r = read_escape(j, &t);
		else if (j->s >= j->end || *j->s != '"')
			r = -EBADMSG;
	}
	if (r < 0)
		return r;
	y->text = strdup(text_str(&t));
	return y->text && text_error(&t) == 0 ? 0 : -ENOMEM;
}

static size_t digits(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && isdigit((unsigned char)s[i]); i++)
		;
	return i;
}

/* Length of the number at s, or 0. */
static size_t number(const char *s, size_t n)
{
	size_t at = n > 0 && s[0] == '-';
	size_t k = digits(s + at, n - at);

	if (k == 0 || (k > 1 && s[at] == '0'))
		return 0;
	at += k;
	if (at < n && s[at] == '.') {
		k = digits(s + at + 1, n - at - 1);
		if (k == 0)
			return 0;
		at += k + 1;
	}
	if (at < n && (s[at] | 0x20) == 'e') {
		at++;
		at += at < n && (s[at] == '+' || s[at] == '-');
		k = digits(s + at, n - at);
		return k ? at + k : 0;
	}
	return at;
}

static int read_word(struct json *j, struct yaml *y)
{
	static const char *const words[] = { "null", "true", "false" };
	size_t left = (size_t)(j->end - j->s);
	size_t n = number(j->s, left);
	size_t i;

	for (i = 0; n == 0 && i < COUNT(words); i++)
		if (left >= strlen(words[i]) && strncmp(j->s, words[i], strlen(words[i])) == 0)
			n = strlen(words[i]);
	if (n == 0)
		return -EBADMSG;
	y->plain = true;
	if (*j->s != 'n') {
		y->kind = YAML_SCALAR;
		y->text = strndup(j->s, n);
		if (!y->text)
			return -ENOMEM;
	}
	j->s += n;
	return 0;
}

static int read_value(struct json *j, struct yaml *y, unsigned depth);

static int read_item(struct json *j, struct yaml *y, unsigned depth)
{
	struct yaml *item = yaml_add(y);

	return item ? read_value(j, item, depth + 1) : -ENOMEM;
}

/* An item of a list, or a key and its value. */
static int read_member(struct json *j, struct yaml *y, unsigned depth)
{
	int r;

	skip_space(j);
	if (y->kind == YAML_SEQUENCE)
		return read_item(j, y, depth);
	r = j->s < j->end && *j->s == '"' ? read_item(j, y, depth) : -EBADMSG;
	skip_space(j);
	if (r == 0 && !accept(j, ':'))
		r = -EBADMSG;
	return r < 0 ? r : read_item(j, y, depth);
}

/* The pairs or items behind the bracket that opened. */
static int read_items(struct json *j, struct yaml *y, unsigned depth)
{
	char close = y->kind == YAML_MAPPING ? '}' : ']';
	int r = 0;

	skip_space(j);
	if (accept(j, close))
		return 0;
	while (r == 0) {
		r = read_member(j, y, depth);
		skip_space(j);
		if (r == 0 && accept(j, close))
			return 0;
		if (r == 0 && !accept(j, ','))
			r = -EBADMSG;
	}
	return r;
}

static int read_value(struct json *j, struct yaml *y, unsigned depth)
{
	skip_space(j);
	count_place(j);
	y->line = j->line;
	y->column = j->column;
	if (depth > YAML_MAX_DEPTH || ++j->n_values > YAML_MAX_VALUES)
		return -EBADMSG;
	if (accept(j, '"'))
		return read_string(j, y);
	if (!accept(j, '{') && !accept(j, '['))
		return read_word(j, y);
	y->kind = j->s[-1] == '{' ? YAML_MAPPING : YAML_SEQUENCE;
	return read_items(j, y, depth);
}

bool yaml_looks_json(const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len && strchr(" \t\r\n", bytes[i]); i++)
		;
	return i < len && (bytes[i] == '{' || bytes[i] == '[');
}

int yaml_read_json(const char *bytes, size_t len, struct yaml *ret)
{
	struct json j = {
		.s = bytes, .end = bytes + len, .counted = bytes, .line = 1, .column = 1
	};
	int r = read_value(&j, ret, 1);

	skip_space(&j);
	return r < 0 ? r : j.s == j.end ? 0 : -EBADMSG;
}
