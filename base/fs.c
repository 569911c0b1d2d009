/* SPDX-License-Identifier: MIT */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"

#define TEMP_SUFFIX ".rackseed-new"

DEFINE_DROP(dir, DIR *, closedir)

void drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Under a folder '/' is that folder; under AT_FDCWD a path means what it means everywhere. */
static const char *below(int dirfd, const char *path)
{
	if (dirfd == AT_FDCWD && *path)
		return path;
	while (*path == '/')
		path++;
	return *path ? path : ".";
}

static int read_some(int fd, char *buf, size_t n)
{
	ssize_t r;

	do
		r = read(fd, buf, n);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : (int)r;
}

bool fs_is_silent(int code)
{
	static const int known[] = { 0,	    ENOENT, ENOTDIR, EISDIR, ELOOP,
				     EFBIG, EINVAL, EBADMSG, ENXIO,  ENAMETOOLONG };
	size_t i;

	for (i = 0; i < COUNT(known); i++)
		if (abs(code) == known[i])
			return false;
	return true;
}

int fs_read(int dirfd, const char *path, size_t max, struct text *out, struct fault *why)
{
	scoped(drop_fd) int fd =
		openat(dirfd, below(dirfd, path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char buf[16384];
	struct stat st;
	size_t sum = 0;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_errno(why, errno, "%s", path);
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return fault_set(why, S_ISDIR(st.st_mode) ? EISDIR : EINVAL, "%s: not a file",
				 path);
	if (st.st_size > 0 && (unsigned long long)st.st_size > max)
		return fault_set(why, EFBIG, "%s: larger than %zu bytes", path, max);
	while ((r = read_some(fd, buf, sizeof(buf))) > 0) {
		sum += (size_t)r;
		if (sum > max)
			return fault_set(why, EFBIG, "%s: larger than %zu bytes", path, max);
		text_add_n(out, buf, (size_t)r);
	}
	if (r < 0)
		return fault_errno(why, r, "%s", path);
	if (text_error(out) < 0)
		return fault_errno(why, text_error(out), "%s", path);
	return 0;
}

/* Opens the folder that path lies in and points *ret_name at the last component. */
static int open_parent(int dirfd, const char *path, const char **ret_name, struct fault *why)
{
	char dir[PATH_MAX] = ".";
	const char *slash;
	int fd;

	path = below(dirfd, path);
	slash = strrchr(path, '/');
	*ret_name = slash ? slash + 1 : path;
	if (slash) {
		size_t n = slash > path ? (size_t)(slash - path) : 1; /* 1: "/" itself */

		if (n >= sizeof(dir))
			return fault_errno(why, ENAMETOOLONG, "%s", path);
		snprintf(dir, sizeof(dir), "%.*s", (int)n, path);
	}
	fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		int r = fs_mkdirs(dirfd, dir, 0755, why);

		if (r < 0)
			return r;
		fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return fault_errno(why, errno, "%s", dir);
	return fd;
}

static bool holds(int dirfd, const char *name, mode_t mode, const char *data, size_t len)
{
	scoped(drop_fd) int fd =
		openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char buf[16384];
	struct stat st;
	size_t at = 0;
	int n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & 07777) != mode || (size_t)st.st_size != len)
		return false;
	while ((n = read_some(fd, buf, sizeof(buf))) > 0) {
		if ((size_t)n > len - at || memcmp(buf, data + at, (size_t)n) != 0)
			return false;
		at += (size_t)n;
	}
	return n == 0 && at == len;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int fill_temp(int dirfd, const char *temp, mode_t mode, const char *data, size_t len)
{
	scoped(drop_fd) int fd = -1;
	int r;

	if (unlinkat(dirfd, temp, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, data, len);
	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

static int publish(int dirfd, const char *temp, const char *name)
{
	int r;

	if (renameat(dirfd, temp, dirfd, name) == 0)
		return fsync(dirfd) < 0 ? -errno : 0;
	r = -errno;
	unlinkat(dirfd, temp, 0);
	return r;
}

/*
 * The temporary's name is hidden, so that readers of drop-in folders pass over it, and always the
 * same, so that one left over is overcome. The longest names are cut to leave room.
 */
static void temp_name(const char *name, char buf[static NAME_MAX + 1])
{
	snprintf(buf, NAME_MAX + 1, ".%.*s" TEMP_SUFFIX,
		 (int)(NAME_MAX - sizeof("." TEMP_SUFFIX) + 1), name);
}

int fs_write(int dirfd, const char *path, mode_t mode, const char *data, size_t len,
	     struct fault *why)
{
	char temp[NAME_MAX + 1];
	const char *name;
	scoped(drop_fd) int parent = open_parent(dirfd, path, &name, why);
	int r;

	if (parent < 0)
		return parent;
	if (holds(parent, name, mode, data, len))
		return FS_SAME;
	temp_name(name, temp);
	r = fill_temp(parent, temp, mode, data, len);
	if (r < 0)
		unlinkat(parent, temp, 0);
	else
		r = publish(parent, temp, name);
	return r < 0 ? fault_errno(why, r, "cannot write %s", path) : FS_CHANGED;
}

int fs_link(int dirfd, const char *path, const char *target, struct fault *why)
{
	char old[PATH_MAX];
	char temp[NAME_MAX + 1];
	const char *name;
	scoped(drop_fd) int parent = open_parent(dirfd, path, &name, why);
	ssize_t n;
	int r = 0;

	if (parent < 0)
		return parent;
	n = readlinkat(parent, name, old, sizeof(old));
	if (n >= 0 && (size_t)n == strlen(target) && memcmp(old, target, (size_t)n) == 0)
		return FS_SAME;
	temp_name(name, temp);
	if (unlinkat(parent, temp, 0) < 0 && errno != ENOENT)
		r = -errno;
	if (r == 0 && symlinkat(target, parent, temp) < 0)
		r = -errno;
	if (r == 0)
		r = publish(parent, temp, name);
	return r < 0 ? fault_errno(why, r, "cannot link %s", path) : FS_CHANGED;
}

/* The name of a new folder comes to the disk before anything in it is called written. */
static int sync_parent(int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];
	scoped(drop_fd) int fd = -1;

	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 1,
		 slash == path ? "/" : slash ? path : ".");
	fd = openat(dirfd, parent[0] ? parent : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Not every file system of a host syncs folders. */
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return -errno;
	return 0;
}

/* FS_CHANGED, FS_SAME or negative. */
static int make_folder(int dirfd, const char *path, mode_t mode)
{
	struct stat st;
	int r;

	if (mkdirat(dirfd, path, mode) == 0) {
		/* The umask had a say; what the folder inherited (setgid) stays. */
		if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		mode |= st.st_mode & S_ISGID;
		if ((st.st_mode & 07777) != mode && fchmodat(dirfd, path, mode, 0) < 0)
			return -errno;
		r = sync_parent(dirfd, path);
		return r < 0 ? r : FS_CHANGED;
	}
	if (errno != EEXIST || fstatat(dirfd, path, &st, 0) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? FS_SAME : -ENOTDIR;
}

int fs_mkdirs(int dirfd, const char *path, mode_t mode, struct fault *why)
{
	char part[PATH_MAX];
	const char *rest = below(dirfd, path);
	size_t n = 0;
	int outcome = FS_SAME;

	if (strlen(rest) >= sizeof(part))
		return fault_errno(why, ENAMETOOLONG, "%s", path);
	while (rest[n]) {
		int r;

		n += strspn(rest + n, "/");
		n += strcspn(rest + n, "/");
		memcpy(part, rest, n);
		part[n] = '\0';
		r = make_folder(dirfd, part, mode);
		if (r < 0)
			return fault_errno(why, r, "cannot make folder %s", path);
		outcome = r == FS_CHANGED ? FS_CHANGED : outcome;
	}
	return outcome;
}

int fs_remove(int dirfd, const char *path, struct fault *why)
{
	if (unlinkat(dirfd, below(dirfd, path), 0) == 0)
		return FS_CHANGED;
	return errno == ENOENT ? FS_SAME : fault_errno(why, errno, "cannot remove %s", path);
}

/* What is mounted there is somebody else's: a host's /dev within a root left by a broken build. */
static bool is_mount(int fd)
{
	struct statx st = { 0 };

	return statx(fd, "", AT_EMPTY_PATH, 0, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static int remove_below(int parent, const char *name)
{
	scoped(drop_dir) DIR *dir = NULL;
	struct dirent *entry;
	scoped(drop_fd) int own = -1;
	int r = 0;
	int fd;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	own = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = own < 0 ? NULL : fdopendir(own);
	if (!dir)
		return -errno;
	fd = own;
	own = -1; /* it is the stream's now */
	if (is_mount(fd))
		return -EBUSY;
	while (r == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = remove_below(fd, entry->d_name);
	if (r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

int fs_remove_tree(int dirfd, const char *path, struct fault *why)
{
	struct stat st;
	int r;

	path = below(dirfd, path);
	/* The root itself would be emptied before its removal fails. */
	if (strspn(path, "./") == strlen(path))
		return fault_set(why, EINVAL, "cannot remove %s: not a folder below another", path);
	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? FS_SAME : fault_errno(why, errno, "%s", path);
	r = remove_below(dirfd, path);
	return r < 0 ? fault_errno(why, r, "cannot remove %s", path) : FS_CHANGED;
}
