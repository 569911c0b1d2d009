/* SPDX-License-Identifier: MIT */
#include "image/target_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <linux/fs.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"

#ifndef BLKGETDISKSEQ /* Linux 5.15 */
#define BLKGETDISKSEQ _IOR(0x12, 128, uint64_t)
#endif

enum { LOCK_TRIES = 50, LOCK_PAUSE_MS = 100 };

void target_done(struct target *t)
{
	drop_fd(&t->fd);
	free(t->path);
	t->path = NULL;
}

/*
 * The lock keeps udev from probing what is half written (systemd's block device locking), and a
 * second flash off a file, for which O_EXCL means nothing. udev holds it for moments only.
 */
static bool lock(int fd)
{
	const struct timespec pause = { 0, LOCK_PAUSE_MS * 1000000L };
	int i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK)
			return true; /* a file system without locks */
		nanosleep(&pause, NULL);
	}
	return false;
}

static int open_to_write(const char *path, bool *ret_busy, struct fault *why)
{
	int fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	*ret_busy = fd < 0 && errno == EBUSY;
	if (fd >= 0) {
		*ret_busy = !lock(fd);
		return fd;
	}
	if (errno == ENOENT)
		return fault_set(why, ENOENT,
				 "'%s' is not there; a file has to exist (truncate -s SIZE)", path);
	/* Refused: through an fd that cannot write it is told why. */
	if (errno == EBUSY || errno == EROFS || errno == EACCES || errno == EPERM ||
	    errno == EISDIR)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == EACCES)
		return fault_errno(why, EACCES, "'%s' (disks are written as root)", path);
	return fd < 0 ? fault_errno(why, errno, "'%s'", path) : fd;
}

/* What the fd itself says goes before what sysfs says of the number: names and numbers move. */
static int ask_device(int fd, struct target_facts *f, struct fault *why)
{
	uint64_t size = 0, diskseq = 0;
	int read_only = 0, sector = 0;

	if (ioctl(fd, BLKGETSIZE64, &size) < 0 || ioctl(fd, BLKROGET, &read_only) < 0 ||
	    ioctl(fd, BLKSSZGET, &sector) < 0)
		return fault_errno(why, errno, "asking the kernel for its size");
	f->size_bytes = size;
	f->read_only = read_only != 0;
	f->sector_bytes = (unsigned)sector;
	if (ioctl(fd, BLKGETDISKSEQ, &diskseq) == 0 && f->diskseq && diskseq != f->diskseq)
		snprintf(f->changed, sizeof(f->changed), "the medium was changed");
	return 0;
}

static int look_block(int root, int fd, dev_t device, struct target_facts *f, struct fault *why)
{
	struct target_family family;
	int r;

	f->major = major(device);
	f->minor = minor(device);
	r = target_look_sys(root, f, &family, why);
	if (r == 0)
		r = ask_device(fd, f, why);
	if (r == 0)
		r = target_look_mounts(root, &family, f, why);
	return r;
}

static void look_file(int root, int fd, const struct stat *st, struct target_facts *f)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	f->kind = TARGET_FILE;
	f->size_bytes = (uint64_t)st->st_size & ~511ULL;
	f->read_only = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
	snprintf(f->transport, sizeof(f->transport), "file");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n > 0) {
		path[n] = '\0';
		target_look_loops(root, path, f);
	}
}

static void take_file_name(const char *path, struct target_facts *f)
{
	const char *slash = strrchr(path, '/');

	snprintf(f->name, sizeof(f->name), "%.*s", TARGET_WORD - 1, slash ? slash + 1 : path);
}

int target_look(int root, const struct target *t, struct target_facts *ret, struct fault *why)
{
	struct target_facts f = { .busy = t->facts.busy };
	struct stat st;
	int r = 0;

	if (fstat(t->fd, &st) < 0)
		return fault_errno(why, errno, "'%s'", t->path);
	take_file_name(t->path, &f);
	f.kind = TARGET_STRANGE;
	if (S_ISREG(st.st_mode))
		look_file(root, t->fd, &st, &f);
	else if (S_ISBLK(st.st_mode))
		r = look_block(root, t->fd, st.st_rdev, &f, why);
	/* What is read-only to us because somebody holds it is busy, and only that. */
	if (f.kind == TARGET_FILE && f.busy)
		f.read_only = false;
	if (r == 0 && f.kind != TARGET_STRANGE)
		r = target_look_content(t->fd, &f, why);
	if (r < 0)
		return fault_wrap(why, "'%s'", t->path);
	*ret = f;
	return 0;
}

/* Opened read-only although nothing about the disk explains it: it is us who may not. */
static bool cannot_write(const struct target *t)
{
	return (fcntl(t->fd, F_GETFL) & O_ACCMODE) == O_RDONLY && !t->facts.busy &&
	       !t->facts.read_only && t->facts.kind != TARGET_STRANGE;
}

int target_open(int root, const char *path, enum target_access access, struct target *ret,
		struct fault *why)
{
	scoped(target_done) struct target t = { .fd = -1 };
	int r;

	t.path = strdup(path);
	if (!t.path)
		return fault_errno(why, ENOMEM, "'%s'", path);
	if (access == TARGET_TO_WRITE)
		t.fd = open_to_write(path, &t.facts.busy, why);
	else
		t.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (t.fd < 0)
		return access == TARGET_TO_WRITE ? t.fd
						 : fault_errno(why, errno, "open '%s'", path);
	r = target_look(root, &t, &t.facts, why);
	if (r < 0)
		return r;
	if (access == TARGET_TO_WRITE && cannot_write(&t))
		return fault_set(why, EACCES, "'%s' may not be written by this user (try as root)",
				 path);
	*ret = t;
	t = (struct target){ .fd = -1 };
	return 0;
}

int target_look_name(int root, const char *name, struct target_facts *ret, struct fault *why)
{
	struct target_facts f = { .unread = true };
	struct target_family family;
	char path[300], number[32];
	int r;

	snprintf(path, sizeof(path), "sys/block/%s/dev", name);
	target_word(root, path, number, sizeof(number));
	if (!target_device(number, &f.major, &f.minor))
		return fault_set(why, ENODEV, "/%s tells no device", path);
	r = target_look_sys(root, &f, &family, why);
	if (r == 0)
		r = target_look_mounts(root, &family, &f, why);
	if (r == 0)
		*ret = f;
	return r;
}
