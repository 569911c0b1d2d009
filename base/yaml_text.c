/* SPDX-License-Identifier: MIT */
#include "base/yaml_inside.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"

/*
 * The text of a scalar from the bytes it stands in. libfyaml finds and checks it, but its own text
 * (0.7.12) is wrong for quotes side by side and for blocks with blank lines: lost characters, and
 * memory that was never written. Lines end in '\n' alone by now.
 */

static bool is_white(char c)
{
	return c == ' ' || c == '\t';
}

void yaml_add_utf8(struct text *t, uint32_t c)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	unsigned n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	char bytes[4];
	unsigned i;

	for (i = n; i-- > 1; c >>= 6)
		bytes[i] = (char)(0x80 | (c & 0x3f));
	bytes[0] = (char)(lead[n] | c);
	text_add_n(t, bytes, n);
}

int32_t yaml_hex(const char *s, size_t left, unsigned n_digits)
{
	int32_t value = 0;
	unsigned i;

	if (left < n_digits)
		return -EBADMSG;
	for (i = 0; i < n_digits; i++, s++) {
		if (!isxdigit((unsigned char)*s) || value > 0x10ffff)
			return -EBADMSG;
		value = value * 16 + (*s <= '9' ? *s - '0' : (*s | 0x20) - 'a' + 10);
	}
	return value;
}

/* ---- flow scalars: plain and quoted, perhaps over several lines ---- */

struct flow {
	const char *s, *end;
	struct text *out;
	size_t keep; /* what stands before this is no white space that a line's end would trim */
};

/* One break is a space, each further one a line; white space around them goes. */
static void fold(struct flow *f, bool escaped)
{
	unsigned breaks = 0;

	for (; f->s < f->end && (is_white(*f->s) || *f->s == '\n'); f->s++)
		breaks += *f->s == '\n';
	if (breaks == 1 && !escaped)
		text_add(f->out, " ");
	for (; breaks > 1; breaks--)
		text_add(f->out, "\n");
	f->keep = f->out->len;
}

static int unicode(struct flow *f, unsigned n_digits)
{
	int32_t c = yaml_hex(f->s, (size_t)(f->end - f->s), n_digits);
	int32_t low = -1;

	if (c < 0)
		return c;
	f->s += n_digits;
	if (c >= 0xd800 && c < 0xdc00 && f->end - f->s >= 6 && f->s[0] == '\\' && f->s[1] == 'u') {
		low = yaml_hex(f->s + 2, 4, 4);
		f->s += 6;
		if (low < 0xdc00 || low >= 0xe000)
			return -EBADMSG;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return -EBADMSG;
	yaml_add_utf8(f->out, (uint32_t)c);
	return 0;
}

/* What follows a backslash: YAML 1.2.2, section 5.7. */
static int escape(struct flow *f)
{
	static const struct {
		char letter;
		unsigned char n_digits;
		uint16_t c;
	} rows[] = {
		{ '0', 0, 0 },	    { 'a', 0, 7 },	{ 'b', 0, 8 },	  { 't', 0, 9 },
		{ '\t', 0, 9 },	    { 'n', 0, 10 },	{ 'v', 0, 11 },	  { 'f', 0, 12 },
		{ 'r', 0, 13 },	    { 'e', 0, 27 },	{ ' ', 0, ' ' },  { '"', 0, '"' },
		{ '/', 0, '/' },    { '\\', 0, '\\' },	{ 'N', 0, 0x85 }, { '_', 0, 0xa0 },
		{ 'L', 0, 0x2028 }, { 'P', 0, 0x2029 }, { 'x', 2, 0 },	  { 'u', 4, 0 },
		{ 'U', 8, 0 },
	};
	size_t i;
	int r = 0;

	if (f->s >= f->end)
		return -EBADMSG;
	for (i = 0; i < COUNT(rows) && rows[i].letter != *f->s; i++)
		;
	if (*f->s == '\n') {
		fold(f, true);
		return 0;
	}
	if (i == COUNT(rows))
		return -EBADMSG;
	f->s++;
	if (rows[i].n_digits)
		r = unicode(f, rows[i].n_digits);
	else if (rows[i].c)
		yaml_add_utf8(f->out, rows[i].c);
	else
		text_add_n(f->out, "", 1);
	f->keep = f->out->len;
	return r;
}

int yaml_flow_text(const char *s, size_t len, char quote, struct text *out)
{
	struct flow f = { .s = s, .end = s + len, .out = out };
	int r = 0;

	while (r == 0 && f.s < f.end) {
		char c = *f.s;

		if (c == '\n') {
			while (out->len > f.keep && is_white(out->data[out->len - 1]))
				out->data[--out->len] = '\0';
			fold(&f, false);
			continue;
		}
		f.s++;
		if (quote == '"' && c == '\\') {
			r = escape(&f);
			continue;
		}
		text_add_n(out, &c, 1);
		if (quote == '\'' && c == '\'')
			f.s++; /* the second of the two that stand for one */
	}
	return r < 0 ? r : text_error(out);
}

/* ---- block scalars ---- */

bool yaml_block_header(const char *s, size_t len, char style, char *ret_chomp)
{
	const char *end = s + len;
	const char *at, *rest;

	for (at = s; at < end; at++) {
		if (*at != style)
			continue;
		rest = at + 1;
		*ret_chomp = rest < end && (*rest == '-' || *rest == '+') ? *rest++ : ' ';
		if (rest == end || *rest == '\n')
			return true;
		while (rest < end && is_white(*rest))
			rest++;
		if (rest == end || *rest == '\n' || (*rest == '#' && is_white(rest[-1])))
			return true;
	}
	return false;
}

struct block {
	size_t indent;
	bool folded;
	bool any, spaced; /* a line was written; it began with white space */
	size_t n_empty;	  /* empty lines since then */
	struct text *out;
};

static void add_breaks(struct text *out, size_t n)
{
	while (n-- > 0)
		text_add(out, "\n");
}

/* The breaks between the line before and this one, then the line. */
static void add_line(struct block *b, const char *s, size_t n)
{
	bool spaced = is_white(*s);

	if (!b->any || !b->folded || spaced || b->spaced)
		add_breaks(b->out, b->n_empty + b->any);
	else if (b->n_empty == 0)
		text_add(b->out, " ");
	else
		add_breaks(b->out, b->n_empty);
	text_add_n(b->out, s, n);
	b->any = true;
	b->spaced = spaced;
	b->n_empty = 0;
}

static size_t count_spaces(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && s[i] == ' '; i++)
		;
	return i;
}

int yaml_block_text(const char *s, size_t len, char style, char chomp, struct text *out)
{
	struct block b = { .folded = style == '>', .out = out };
	const char *end = s + len;

	while (s < end) {
		const char *next = memchr(s, '\n', (size_t)(end - s));
		size_t n = (size_t)((next ? next : end) - s);
		size_t spaces = count_spaces(s, n);

		/* The first line that holds something tells how far the block is indented. */
		if (!b.any && spaces < n)
			b.indent = spaces;
		if (spaces < n && spaces < b.indent)
			break; /* a comment behind the block */
		if (spaces < n || (b.any && n > b.indent))
			add_line(&b, s + b.indent, n - b.indent);
		else if (next)
			b.n_empty++;
		s = next ? next + 1 : end;
	}
	if (chomp == '+')
		add_breaks(out, b.n_empty + b.any);
	else if (chomp == ' ' && b.any)
		text_add(out, "\n");
	return text_error(out);
}
