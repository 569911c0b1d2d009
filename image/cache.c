/* SPDX-License-Identifier: MIT */
#include "image/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "image/progress.h"

DEFINE_DROP(dir, DIR *, closedir)
DEFINE_DROP(string, char *, free)

static int wanted_path(struct text *out, struct fault *why)
{
	const char *own = getenv("RACKSEED_CACHE");
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	scoped(drop_string) char *here = NULL;

	if (own && *own == '/')
		text_add(out, own);
	else if (own && *own && (here = getcwd(NULL, 0)))
		text_addf(out, "%s/%s", here, own);
	else if (xdg && *xdg == '/')
		text_addf(out, "%s/rackseed", xdg);
	else if (home && *home == '/')
		text_addf(out, "%s/.cache/rackseed", home);
	else
		return fault_set(why, ENOENT, "no place for the cache: set RACKSEED_CACHE");
	return text_error(out);
}

/* The path is put into apt's and mmdebstrap's own languages, where quoting is not to be had. */
static int check_path(const char *path, struct fault *why)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789/._+-";

	if (path[strspn(path, good)] == '\0')
		return 0;
	return fault_set(why, EINVAL,
			 "the cache folder '%s' has characters that apt does not take: set "
			 "RACKSEED_CACHE to a plain path",
			 path);
}

int cache_open(struct cache *ret, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	scoped(drop_fd) int top = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cache c = { .fd = -1, .lock_fd = -1 };
	int r = wanted_path(&path, why);

	if (r == 0)
		r = check_path(text_str(&path), why);
	if (r == 0)
		r = fs_mkdirs(top, text_str(&path), 0755, why);
	if (r < 0)
		return r;
	c.fd = open(text_str(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c.fd < 0)
		return fault_errno(why, errno, "%s", text_str(&path));
	c.path = text_take(&path);
	if (!c.path) {
		drop_fd(&c.fd);
		return fault_errno(why, ENOMEM, "cache");
	}
	*ret = c;
	return 0;
}

static int sweep(const struct cache *c, struct fault *why)
{
	int fd = openat(c->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(drop_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return fault_errno(why, errno, "%s", c->path);
	while (r >= 0 && (entry = readdir(dir)))
		if (strncmp(entry->d_name, CACHE_UNFINISHED, strlen(CACHE_UNFINISHED)) == 0)
			r = fs_remove_tree(c->fd, entry->d_name, why);
	return r < 0 ? fault_wrap(why, "%s", c->path) : 0;
}

void cache_done(struct cache *c)
{
	struct fault ignored = { 0 };

	if (c->lock_fd >= 0)
		sweep(c, &ignored); /* what stays is swept by the next */
	drop_fd(&c->lock_fd);
	drop_fd(&c->fd);
	free(take(c->path));
}

int cache_lock(struct cache *c, struct progress *progress, struct fault *why)
{
	/* Inherited on purpose: what a killed build started still holds it until it has ended. */
	c->lock_fd = openat(c->fd, "build.lock", O_RDWR | O_CREAT, 0644);
	if (c->lock_fd < 0)
		return fault_errno(why, errno, "%s/build.lock", c->path);
	if (flock(c->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		progress_note(progress, "waiting for another build that uses %s", c->path);
		while (flock(c->lock_fd, LOCK_EX) < 0)
			if (errno != EINTR)
				return fault_errno(why, errno, "%s/build.lock", c->path);
	}
	return sweep(c, why);
}

/* The file that matches and was used longest ago, and how many match. */
static int find_oldest(const struct cache *c, const char *pattern, char oldest[static NAME_MAX + 1],
		       size_t *ret_n)
{
	int fd = openat(c->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(drop_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct timespec least = { 0 };
	struct dirent *entry;
	struct stat st;
	size_t n = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (fnmatch(pattern, entry->d_name, FNM_PERIOD) != 0 ||
		    fstatat(c->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (n++ == 0 || st.st_mtim.tv_sec < least.tv_sec ||
		    (st.st_mtim.tv_sec == least.tv_sec && st.st_mtim.tv_nsec < least.tv_nsec)) {
			least = st.st_mtim;
			snprintf(oldest, NAME_MAX + 1, "%s", entry->d_name);
		}
	}
	*ret_n = n;
	return 0;
}

int cache_used(const struct cache *c, const char *name, const char *pattern, struct fault *why)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_NOW } };
	char oldest[NAME_MAX + 1];
	size_t n = 0;
	int r;

	if (utimensat(c->fd, name, times, 0) < 0 && errno != EPERM && errno != EACCES)
		return fault_errno(why, errno, "%s/%s", c->path, name);
	for (;;) {
		r = find_oldest(c, pattern, oldest, &n);
		if (r < 0)
			return fault_errno(why, r, "%s", c->path);
		if (n <= CACHE_KEPT || strcmp(oldest, name) == 0)
			return 0;
		r = fs_remove(c->fd, oldest, why);
		if (r < 0)
			return r;
	}
}
