/* SPDX-License-Identifier: MIT */
#include "image/sums.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"

enum { HEX = DIGEST_LEN - 1, NAME_MAX_LEN = 255 };

void sums_done(struct sums *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		free(s->lines[i].name);
	free(s->lines);
	*s = (struct sums){ 0 };
}

/* Where the name is, or where it would be. */
static size_t place(const struct sums *s, const char *name)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(s->lines[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct sums_line *sums_find(const struct sums *s, const char *name)
{
	size_t i = place(s, name);

	return i < s->n && strcmp(s->lines[i].name, name) == 0 ? &s->lines[i] : NULL;
}

int sums_put(struct sums *s, const char *name, const char *hex)
{
	size_t i = place(s, name);
	struct sums_line *lines;
	char *copy;

	if (i < s->n && strcmp(s->lines[i].name, name) == 0) {
		memcpy(s->lines[i].hex, hex, DIGEST_LEN);
		return 0;
	}
	copy = strdup(name);
	lines = copy ? realloc(s->lines, (s->n + 1) * sizeof(*lines)) : NULL;
	if (!lines) {
		free(copy);
		return -ENOMEM;
	}
	s->lines = lines;
	memmove(&lines[i + 1], &lines[i], (s->n - i) * sizeof(*lines));
	lines[i].name = copy;
	memcpy(lines[i].hex, hex, DIGEST_LEN);
	s->n++;
	return 0;
}

void sums_drop(struct sums *s, const char *name)
{
	size_t i = place(s, name);

	if (i == s->n || strcmp(s->lines[i].name, name) != 0)
		return;
	free(s->lines[i].name);
	s->n--;
	memmove(&s->lines[i], &s->lines[i + 1], (s->n - i) * sizeof(*s->lines));
}

/* A file of the same folder, whose name may be printed and needs no escape in such a line. */
static bool is_name(const char *name, size_t len)
{
	size_t i;

	if (len == 0 || len > NAME_MAX_LEN || name[0] == '.')
		return false;
	for (i = 0; i < len; i++)
		if (name[i] <= 0x20 || name[i] > 0x7e || strchr("/\\", name[i]))
			return false;
	return true;
}

static int take_line(const char *line, size_t len, struct sums *ret, struct fault *why)
{
	char hex[DIGEST_LEN] = "", name[NAME_MAX_LEN + 1] = "";

	/* Between sum and name: "  ", or " *" where somebody said --binary. */
	if (len <= HEX + 2 || strspn(line, "0123456789abcdef") != HEX || line[HEX] != ' ' ||
	    !strchr(" *", line[HEX + 1]) || !is_name(line + HEX + 2, len - HEX - 2))
		return fault_set(why, EBADMSG, "not a sum and a file of the same folder");
	memcpy(hex, line, HEX);
	memcpy(name, line + HEX + 2, len - HEX - 2);
	if (sums_find(ret, name))
		return fault_set(why, EBADMSG, "'%s' a second time", name);
	return sums_put(ret, name, hex) < 0 ? fault_errno(why, ENOMEM, "sums") : 0;
}

int sums_parse(const char *data, size_t len, struct sums *ret, struct fault *why)
{
	scoped(sums_done) struct sums sums = { 0 };
	const char *at = data, *end = data + len;
	unsigned n;

	for (n = 1; at < end; n++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		int r = newline ? take_line(at, (size_t)(newline - at), &sums, why)
				: fault_set(why, EBADMSG, "ends in the middle");

		if (r < 0)
			return fault_wrap(why, "line %u", n);
		at = newline + 1;
	}
	*ret = sums;
	sums = (struct sums){ 0 };
	return 0;
}

void sums_render(const struct sums *s, struct text *out)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		text_addf(out, "%s  %s\n", s->lines[i].hex, s->lines[i].name);
}
