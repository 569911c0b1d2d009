/* SPDX-License-Identifier: MIT */
#include "image/flash_table.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libfdisk/libfdisk.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "image/flash_source.h"
#include "image/target_probe.h"

enum { SECTOR = 512, TAIL_MAX = 1 << 20, ALIGNMENT = 4096 };

/* The GPT header (UEFI 2.10, 5.3.2): where in it the sectors stand that we ask for. */
enum { GPT_AT = SECTOR, GPT_LAST_USABLE = 48 };

DEFINE_DROP(fdisk, struct fdisk_context *, fdisk_unref_context)

void flash_table_done(struct flash_table *t)
{
	drop_fd(&t->fd);
	free(t->head);
	free(t->tail);
	t->head = t->tail = NULL;
}

static unsigned char *aligned(size_t n)
{
	void *p = NULL;

	if (posix_memalign(&p, ALIGNMENT, n) != 0)
		return NULL;
	memset(p, 0, n);
	return p;
}

static int write_at(int fd, const void *data, size_t n, uint64_t offset, struct fault *why)
{
	size_t at = 0;

	while (at < n) {
		ssize_t w = pwrite(fd, (const char *)data + at, n - at, (off_t)(offset + at));

		if (w < 0 && errno != EINTR)
			return fault_errno(why, errno, "partition table");
		at += w > 0 ? (size_t)w : 0;
	}
	return 0;
}

/* The first byte behind the last usable sector that the header in head tells. */
static int usable_end(const unsigned char *head, uint64_t size, uint64_t *ret, struct fault *why)
{
	uint64_t last;

	if (memcmp(head + GPT_AT, "EFI PART", 8) != 0)
		return fault_set(why, EBADMSG, "the image has no GPT");
	memcpy(&last, head + GPT_AT + GPT_LAST_USABLE, sizeof(last));
	last = le64toh(last);
	if (last >= size / SECTOR || size - (last + 1) * SECTOR > TAIL_MAX ||
	    (last + 1) * SECTOR < FLASH_HEAD)
		return fault_set(why, EBADMSG, "the image's GPT does not fit its size");
	*ret = (last + 1) * SECTOR;
	return 0;
}

/* Puts the image's tables into memory as they would lie on the target if they were just copied. */
static int copy_tables(const struct flash_source *source, struct flash_table *t, struct fault *why)
{
	scoped(flash_table_done) struct flash_table old = { .fd = -1 };
	int r = flash_source_read(source, t->head, FLASH_HEAD, 0, why);

	if (r == 0)
		r = usable_end(t->head, source->size, &t->image_end, why);
	if (r < 0)
		return r;
	old.tail = aligned(TAIL_MAX);
	if (!old.tail)
		return fault_errno(why, ENOMEM, "partition table");
	old.tail_bytes = (size_t)(source->size - t->image_end);
	r = flash_source_read(source, old.tail, old.tail_bytes, t->image_end, why);
	if (r == 0)
		r = write_at(t->fd, t->head, FLASH_HEAD, 0, why);
	if (r == 0)
		r = write_at(t->fd, old.tail, old.tail_bytes, t->image_end, why);
	return r;
}

/* libfdisk puts the backup at the end of what it is given, and both headers right. */
static int relocate(int fd, struct fault *why)
{
	scoped(drop_fdisk) struct fdisk_context *cxt = fdisk_new_context();
	int r;

	if (!cxt)
		return fault_errno(why, ENOMEM, "libfdisk");
	fdisk_disable_dialogs(cxt, 1);
	r = fdisk_assign_device_by_fd(cxt, fd, "image", 0);
	if (r < 0)
		return fault_errno(why, r, "libfdisk");
	if (!fdisk_has_label(cxt) || !fdisk_is_labeltype(cxt, FDISK_DISKLABEL_GPT))
		return fault_set(why, EBADMSG, "libfdisk finds no GPT in the image");
	if (fdisk_verify_disklabel(cxt) < 0)
		return fault_set(why, EBADMSG, "libfdisk finds the image's GPT damaged");
	r = fdisk_write_disklabel(cxt);
	fdisk_deassign_device(cxt, 1);
	return r < 0 ? fault_errno(why, r, "libfdisk cannot move the backup table") : 0;
}

static int take_tables(struct flash_table *t, struct fault *why)
{
	uint64_t end = 0;
	int r = target_read_fd(&t->fd, t->head, FLASH_HEAD, 0, why);

	if (r == 0)
		r = usable_end(t->head, t->target_bytes, &end, why);
	if (r < 0)
		return r;
	t->tail_bytes = (size_t)(t->target_bytes - end);
	return target_read_fd(&t->fd, t->tail, t->tail_bytes, end, why);
}

int flash_table_make(const struct flash_source *source, uint64_t target_bytes,
		     struct flash_table *ret, struct fault *why)
{
	scoped(flash_table_done) struct flash_table t = { .fd = -1 };
	int r;

	if (source->size < 2ULL * FLASH_HEAD || target_bytes < source->size)
		return fault_set(why, ENOSPC, "the image does not fit");
	t.target_bytes = target_bytes;
	t.fd = memfd_create("table", MFD_CLOEXEC);
	t.head = aligned(FLASH_HEAD);
	t.tail = aligned(TAIL_MAX);
	if (t.fd < 0 || !t.head || !t.tail || ftruncate(t.fd, (off_t)target_bytes) < 0)
		return fault_errno(why, errno, "partition table in memory");
	r = copy_tables(source, &t, why);
	if (r == 0)
		r = relocate(t.fd, why);
	if (r == 0)
		r = take_tables(&t, why);
	if (r < 0)
		return r;
	*ret = t;
	t = (struct flash_table){ .fd = -1 };
	return 0;
}
