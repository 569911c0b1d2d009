/* SPDX-License-Identifier: MIT */
#include "cluster/seed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"

/* A seed from a folder that a stranger may have filled: every step has its bound. */

enum { PATH_SIZE = 1024, MAX_FOLDERS = 256 };

DEFINE_DROP(dir, DIR *, closedir)

struct walk {
	struct seed *seed;
	struct fault *why;
	unsigned n_folders;
	char path[PATH_SIZE]; /* where the walk is; "" at the top */
};

static void drop_bytes(char **p)
{
	free(*p);
}

/* Reads len bytes, then sees the end; fewer or more: somebody writes to the file. */
static int read_all(int fd, char *data, size_t len)
{
	size_t at = 0;

	while (at <= len) {
		ssize_t n = read(fd, data + at, len + 1 - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		at += (size_t)n;
	}
	return at == len ? 0 : -EAGAIN;
}

static int read_file(struct walk *w, int dirfd, const char *name)
{
	/* NONBLOCK: a FIFO must not hold up the boot before fstat has unmasked it. */
	scoped(drop_fd) int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	scoped(drop_bytes) char *data = NULL;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_errno(w->why, errno, "%s", w->path);
	if (!S_ISREG(st.st_mode))
		return fault_set(w->why, EINVAL, "'%s' is not a file", w->path);
	if (st.st_size > SEED_BYTES)
		return fault_set(w->why, EFBIG, "'%s' is larger than %d MiB", w->path,
				 SEED_BYTES >> 20);
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return fault_errno(w->why, ENOMEM, "%s", w->path);
	r = read_all(fd, data, (size_t)st.st_size);
	r = r < 0 ? fault_errno(w->why, r, "%s", w->path)
		  : seed_add(w->seed, w->path, data, (size_t)st.st_size, w->why);
	explicit_bzero(data, (size_t)st.st_size);
	return r;
}

static int read_folder(struct walk *w, int dirfd, const char *name, unsigned depth);

static int read_entry(struct walk *w, int dirfd, const char *name, unsigned depth)
{
	size_t n = strlen(w->path);
	struct stat st;
	int r;

	if ((size_t)snprintf(w->path + n, PATH_SIZE - n, "%s%s", n ? "/" : "", name) >=
	    PATH_SIZE - n)
		return fault_errno(w->why, ENAMETOOLONG, "%.200s", w->path);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fault_errno(w->why, errno, "%s", w->path);
	if (S_ISLNK(st.st_mode))
		return fault_set(w->why, ELOOP, "'%s' is a link; a seed holds files", w->path);
	r = S_ISDIR(st.st_mode) ? read_folder(w, dirfd, name, depth)
				: read_file(w, dirfd, name);
	w->path[n] = '\0';
	return r;
}

static int read_folder(struct walk *w, int dirfd, const char *name, unsigned depth)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	scoped(drop_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = fault_errno(w->why, errno, "%s", w->path);
		if (fd >= 0)
			close(fd);
		return r;
	}
	if (depth >= SEED_MAX_DEPTH || ++w->n_folders > MAX_FOLDERS)
		return fault_set(w->why, EFBIG, "'%.200s': too many folders for a seed", w->path);
	while (r == 0 && (errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = read_entry(w, fd, entry->d_name, depth + 1);
	if (r == 0 && errno != 0)
		r = fault_errno(w->why, errno, "%s", w->path);
	return r;
}

int seed_read(int dirfd, struct seed *ret, struct fault *why)
{
	struct seed seed = { 0 };
	struct walk w = { .seed = &seed, .why = why };
	int r = read_folder(&w, dirfd, ".", 0);

	if (r < 0) {
		seed_done(&seed);
		return r;
	}
	*ret = seed;
	return 0;
}
