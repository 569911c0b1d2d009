/* SPDX-License-Identifier: MIT */
#include "image/flash_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "image/target_probe.h"

void flash_source_done(struct flash_source *s)
{
	size_t i;

	for (i = 0; i < s->n_fds; i++)
		close(s->fds[i]);
	free(s->extents);
	*s = (struct flash_source){ 0 };
}

int flash_source_add(struct flash_source *s, const struct flash_extent *extent, struct fault *why)
{
	struct flash_extent *last = s->n_extents ? &s->extents[s->n_extents - 1] : NULL;

	if (last && extent->start < last->start + last->length)
		return fault_set(why, EBADMSG, "the image's map runs backwards");
	if (last && last->fd == extent->fd && last->start + last->length == extent->start &&
	    last->offset + last->length == extent->offset) {
		last->length += extent->length;
		return 0;
	}
	if (s->n_extents == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct flash_extent *list = realloc(s->extents, room * sizeof(*list));

		if (!list)
			return fault_errno(why, ENOMEM, "map of the image");
		s->extents = list;
		s->room = room;
	}
	s->extents[s->n_extents++] = *extent;
	return 0;
}

/* Adds the part of an extent that lies between from and to. */
static int add_part(struct flash_source *s, const struct flash_extent *e, uint64_t from,
		    uint64_t to, struct fault *why)
{
	uint64_t end = e->start + e->length;
	struct flash_extent part = { .fd = e->fd };

	part.start = e->start > from ? e->start : from;
	end = end < to ? end : to;
	if (part.start >= end)
		return 0;
	part.length = end - part.start;
	part.offset = e->offset + (part.start - e->start);
	return flash_source_add(s, &part, why);
}

int flash_source_put(struct flash_source *s, int fd, uint64_t start, uint64_t length,
		     struct fault *why)
{
	struct flash_source joined = { 0 };
	struct flash_extent *old = s->extents;
	size_t i, n = s->n_extents;
	int r = 0;

	if (s->n_fds == FLASH_MAX_FILES || length > s->size || start > s->size - length) {
		close(fd);
		return fault_set(why, EINVAL, "the seed does not fit into the image");
	}
	s->fds[s->n_fds++] = fd;
	for (i = 0; r == 0 && i < n; i++)
		r = add_part(&joined, &old[i], 0, start, why);
	if (r == 0)
		r = flash_source_add(&joined, &(struct flash_extent){ start, length, 0, fd }, why);
	for (i = 0; r == 0 && i < n; i++)
		r = add_part(&joined, &old[i], start + length, s->size, why);
	if (r < 0) {
		free(joined.extents);
		return r;
	}
	free(old);
	s->extents = joined.extents;
	s->n_extents = joined.n_extents;
	s->room = joined.room;
	return 0;
}

/* The extent that offset lies in, or the next one after it. */
static size_t find_extent(const struct flash_source *s, uint64_t offset)
{
	size_t low = 0, high = s->n_extents;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->extents[middle].start + s->extents[middle].length <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int flash_source_read(const void *from, void *buf, size_t len, uint64_t offset, struct fault *why)
{
	const struct flash_source *s = from;
	size_t i = find_extent(s, offset), at = 0;
	int r;

	while (at < len) {
		const struct flash_extent *e = i < s->n_extents ? &s->extents[i] : NULL;
		uint64_t here = offset + at;
		uint64_t n = len - at;

		if (e && e->start <= here) {
			if (n > e->start + e->length - here)
				n = e->start + e->length - here;
			r = target_read_fd(&e->fd, (char *)buf + at, (size_t)n,
					   e->offset + (here - e->start), why);
			if (r < 0)
				return fault_wrap(why, "image");
			i++;
		} else {
			if (e && n > e->start - here)
				n = e->start - here;
			memset((char *)buf + at, 0, (size_t)n);
		}
		at += (size_t)n;
	}
	return 0;
}

static int map_raw(struct flash_source *s, int fd, struct fault *why)
{
	off_t at = 0, end = 0;
	int r = 0;

	while (r == 0 && (uint64_t)at < s->size) {
		at = lseek(fd, end, SEEK_DATA);
		if (at < 0 && errno == ENXIO)
			return 0; /* a hole up to the end */
		end = at < 0 ? -1 : lseek(fd, at, SEEK_HOLE);
		if (end < 0)
			return fault_errno(why, errno, "looking for data");
		r = flash_source_add(s,
				     &(struct flash_extent){ (uint64_t)at, (uint64_t)(end - at),
							     (uint64_t)at, fd },
				     why);
		at = end;
	}
	return r;
}

/*
 * QEMU marks what it writes to by a lock on this byte (its documented "permission" locks): an image
 * that changes under our hands would become a disk that never was.
 */
static int refuse_running(int fd, struct fault *why)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 101, .l_len = 1 };

	if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		return fault_set(why, EBUSY, "a running machine writes to it: shut it down first");
	return 0;
}

static int open_source(const char *path, struct flash_source *s, struct fault *why)
{
	static const char qcow_magic[4] = { 'Q', 'F', 'I', '\xfb' };
	char magic[4] = { 0 };
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r;

	if (fd < 0)
		return fault_errno(why, errno, "image '%s'", path);
	s->fds[s->n_fds++] = fd;
	if (fstat(fd, &st) < 0)
		return fault_errno(why, errno, "image '%s'", path);
	if (!S_ISREG(st.st_mode))
		return fault_set(why, EINVAL, "image '%s': not a file", path);
	r = refuse_running(fd, why);
	if (r == 0 && pread(fd, magic, sizeof(magic), 0) < 0)
		r = fault_errno(why, errno, "reading it");
	if (r == 0 && memcmp(magic, qcow_magic, sizeof(magic)) == 0) {
		r = flash_source_open_qcow(path, s, why);
	} else if (r == 0) {
		s->size = (uint64_t)st.st_size;
		r = map_raw(s, fd, why);
	}
	return r < 0 ? fault_wrap(why, "image '%s'", path) : 0;
}

int flash_source_open(const char *path, struct flash_source *ret, struct fault *why)
{
	scoped(flash_source_done) struct flash_source s = { 0 };
	int r = open_source(path, &s, why);

	if (r < 0)
		return r;
	if (s.size == 0 || s.size % 512)
		return fault_set(why, EBADMSG, "image '%s': %llu bytes are no disk", path,
				 (unsigned long long)s.size);
	*ret = s;
	s = (struct flash_source){ 0 };
	return 0;
}
