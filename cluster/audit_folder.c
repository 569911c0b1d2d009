/* SPDX-License-Identifier: MIT */
#include "cluster/audit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/seed.h"

DEFINE_DROP(dir, DIR *, closedir)

/* Links of the tree lead within the tree, never to this machine's own files. */
static int open_in(int root, const char *path, unsigned long flags)
{
	const struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static void copy_stat(struct audit_stat *ret, const struct stat *st)
{
	*ret = (struct audit_stat){ .mode = st->st_mode, .uid = st->st_uid, .gid = st->st_gid };
}

static int folder_stat(void *data, const char *path, struct audit_stat *ret)
{
	scoped(drop_fd) int fd = open_in(*(int *)data, path, O_PATH | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return fd == -ENOTDIR ? -ENOENT : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	copy_stat(ret, &st);
	return 0;
}

static int folder_read(void *data, const char *path, size_t max, struct text *out)
{
	scoped(drop_fd) int fd = open_in(*(int *)data, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	size_t begin = out->len;
	char buf[16384];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (out->len - begin + (size_t)n > max)
			return -EFBIG;
		text_add_n(out, buf, (size_t)n);
	}
	return n < 0 ? -errno : text_error(out);
}

static int folder_link(void *data, const char *path, struct text *out)
{
	scoped(drop_fd) int fd = open_in(*(int *)data, path, O_PATH | O_NOFOLLOW);
	char target[PATH_MAX];
	ssize_t n;

	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", target, sizeof(target));
	if (n < 0)
		return errno == ENOENT ? -EINVAL : -errno;
	text_add_n(out, target, (size_t)n);
	return text_error(out);
}

static int folder_list(void *data, const char *folder,
		       void (*entry)(void *to, const char *name, const struct audit_stat *st),
		       void *to)
{
	int fd = open_in(*(int *)data, folder, O_RDONLY | O_DIRECTORY);
	scoped(drop_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir)
		return fd < 0 ? fd : -errno;
	while ((e = readdir(dir))) {
		struct audit_stat mine;
		struct stat st;

		if (e->d_name[0] == '.' &&
		    (!e->d_name[1] || (e->d_name[1] == '.' && !e->d_name[2])))
			continue;
		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		copy_stat(&mine, &st);
		entry(to, e->d_name, &mine);
	}
	return 0;
}

int audit_folder(const char *dir, const struct seed *seed, struct audit *ret, struct fault *why)
{
	scoped(drop_fd) int root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct audit_tree tree = { .stat = folder_stat,
					 .read = folder_read,
					 .link = folder_link,
					 .list = folder_list,
					 .data = &root };
	int r = root < 0 ? fault_errno(why, errno, "%s", dir) : 0;

	if (r == 0)
		r = audit_judge(&tree, seed, ret, why);
	return r < 0 ? fault_wrap(why, "%s", dir) : 0;
}
