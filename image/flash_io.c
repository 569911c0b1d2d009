/* SPDX-License-Identifier: MIT */
#include "image/flash_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/fs.h>

#include "base/fault.h"
#include "image/flash_ring.h"
#include "image/target.h"

enum { ALIGNMENT = 4096 };

int flash_io_open(struct flash_io *io, int fd, struct fault *why)
{
	int flags = fcntl(fd, F_GETFL);
	void *spare = NULL;
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0)
		return fault_errno(why, errno, "target");
	if (posix_memalign(&spare, ALIGNMENT, FLASH_PIECE) != 0)
		return fault_errno(why, ENOMEM, "target");
	*io = (struct flash_io){
		.fd = fd, .block = S_ISBLK(st.st_mode), .spare = spare, .flags = flags
	};
	io->holes = !io->block;
	io->direct = fcntl(fd, F_SETFL, (flags & ~O_NONBLOCK) | O_DIRECT) == 0;
	return 0;
}

void flash_io_done(struct flash_io *io)
{
	if (io->spare)
		(void)!fcntl(io->fd, F_SETFL, io->flags);
	free(io->spare);
	io->spare = NULL;
}

/* A file system may take O_DIRECT and then not our alignment: then it goes through the cache. */
static bool give_up_direct(struct flash_io *io)
{
	int flags = fcntl(io->fd, F_GETFL);

	if (!io->direct || flags < 0 || fcntl(io->fd, F_SETFL, flags & ~O_DIRECT) < 0)
		return false;
	io->direct = false;
	return true;
}

static int explain(int code, const char *what, uint64_t offset, struct fault *why)
{
	char at[TARGET_SIZE_LEN];

	if (code == ENOSPC)
		return fault_set(why, code, "%s at %s: no space left: %s", what,
				 target_size(offset, at),
				 "the target holds less than it says, or its file system is full");
	return fault_errno(why, code, "%s at %s", what, target_size(offset, at));
}

int flash_io_write(struct flash_io *io, const unsigned char *data, size_t n, uint64_t offset,
		   struct fault *why)
{
	size_t at = 0;

	while (at < n) {
		ssize_t w = pwrite(io->fd, data + at, n - at, (off_t)(offset + at));

		/* After a short write the rest may be out of alignment: that, too, is EINVAL. */
		if (w < 0 && (errno == EINTR || (errno == EINVAL && give_up_direct(io))))
			continue;
		if (w <= 0)
			return explain(w < 0 ? errno : ENOSPC, "writing", offset + at, why);
		at += (size_t)w;
	}
	return 0;
}

int flash_io_read(struct flash_io *io, unsigned char *data, size_t n, uint64_t offset,
		  struct fault *why)
{
	size_t at = 0;

	while (at < n) {
		ssize_t r = pread(io->fd, data + at, n - at, (off_t)(offset + at));

		if (r < 0 && (errno == EINTR || (errno == EINVAL && give_up_direct(io))))
			continue;
		if (r <= 0)
			return explain(r < 0 ? errno : EIO, "reading back", offset + at, why);
		at += (size_t)r;
	}
	return 0;
}

int flash_io_erase(struct flash_io *io, uint64_t offset, size_t n, struct fault *why)
{
	memset(io->spare, 0, n);
	return flash_io_write(io, io->spare, n, offset, why);
}

int flash_io_zero(struct flash_io *io, uint64_t offset, size_t n, struct fault *why)
{
	uint64_t range[2] = { offset, n };

	if (io->holes)
		return 0;
	/* The kernel promises zeros afterwards, and writes them itself where the device cannot. */
	if (io->block && ioctl(io->fd, BLKZEROOUT, range) == 0)
		return 0;
	if (io->block && errno == EIO)
		return explain(EIO, "zeroing", offset, why);
	return flash_io_erase(io, offset, n, why);
}

void flash_io_discard(struct flash_io *io, uint64_t offset, uint64_t n)
{
	uint64_t range[2] = { offset, n };

	if (io->block)
		(void)!ioctl(io->fd, BLKDISCARD, range);
	else if (fallocate(io->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
			   (off_t)n) < 0)
		io->holes = false;
}

int flash_io_sync(struct flash_io *io, struct fault *why)
{
	if (fsync(io->fd) < 0)
		return fault_errno(why, errno, "flushing what was written");
	if (io->direct)
		return 0;
	if (io->block)
		(void)!ioctl(io->fd, BLKFLSBUF, 0);
	else
		posix_fadvise(io->fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}
