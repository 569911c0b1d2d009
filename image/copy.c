/* SPDX-License-Identifier: MIT */
#include "image/copy.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "image/progress.h"

enum { CHUNK = 4 << 20 };

int copy_room(int dirfd, const char *name, uint64_t bytes, struct fault *why)
{
	struct text need = { 0 }, have = { 0 };
	struct statvfs st;
	uint64_t left;
	int r = 0;

	if (fstatvfs(dirfd, &st) < 0)
		return fault_errno(why, errno, "%s", name);
	left = (uint64_t)st.f_bavail * st.f_frsize;
	if (left < bytes) {
		progress_size(bytes, &need);
		progress_size(left, &have);
		r = fault_set(why, ENOSPC, "'%s': %s are needed and %s are free", name,
			      text_str(&need), text_str(&have));
	}
	text_done(&need);
	text_done(&have);
	return r;
}

uint64_t copy_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : (uint64_t)st.st_blocks * 512;
}

/* Kernels and file systems differ in what copy_file_range does; plain reads always work. */
static ssize_t move(int from, int to, off_t at, size_t n, char *buf)
{
	off_t in = at, out = at;
	ssize_t got = copy_file_range(from, &in, to, &out, n, 0);
	ssize_t put;

	if (got > 0)
		return got;
	got = pread(from, buf, n < CHUNK ? n : CHUNK, at);
	if (got <= 0)
		return got;
	put = pwrite(to, buf, (size_t)got, at);
	return put;
}

static int copy_extent(int from, int to, off_t at, off_t end, char *buf, struct progress *progress)
{
	while (at < end) {
		size_t left = (size_t)(end - at);
		ssize_t n = move(from, to, at, left < CHUNK ? left : CHUNK, buf);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		if (progress)
			progress_add(progress, (uint64_t)n);
	}
	return 0;
}

static int copy_data(int from, int to, off_t size, struct progress *progress)
{
	char *buf = malloc(CHUNK);
	off_t at = 0;
	int r = buf ? 0 : -ENOMEM;

	while (r == 0 && at < size) {
		off_t data = lseek(from, at, SEEK_DATA);
		off_t hole;

		if (data < 0 && errno == ENXIO)
			break;
		hole = data < 0 ? size : lseek(from, data, SEEK_HOLE);
		if (data < 0)
			data = at;
		if (hole < 0)
			hole = size;
		r = copy_extent(from, to, data, hole, buf, progress);
		at = hole;
	}
	free(buf);
	return r;
}

int copy_sparse(int from, int to, struct progress *progress, struct fault *why)
{
	struct stat st;
	int r;

	if (fstat(from, &st) < 0)
		return fault_errno(why, errno, "cannot copy");
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	if (ftruncate(to, st.st_size) < 0)
		return fault_errno(why, errno, "cannot copy");
	r = copy_data(from, to, st.st_size, progress);
	return r < 0 ? fault_errno(why, r, "cannot copy") : 0;
}
