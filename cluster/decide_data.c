/* SPDX-License-Identifier: MIT */
#include "cluster/decide_data.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define PREFIX "rackseed-"

void decide_data_label(const char *cluster, const char *node,
		       char buf[static DECIDE_DATA_LABEL_LEN])
{
	const char *parts[] = { cluster, node };
	uint64_t h = 14695981039346656037u; /* FNV-1a */
	size_t i, k;

	for (i = 0; i < 2; i++) /* the NUL is hashed too: it keeps the parts apart */
		for (k = 0; k <= strlen(parts[i]); k++)
			h = (h ^ (unsigned char)parts[i][k]) * 1099511628211u;
	snprintf(buf, DECIDE_DATA_LABEL_LEN, PREFIX "%07x", (unsigned)((h ^ h >> 32) & 0xfffffff));
}

struct signature {
	const char *label, *type; /* not terminated */
	size_t label_len, type_len;
};

static bool is_text(const char *s, size_t n, const char *text)
{
	return strlen(text) == n && strncmp(s, text, n) == 0;
}

/* Takes the line at *at; a label may hold commas, the others do not. False: no line is left. */
static bool next_signature(const char **at, struct signature *ret)
{
	const char *line, *end, *comma, *last, *s;

	do {
		line = *at;
		end = line + strcspn(line, "\n");
		*at = end + (*end == '\n');
	} while (*line == '#' || (line == end && *end));
	if (line == end)
		return false;
	comma = memchr(line, ',', (size_t)(end - line));
	comma = comma ? memchr(comma + 1, ',', (size_t)(end - comma - 1)) : NULL;
	for (last = s = line; s < end; s++)
		last = *s == ',' ? s : last;
	/* A line of another form is something that we do not know, and so refuse. */
	*ret = (struct signature){ .label = "", .type = line, .type_len = (size_t)(end - line) };
	if (comma && last > comma)
		*ret = (struct signature){ .label = comma + 1,
					   .label_len = (size_t)(last - comma - 1),
					   .type = last + 1,
					   .type_len = (size_t)(end - last - 1) };
	return true;
}

static bool is_ext4(const struct signature *s, const char *label)
{
	return is_text(s->type, s->type_len, "ext4") && is_text(s->label, s->label_len, label);
}

/* Of another node, or of another cluster. */
static bool is_foreign(const struct signature *s)
{
	return is_text(s->type, s->type_len, "ext4") && s->label_len > strlen(PREFIX) &&
	       strncmp(s->label, PREFIX, strlen(PREFIX)) == 0;
}

static void name(const struct signature *s, const char *label, size_t before, struct text *out)
{
	text_add(out, before ? ", " : "holds ");
	text_add_n(out, s->type, s->type_len);
	if (s->label_len)
		text_addf(out, " '%.*s'", (int)s->label_len, s->label);
	if (is_foreign(s))
		text_addf(out, " (another node's data; tune2fs -L %s gives it to this one)", label);
}

enum decide_data decide_data(const struct data_facts *facts, const char *label, struct text *out)
{
	const char *at = facts->signatures;
	struct signature s, first = { 0 };
	size_t n = 0;

	if (*facts->held) {
		text_addf(out, "is in use (%s)", facts->held);
		return DECIDE_DATA_REFUSE;
	}
	for (; next_signature(&at, &s); n++)
		first = n ? first : s;
	if (n == 1 && is_ext4(&first, label))
		return DECIDE_DATA_MOUNT;
	if (n == 1 && is_ext4(&first, DECIDE_DATA_MAKING))
		return DECIDE_DATA_MAKE;
	if (n == 0 && (facts->zeros || facts->begun))
		return DECIDE_DATA_MAKE;
	if (n == 0)
		text_add(out, "has no signature, but something is written on it");
	for (at = facts->signatures, n = 0; next_signature(&at, &s); n++)
		name(&s, label, n, out);
	return DECIDE_DATA_REFUSE;
}
