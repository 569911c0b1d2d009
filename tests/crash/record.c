/* SPDX-License-Identifier: MIT */
#include "tests/crash/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FD = 1024 };

static struct {
	char root[PATH_MAX];
	size_t n_root;
	struct trace *trace;
	struct disk live;
	int ino[MAX_FD]; /* of files that are open for writing */
	off_t at[MAX_FD];
	struct fault_plan faults;
	unsigned calls;
	FILE *to; /* where changes are said, or NULL: they are not counted */
	unsigned changes;
} now;

int __real_openat(int dirfd, const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __real_read(int fd, void *bytes, size_t n);
ssize_t __real_pread(int fd, void *bytes, size_t n, off_t at);
int __real_fsync(int fd);
int __real_syncfs(int fd);
int __real_renameat(int from, const char *a, int to, const char *b);
int __real_unlinkat(int dirfd, const char *path, int flags);
int __real_mkdirat(int dirfd, const char *path, mode_t mode);
int __real_fchmod(int fd, mode_t mode);
int __real_fchmodat(int dirfd, const char *path, mode_t mode, int flags);
int __real_symlinkat(const char *target, int dirfd, const char *path);
int __real_fstatat(int dirfd, const char *path, struct stat *st, int flags);
int __real_fstat(int fd, struct stat *st);
int __real_close(int fd);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *rest);

int __wrap_openat(int dirfd, const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_read(int fd, void *bytes, size_t n);
ssize_t __wrap_pread(int fd, void *bytes, size_t n, off_t at);
int __wrap_fsync(int fd);
int __wrap_syncfs(int fd);
int __wrap_renameat(int from, const char *a, int to, const char *b);
int __wrap_unlinkat(int dirfd, const char *path, int flags);
int __wrap_mkdirat(int dirfd, const char *path, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmodat(int dirfd, const char *path, mode_t mode, int flags);
int __wrap_symlinkat(const char *target, int dirfd, const char *path);
int __wrap_fstatat(int dirfd, const char *path, struct stat *st, int flags);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_close(int fd);

/* ---- faults ---- */

/* 0, or what this call shall suffer. */
static int suffer(void)
{
	now.calls++;
	for (int i = 0; i < 2; i++)
		if (now.faults.at[i] == now.calls) {
			if (now.faults.error[i] == FAULT_KILL)
				_exit(9);
			return now.faults.error[i];
		}
	return 0;
}

#define FAIL_IF_ASKED()                                                                            \
	do {                                                                                       \
		int error_ = suffer();                                                             \
		if (error_ > 0) {                                                                  \
			errno = error_;                                                            \
			return -1;                                                                 \
		}                                                                                  \
	} while (0)

void record_faults(const struct fault_plan *plan)
{
	now.faults = plan ? *plan : (struct fault_plan){ 0 };
	now.calls = 0;
}

unsigned record_calls(void)
{
	return now.calls;
}

/* ---- paths ---- */

/* The path below the root, without "." and ".."; false when it lies elsewhere. */
static bool below(int dirfd, const char *path, char ret[static PATH_MAX])
{
	char link[64], full[PATH_MAX];
	ssize_t n = 0;

	if (!now.n_root)
		return false;
	if (path[0] != '/') {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
		n = readlink(link, full, sizeof(full) - 1);
		if (n < 0)
			return false;
	}
	full[n] = '\0';
	if (strcmp(path, ".") != 0 && path[0])
		snprintf(full + n, sizeof(full) - (size_t)n, "%s%s", path[0] == '/' ? "" : "/",
			 path);
	if (strncmp(full, now.root, now.n_root) != 0 ||
	    (full[now.n_root] && full[now.n_root] != '/'))
		return false;
	snprintf(ret, PATH_MAX, "%s", full[now.n_root] ? full + now.n_root + 1 : ".");
	return true;
}

void record_count(const char *root, FILE *to)
{
	snprintf(now.root, sizeof(now.root), "%s", root ? root : "");
	now.n_root = strlen(now.root);
	now.to = to;
	now.changes = 0;
}

unsigned record_changes(void)
{
	return now.changes;
}

static void count(const char *call, int dirfd, const char *path)
{
	char rel[PATH_MAX];

	if (!now.to || !below(dirfd, path, rel) || strncmp(rel, "run/", 4) == 0 ||
	    strcmp(rel, "run") == 0)
		return;
	now.changes++;
	fprintf(now.to, "# %s %s\n", call, rel);
}

static void apply_last(void)
{
	const struct trace one = { .ops = &now.trace->ops[now.trace->n - 1], .n = 1 };
	const unsigned char kept = FATE_KEPT;

	disk_apply(&now.live, &one, 1, &kept);
}

void record_begin(const char *root, const struct disk *base, struct trace *trace)
{
	snprintf(now.root, sizeof(now.root), "%s", root);
	now.n_root = strlen(root);
	now.trace = trace;
	memset(now.ino, 0, sizeof(now.ino));
	disk_done(&now.live);
	if (trace)
		disk_copy(base, &now.live);
}

void record_mark(int mark)
{
	if (now.trace)
		trace_add(now.trace, OP_MARK, NULL)->mark = mark;
}

void record_end(void)
{
	now.trace = NULL;
	now.n_root = 0;
}

static void note_open(int fd, const char *path, int flags, bool existed)
{
	struct entry *e = disk_find(&now.live, path);
	struct op *op;

	if (fd >= MAX_FD)
		abort();
	if (!existed) {
		op = trace_add(now.trace, OP_CREATE, path);
		op->ino = ++now.trace->next_ino;
		op->mode = 0600;
		now.ino[fd] = op->ino;
		apply_last();
	} else {
		now.ino[fd] = e ? e->ino : 0;
		if (flags & O_TRUNC) {
			trace_add(now.trace, OP_TRUNCATE, path)->ino = now.ino[fd];
			apply_last();
		}
	}
	now.at[fd] = 0;
}

/* ---- calls ---- */

/* What is waited for here comes at once or never. */
int __wrap_nanosleep(const struct timespec *pause, struct timespec *rest)
{
	(void)pause, (void)rest;
	return 0;
}

int __wrap_openat(int dirfd, const char *path, int flags, ...)
{
	char rel[PATH_MAX];
	struct stat st;
	mode_t mode = 0;
	va_list ap;
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	bool existed;
	int fd;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = (mode_t)va_arg(ap, int);
	va_end(ap);
	FAIL_IF_ASKED();
	existed = __real_fstatat(dirfd, path, &st, 0) == 0;
	fd = __real_openat(dirfd, path, flags, mode);
	if (fd >= 0 && fd < MAX_FD)
		now.ino[fd] = 0;
	if (fd >= 0 && (writes || flags & (O_CREAT | O_TRUNC)))
		count("openat", dirfd, path);
	if (fd >= 0 && writes && now.trace && below(dirfd, path, rel))
		note_open(fd, rel, flags, existed);
	return fd;
}

int __wrap_close(int fd)
{
	if (fd >= 0 && fd < MAX_FD)
		now.ino[fd] = 0;
	return __real_close(fd);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
	int error = suffer();

	if (error > 0) {
		errno = error;
		return -1;
	}
	if (error == FAULT_SHORT && n > 1)
		n /= 2;
	if (now.trace && fd >= 0 && fd < MAX_FD && now.ino[fd]) {
		struct op *op = trace_add(now.trace, OP_WRITE, NULL);

		op->ino = now.ino[fd];
		op->offset = (size_t)now.at[fd];
		op->len = n;
		op->data = malloc(n + 1);
		if (!op->data)
			abort();
		memcpy(op->data, bytes, n);
		now.at[fd] += (off_t)n;
		apply_last();
	}
	return __real_write(fd, bytes, n);
}

ssize_t __wrap_read(int fd, void *bytes, size_t n)
{
	int error = suffer();

	if (error > 0) {
		errno = error;
		return -1;
	}
	return __real_read(fd, bytes, error == FAULT_SHORT && n > 1 ? n / 2 : n);
}

ssize_t __wrap_pread(int fd, void *bytes, size_t n, off_t at)
{
	FAIL_IF_ASKED();
	return __real_pread(fd, bytes, n, at);
}

static bool is_folder(int fd)
{
	struct stat st;

	return __real_fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

int __wrap_fsync(int fd)
{
	char rel[PATH_MAX];

	FAIL_IF_ASKED();
	if (now.trace && is_folder(fd) && below(fd, ".", rel))
		trace_add(now.trace, OP_SYNC_FOLDER, rel);
	else if (now.trace && fd < MAX_FD && now.ino[fd])
		trace_add(now.trace, OP_SYNC_FILE, NULL)->ino = now.ino[fd];
	return 0; /* the disk of the test needs none */
}

int __wrap_syncfs(int fd)
{
	FAIL_IF_ASKED();
	(void)fd;
	if (now.trace)
		trace_add(now.trace, OP_SYNC_ALL, NULL);
	return 0;
}

int __wrap_renameat(int from, const char *a, int to, const char *b)
{
	char source[PATH_MAX], target[PATH_MAX];
	bool ours;
	int r;

	FAIL_IF_ASKED();
	ours = now.trace && below(from, a, source) && below(to, b, target);
	r = __real_renameat(from, a, to, b);
	if (r == 0)
		count("renameat", to, b);
	if (r == 0 && ours) {
		trace_add(now.trace, OP_RENAME, source)->to = strdup(target);
		apply_last();
	}
	return r;
}

int __wrap_unlinkat(int dirfd, const char *path, int flags)
{
	char rel[PATH_MAX];
	int r;

	FAIL_IF_ASKED();
	r = __real_unlinkat(dirfd, path, flags);
	if (r == 0)
		count("unlinkat", dirfd, path);
	if (r == 0 && now.trace && below(dirfd, path, rel)) {
		trace_add(now.trace, flags & AT_REMOVEDIR ? OP_RMDIR : OP_UNLINK, rel);
		apply_last();
	}
	return r;
}

int __wrap_mkdirat(int dirfd, const char *path, mode_t mode)
{
	char rel[PATH_MAX];
	int r;

	FAIL_IF_ASKED();
	r = __real_mkdirat(dirfd, path, mode);
	if (r == 0)
		count("mkdirat", dirfd, path);
	if (r == 0 && now.trace && below(dirfd, path, rel)) {
		trace_add(now.trace, OP_MKDIR, rel)->mode = mode;
		apply_last();
	}
	return r;
}

int __wrap_fchmod(int fd, mode_t mode)
{
	FAIL_IF_ASKED();
	count("fchmod", fd, ".");
	if (now.trace && fd < MAX_FD && now.ino[fd]) {
		struct op *op = trace_add(now.trace, OP_MODE, NULL);

		op->ino = now.ino[fd];
		op->mode = mode;
		apply_last();
	}
	return __real_fchmod(fd, mode);
}

int __wrap_fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
	char rel[PATH_MAX];

	FAIL_IF_ASKED();
	count("fchmodat", dirfd, path);
	if (now.trace && below(dirfd, path, rel)) {
		trace_add(now.trace, OP_MODE, rel)->mode = mode;
		apply_last();
	}
	return __real_fchmodat(dirfd, path, mode, flags);
}

int __wrap_symlinkat(const char *target, int dirfd, const char *path)
{
	char rel[PATH_MAX];
	int r;

	FAIL_IF_ASKED();
	r = __real_symlinkat(target, dirfd, path);
	if (r == 0)
		count("symlinkat", dirfd, path);
	if (r == 0 && now.trace && below(dirfd, path, rel)) {
		struct op *op = trace_add(now.trace, OP_SYMLINK, rel);

		op->to = strdup(target);
		op->mode = 0777;
		apply_last();
	}
	return r;
}

int __wrap_fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
	FAIL_IF_ASKED();
	return __real_fstatat(dirfd, path, st, flags);
}

int __wrap_fstat(int fd, struct stat *st)
{
	FAIL_IF_ASKED();
	return __real_fstat(fd, st);
}
