/* SPDX-License-Identifier: MIT */
#include "cluster/seed.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"

/* SHA256SUMS: which files a seed holds, and that they are what was written. */

#define SUMS "SHA256SUMS"

enum { SUM_BYTES = 32, SUM_HEX = 2 * SUM_BYTES };
_Static_assert((int)SEED_DIGEST == SUM_HEX + 1, "a sum as text");

int seed_digest(const char *data, size_t len, char hex[static SEED_DIGEST], struct fault *why)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	size_t i;

	if (EVP_Digest(data, len, md, &n, EVP_sha256(), NULL) != 1 || n != SUM_BYTES)
		return fault_set(why, EIO, "SHA-256 failed");
	for (i = 0; i < SUM_BYTES; i++) {
		hex[2 * i] = digits[md[i] >> 4];
		hex[2 * i + 1] = digits[md[i] & 15];
	}
	hex[SUM_HEX] = '\0';
	return 0;
}

static int sum(const struct seed_file *file, char hex[static SEED_DIGEST], struct fault *why)
{
	int r = seed_digest(file->data, file->len, hex, why);

	return r < 0 ? fault_wrap(why, "%s", file->path) : 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct seed_file *)a)->path, ((const struct seed_file *)b)->path);
}

int seed_seal(struct seed *s, struct fault *why)
{
	scoped(text_done) struct text sums = { 0 };
	char hex[SEED_DIGEST];
	size_t i;
	int r;

	if (seed_find(s, SUMS))
		return fault_set(why, EEXIST, "the seed is sealed already");
	if (s->n > 0)
		qsort(s->files, s->n, sizeof(*s->files), by_path);
	for (i = 0; i < s->n; i++) {
		r = sum(&s->files[i], hex, why);
		if (r < 0)
			return r;
		text_addf(&sums, "%s  %s\n", hex, s->files[i].path);
	}
	if (text_error(&sums) < 0)
		return fault_errno(why, ENOMEM, SUMS);
	return seed_add(s, SUMS, text_str(&sums), sums.len, why);
}

/* One line of SHA256SUMS, without its newline, whose file is marked as seen. */
static int check_line(const struct seed *s, const char *line, size_t len, bool *seen,
		      struct fault *why)
{
	const struct seed_file *file = NULL;
	char hex[SEED_DIGEST];
	size_t i;
	int r;

	if (len <= SUM_HEX + 2 || strspn(line, "0123456789abcdef") != SUM_HEX ||
	    memcmp(line + SUM_HEX, "  ", 2) != 0)
		return fault_set(why, EBADMSG, "not a line of sha256sum");
	line += SUM_HEX + 2;
	len -= SUM_HEX + 2;
	for (i = 0; i < len; i++) /* it will be printed: nothing that a terminal obeys */
		if (line[i] < 0x20 || line[i] > 0x7e)
			return fault_set(why, EBADMSG, "not a line of sha256sum");
	for (i = 0; i < s->n && !file; i++)
		if (strlen(s->files[i].path) == len && memcmp(s->files[i].path, line, len) == 0)
			file = &s->files[i];
	if (!file)
		return fault_set(why, ENOENT, "'%.*s' is missing", (int)(len < 200 ? len : 200),
				 line);
	i = (size_t)(file - s->files);
	if (seen[i])
		return fault_set(why, EBADMSG, "'%s' a second time", file->path);
	seen[i] = true;
	r = sum(file, hex, why);
	if (r < 0)
		return r;
	if (memcmp(hex, line - SUM_HEX - 2, SUM_HEX) != 0)
		return fault_set(why, EBADMSG, "'%s' is not what was written (its sum differs)",
				 file->path);
	return 0;
}

static int check_lines(const struct seed *s, const struct seed_file *sums, bool *seen,
		       struct fault *why)
{
	const char *line = sums->data;
	const char *end = sums->data + sums->len;
	unsigned n;
	int r;

	for (n = 1; line < end; n++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		if (!newline)
			return fault_set(why, EBADMSG, SUMS ":%u: ends in the middle", n);
		r = check_line(s, line, (size_t)(newline - line), seen, why);
		if (r < 0)
			return fault_wrap(why, SUMS ":%u", n);
		line = newline + 1;
	}
	return 0;
}

int seed_verify(const struct seed *s, struct fault *why)
{
	const struct seed_file *sums = seed_find(s, SUMS);
	bool seen[SEED_MAX_FILES] = { false };
	size_t i;
	int r;

	if (!sums)
		return fault_set(why, ENOENT, SUMS " is missing");
	if (s->n > SEED_MAX_FILES)
		return fault_set(why, EFBIG, "more than %d files in a seed", SEED_MAX_FILES);
	r = check_lines(s, sums, seen, why);
	if (r < 0)
		return r;
	if (seen[sums - s->files])
		return fault_set(why, EBADMSG, SUMS ": names itself");
	for (i = 0; i < s->n; i++)
		if (!seen[i] && &s->files[i] != sums)
			return fault_set(why, EBADMSG, "'%s' is not named in " SUMS ": remove it",
					 s->files[i].path);
	return 0;
}
