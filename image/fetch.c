/* SPDX-License-Identifier: MIT */
#include "image/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/download.h"
#include "image/cache.h"
#include "image/copy.h"
#include "image/file_sum.h"
#include "image/progress.h"

#define WHOLE "fetched-"
#define PART "partly-"

struct job {
	const struct cache *cache;
	struct progress *progress;
	const char *url;
	char hex[DIGEST_LEN];
	char whole[32], part[32]; /* names in the cache */
	int fd;			  /* of the part */
	bool patched;		  /* what came was put behind what an earlier transfer had left */
	struct fault own;	  /* what ended a transfer on this side */
};

static void job_done(struct job *j)
{
	drop_fd(&j->fd);
}

void fetch_sum(const char *sha256, char ret_hex[static DIGEST_LEN])
{
	size_t i;

	for (i = 0; i < DIGEST_LEN - 1 && sha256[i]; i++)
		ret_hex[i] = sha256[i] >= 'A' && sha256[i] <= 'F' ? (char)(sha256[i] - 'A' + 'a')
								  : sha256[i];
	ret_hex[i] = '\0';
}

/* What the file is called there. */
static void add_name(const char *url, struct text *out)
{
	size_t n = strcspn(url, "?");
	size_t from = n;

	while (from > 0 && url[from - 1] != '/')
		from--;
	text_add_n(out, url + from, n - from);
}

static int begin(uint64_t at, uint64_t total, void *data)
{
	struct job *j = data;
	scoped(text_done) struct text name = { 0 };

	if (ftruncate(j->fd, (off_t)at) < 0 || lseek(j->fd, (off_t)at, SEEK_SET) < 0)
		return fault_errno(&j->own, errno, "%s/%s", j->cache->path, j->part);
	j->patched = at > 0;
	add_name(j->url, &name);
	progress_phase(j->progress, total, "downloading %s", text_str(&name));
	progress_add(j->progress, at);
	return total > at ? copy_room(j->cache->fd, j->cache->path, total - at, &j->own) : 0;
}

static int sink(const char *bytes, size_t len, void *data)
{
	struct job *j = data;
	ssize_t n;

	progress_add(j->progress, len);
	for (; len > 0; bytes += n, len -= (size_t)n) {
		n = write(j->fd, bytes, len);
		if (n < 0 && errno != EINTR)
			return fault_errno(&j->own, errno, "%s/%s", j->cache->path, j->part);
		n = n < 0 ? 0 : n;
	}
	return 0;
}

static int size_of(const struct job *j, uint64_t *ret, struct fault *why)
{
	struct stat st;

	if (fstat(j->fd, &st) < 0)
		return fault_errno(why, errno, "%s/%s", j->cache->path, j->part);
	*ret = (uint64_t)st.st_size;
	return 0;
}

/* What came stays, and a person is told so. */
static int give_up(uint64_t size, struct fault *why)
{
	scoped(text_done) struct text kept = { 0 };
	struct fault first = *why;

	if (size == 0)
		return -why->code;
	progress_size(size, &kept);
	return fault_set(why, first.code, "%s (%s of it are kept: the next build goes on there)",
			 first.text, text_str(&kept));
}

/* Goes on at once for as long as each transfer leaves more than there was. */
static int transfer(struct job *j, struct fault *why)
{
	uint64_t before = 0, after = 0;
	int r;

	for (;;) {
		struct download what = { .url = j->url, .begin = begin, .sink = sink, .data = j };

		r = size_of(j, &before, why);
		if (r < 0)
			return r;
		what.from = before;
		j->patched = before > 0;
		r = download(&what, why);
		if (r == 0 || r == -ERANGE) /* which of them is the whole, the sum tells */
			return 0;
		if (r == -ECANCELED)
			*why = j->own;
		if (size_of(j, &after, &j->own) < 0)
			return -why->code;
		if ((r != -ECONNRESET && r != -ETIMEDOUT) || after <= before)
			return give_up(after, why);
		progress_note(j->progress, "%s; going on at byte %" PRIu64, why->text, after);
	}
}

/* From here on it counts as what its name says, so all of it must be on the disk before. */
static int keep(struct job *j, struct fault *why)
{
	if (fchmod(j->fd, 0444) < 0 || fsync(j->fd) < 0 ||
	    renameat(j->cache->fd, j->part, j->cache->fd, j->whole) < 0 || fsync(j->cache->fd) < 0)
		return fault_errno(why, errno, "%s/%s", j->cache->path, j->whole);
	return 0;
}

/* 1 when it is not what it should be. */
static int judge(struct job *j, char ret_hex[static DIGEST_LEN], struct fault *why)
{
	uint64_t size = 0;
	int r = size_of(j, &size, why);

	if (r < 0)
		return r;
	progress_phase(j->progress, size, "checking its sum");
	r = file_sum(j->fd, j->progress, ret_hex, why);
	progress_end(j->progress);
	return r < 0 ? r : strcmp(ret_hex, j->hex) != 0;
}

static int get(struct job *j, struct fault *why)
{
	char hex[DIGEST_LEN];
	bool patched;
	int r;

	j->fd = openat(j->cache->fd, j->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (j->fd < 0)
		return fault_errno(why, errno, "%s/%s", j->cache->path, j->part);
	r = cache_used(j->cache, j->part, PART "*", why);
	do {
		if (r == 0)
			r = transfer(j, why);
		if (r == 0)
			r = judge(j, hex, why);
		if (r <= 0)
			return r < 0 ? r : keep(j, why);
		patched = j->patched;
		if (ftruncate(j->fd, 0) < 0)
			return fault_errno(why, errno, "%s/%s", j->cache->path, j->part);
		r = 0;
		if (patched)
			progress_note(j->progress,
				      "%s: its parts do not fit: once more from the start", j->url);
	} while (patched);
	r = fs_remove(j->cache->fd, j->part, why);
	return r < 0 ? r
		     : fault_set(why, EBADMSG, "%s: its SHA-256 is %s, and not %s as the file says",
				 j->url, hex, j->hex);
}

/* 0: it is there, and is what its name says. 1: it is not there. */
static int find(struct job *j, const char *path, struct fault *why)
{
	char hex[DIGEST_LEN];
	int r;

	if (faccessat(j->cache->fd, j->whole, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 1;
	r = cache_digest(j->cache, path, hex, why);
	if (r < 0 || strcmp(hex, j->hex) == 0)
		return r;
	progress_note(j->progress, "%s is damaged, and fetched anew", path);
	r = fs_remove(j->cache->fd, j->whole, why);
	return r < 0 ? r : 1;
}

int fetch(const struct cache *cache, struct progress *progress, const char *url, const char *sha256,
	  struct text *ret_path, struct fault *why)
{
	scoped(job_done) struct job j = {
		.cache = cache, .progress = progress, .url = url, .fd = -1
	};
	scoped(text_done) struct text path = { 0 };
	int r;

	fetch_sum(sha256, j.hex);
	snprintf(j.whole, sizeof(j.whole), WHOLE "%.16s", j.hex);
	snprintf(j.part, sizeof(j.part), PART "%.16s", j.hex);
	text_addf(&path, "%s/%s", cache->path, j.whole);
	if (text_error(&path) < 0)
		return fault_errno(why, ENOMEM, "%s", url);
	r = find(&j, text_str(&path), why);
	if (r > 0)
		r = get(&j, why);
	if (r == 0)
		r = cache_used(cache, j.whole, WHOLE "*", why);
	if (r < 0)
		return r;
	text_add(ret_path, text_str(&path));
	return text_error(ret_path) < 0 ? fault_errno(why, ENOMEM, "%s", url) : 0;
}
