/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

static int reserve(struct text *t, size_t more)
{
	size_t size = t->size ? t->size : 256;
	char *data;

	if (t->error)
		return t->error;
	if (more >= SIZE_MAX / 2 - t->len)
		return t->error = -ENOMEM;
	if (t->data && more < t->size - t->len)
		return 0;
	while (size <= t->len + more)
		size *= 2;
	/* Not realloc, which leaves the bytes behind where it moves: some are secrets. */
	data = malloc(size);
	if (!data)
		return t->error = -ENOMEM;
	if (t->data) {
		memcpy(data, t->data, t->len);
		explicit_bzero(t->data, t->size);
		free(t->data);
	}
	t->data = data;
	t->size = size;
	t->data[t->len] = '\0';
	return 0;
}

void text_add_n(struct text *t, const char *s, size_t n)
{
	if (reserve(t, n) < 0 || n == 0)
		return;
	memcpy(t->data + t->len, s, n);
	t->len += n;
	t->data[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_add_n(t, s, strlen(s));
}

void text_addf(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0 && !t->error)
		t->error = -ENOMEM; /* longer than INT_MAX, or no character of this locale */
	if (n < 0 || reserve(t, (size_t)n) < 0)
		return;
	va_start(ap, format);
	vsnprintf(t->data + t->len, (size_t)n + 1, format, ap);
	va_end(ap);
	t->len += (size_t)n;
}

const char *text_str(const struct text *t)
{
	return t->data ? t->data : "";
}

void text_inherit(struct text *t, const struct text *part)
{
	if (!t->error)
		t->error = part->error;
}

int text_error(const struct text *t)
{
	return t->error;
}

/* The first byte tells the length and what the second may be: RFC 3629, section 4. */
size_t text_utf8(const char *s, size_t n)
{
	static const struct {
		unsigned char from, to, second_from, second_to, length;
	} rows[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	const unsigned char *c = (const unsigned char *)s;
	size_t i, k;

	if (c[0] < 0x80)
		return 1;
	for (i = 0; i < COUNT(rows); i++)
		if (c[0] >= rows[i].from && c[0] <= rows[i].to)
			break;
	if (i == COUNT(rows) || rows[i].length > n || c[1] < rows[i].second_from ||
	    c[1] > rows[i].second_to)
		return 0;
	for (k = 2; k < rows[i].length; k++)
		if ((c[k] & 0xc0) != 0x80)
			return 0;
	return rows[i].length;
}

bool text_is_control(const char *s, size_t n)
{
	const unsigned char *c = (const unsigned char *)s;

	if (n == 1)
		return c[0] < 0x20 || c[0] == 0x7f;
	if (n == 2)
		return c[0] == 0xc2 && c[1] < 0xa0;
	if (n != 3 || c[0] != 0xe2)
		return false;
	return (c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xaa && c[2] <= 0xae))) ||
	       (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
}

/* U+FDD0 to U+FDEF, and the last two of each plane: sd-bus refuses a string with one of them. */
static bool is_noncharacter(const char *s, size_t n)
{
	uint32_t c = (unsigned char)s[0] & (0xffu >> (n > 1 ? n + 1 : 1));
	size_t i;

	for (i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	return (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

char *text_tame(char *s)
{
	const char *from = s, *end = s + strlen(s);
	char *to = s;
	size_t n;

	for (; from < end; from += n ? n : 1) {
		n = text_utf8(from, (size_t)(end - from));
		if (*from == '\t' || *from == '\n') {
			*to++ = ' ';
		} else if (n == 0 || text_is_control(from, n) || is_noncharacter(from, n)) {
			*to++ = '?';
		} else {
			memmove(to, from, n);
			to += n;
		}
	}
	*to = '\0';
	return s;
}

void text_chomp(struct text *t)
{
	while (t->len > 0 && (t->data[t->len - 1] == '\n' || t->data[t->len - 1] == '\r'))
		t->data[--t->len] = '\0';
}

char *text_take(struct text *t)
{
	char *data;

	if (reserve(t, 0) < 0)
		return NULL;
	data = t->data;
	*t = (struct text){ 0 };
	return data;
}

void text_done(struct text *t)
{
	free(t->data);
	*t = (struct text){ 0 };
}

void text_wipe(struct text *t)
{
	if (t->data)
		explicit_bzero(t->data, t->size);
	text_done(t);
}
