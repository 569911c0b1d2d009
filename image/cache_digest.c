/* SPDX-License-Identifier: MIT */
#include "image/cache.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "image/digest.h"

/* One line for each file: the sum of what stat says, a blank, the sum of what is in it. */
#define SUMS "sums"

enum {
	SUM = DIGEST_LEN - 1,
	LINE = 2 * SUM + 2,
	YOUNG_S = 3, /* a change within the clock's own step would not be seen */
};
static const size_t max_lines = 512;

static int describe(const char *path, char ret_key[static DIGEST_LEN], bool *ret_young,
		    struct fault *why)
{
	scoped(text_done) struct text all = { 0 };
	struct stat st;

	if (stat(path, &st) < 0)
		return fault_errno(why, errno, "%s", path);
	text_addf(&all, "%s\n%llu %llu %lld %lld.%09ld %lld.%09ld\n", path,
		  (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
		  (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		  (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	if (text_error(&all) < 0)
		return fault_errno(why, ENOMEM, "%s", path);
	*ret_young = time(NULL) - st.st_ctim.tv_sec < YOUNG_S;
	return digest_bytes(text_str(&all), all.len, ret_key, why);
}

static bool find(const struct text *sums, const char *key, char ret_hex[static DIGEST_LEN])
{
	size_t at;

	for (at = 0; at + LINE <= sums->len; at += LINE) {
		const char *line = sums->data + at;

		if (memcmp(line, key, SUM) != 0 || line[SUM] != ' ' || line[LINE - 1] != '\n' ||
		    strspn(line + SUM + 1, "0123456789abcdef") != SUM)
			continue;
		memcpy(ret_hex, line + SUM + 1, SUM);
		ret_hex[SUM] = '\0';
		return true;
	}
	return false;
}

/* The oldest lines make room. That it cannot be kept costs time, nothing else. */
static void keep(const struct cache *c, const struct text *sums, const char *key, const char *hex)
{
	scoped(text_done) struct text all = { 0 };
	size_t whole = sums->len - sums->len % LINE;
	size_t first = whole < max_lines * LINE ? 0 : whole - (max_lines - 1) * LINE;
	struct fault ignored = { 0 };

	if (whole)
		text_add_n(&all, sums->data + first, whole - first);
	text_addf(&all, "%s %s\n", key, hex);
	if (text_error(&all) == 0 &&
	    fs_write(c->fd, SUMS, 0644, text_str(&all), all.len, &ignored) < 0)
		return;
}

int cache_digest(const struct cache *c, const char *path, char ret_hex[static DIGEST_LEN],
		 struct fault *why)
{
	scoped(text_done) struct text sums = { 0 };
	char key[DIGEST_LEN];
	struct fault ignored = { 0 };
	bool young = false;
	int r = describe(path, key, &young, why);

	if (r < 0)
		return r;
	if (fs_read(c->fd, SUMS, 2 * max_lines * LINE, &sums, &ignored) < 0)
		text_done(&sums);
	if (!young && find(&sums, key, ret_hex))
		return 0;
	r = digest_file(path, ret_hex, why);
	if (r == 0 && !young)
		keep(c, &sums, key, ret_hex);
	return r;
}
