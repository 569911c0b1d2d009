/* SPDX-License-Identifier: MIT */
#include "image/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libfdisk.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/seed.h"

_Static_assert((int)DISK_SEED_SIZE == (int)SEED_BYTES, "the seed fills its partition");

#define TYPE_ESP "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
#define TYPE_BIOS "21686148-6449-6E6F-744E-656564454649"
#define TYPE_DATA "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" /* Windows shows the seed too */
#define TYPE_ROOT "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709" /* root-x86-64, for systemd-repart */

DEFINE_DROP(context, struct fdisk_context *, fdisk_unref_context)
DEFINE_DROP(partition, struct fdisk_partition *, fdisk_unref_partition)
DEFINE_DROP(type, struct fdisk_parttype *, fdisk_unref_parttype)

/* In the order of the disk. */
static const struct part {
	const char *name, *type;
	uint64_t offset, size; /* size 0: the root's */
	size_t id;	       /* in struct disk_ids */
} parts[] = {
	{ "ESP", TYPE_ESP, DISK_ESP_OFFSET, DISK_ESP_SIZE, offsetof(struct disk_ids, esp) },
	{ "BIOS", TYPE_BIOS, DISK_BIOS_OFFSET, DISK_BIOS_SIZE, offsetof(struct disk_ids, bios) },
	{ SEED_LABEL, TYPE_DATA, DISK_SEED_OFFSET, DISK_SEED_SIZE,
	  offsetof(struct disk_ids, seed) },
	{ "rackseed-root", TYPE_ROOT, DISK_ROOT_OFFSET, 0, offsetof(struct disk_ids, root) },
};

int disk_ids(const char *key, struct disk_ids *ret, struct fault *why)
{
	static const struct {
		const char *word;
		size_t at;
	} rows[] = {
		{ "disk", offsetof(struct disk_ids, disk) },
		{ "esp", offsetof(struct disk_ids, esp) },
		{ "bios", offsetof(struct disk_ids, bios) },
		{ "seed", offsetof(struct disk_ids, seed) },
		{ "root", offsetof(struct disk_ids, root) },
		{ "root file system", offsetof(struct disk_ids, root_fs) },
		{ "hash seed", offsetof(struct disk_ids, hash_seed) },
	};
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < COUNT(rows); i++)
		r = digest_uuid(key, rows[i].word, (char *)ret + rows[i].at, why);
	return r;
}

static int add(struct fdisk_context *disk, const struct part *row, size_t number, const char *uuid,
	       uint64_t size)
{
	scoped(drop_partition) struct fdisk_partition *part = fdisk_new_partition();
	scoped(drop_type) struct fdisk_parttype *type =
		fdisk_label_get_parttype_from_string(fdisk_get_label(disk, "gpt"), row->type);
	int r;

	if (!part || !type)
		return -ENOMEM;
	r = fdisk_partition_set_partno(part, number);
	if (r == 0)
		r = fdisk_partition_set_start(part, row->offset / DISK_SECTOR);
	if (r == 0)
		r = fdisk_partition_set_size(part, size / DISK_SECTOR);
	if (r == 0)
		r = fdisk_partition_set_name(part, row->name);
	if (r == 0)
		r = fdisk_partition_set_uuid(part, uuid);
	if (r == 0)
		r = fdisk_partition_set_type(part, type);
	return r == 0 ? fdisk_add_partition(disk, part, NULL) : r;
}

static int open_disk(const char *path, struct fdisk_context **ret, struct fault *why)
{
	scoped(drop_context) struct fdisk_context *disk = fdisk_new_context();
	int r = disk ? fdisk_assign_device(disk, path, 0) : -ENOMEM;

	if (r == 0)
		r = fdisk_disable_dialogs(disk, 1);
	if (r < 0)
		return fault_errno(why, r, "partition table of '%s'", path);
	*ret = take(disk);
	return 0;
}

int disk_partition(const char *path, const struct disk_ids *ids, uint64_t root_size,
		   struct fault *why)
{
	scoped(drop_context) struct fdisk_context *disk = NULL;
	size_t i;
	int r = open_disk(path, &disk, why);

	if (r < 0)
		return r;
	r = fdisk_create_disklabel(disk, "gpt");
	if (r == 0)
		r = fdisk_set_disklabel_id_from_string(disk, ids->disk);
	for (i = 0; r == 0 && i < COUNT(parts); i++)
		r = add(disk, &parts[i], i, (const char *)ids + parts[i].id,
			parts[i].size ? parts[i].size : root_size);
	if (r == 0)
		r = fdisk_write_disklabel(disk);
	if (r == 0)
		r = fdisk_deassign_device(disk, 0);
	return r < 0 ? fault_errno(why, r, "partition table of '%s'", path) : 0;
}

static int set_uuid(struct fdisk_context *disk, size_t number, const char *uuid)
{
	scoped(drop_partition) struct fdisk_partition *part = fdisk_new_partition();
	int r = part ? fdisk_partition_set_uuid(part, uuid) : -ENOMEM;

	return r == 0 ? fdisk_set_partition(disk, number, part) : r;
}

int disk_add(const char *path, const struct disk_added *what, struct fault *why)
{
	const struct part row = { "rackseed-install", TYPE_DATA, what->offset, what->size, 0 };
	scoped(drop_context) struct fdisk_context *disk = NULL;
	int r = disk_lengthen(path, why);

	if (r == 0)
		r = open_disk(path, &disk, why);
	if (r < 0)
		return r;
	r = fdisk_set_disklabel_id_from_string(disk, what->disk);
	if (r == 0)
		r = set_uuid(disk, DISK_ROOT_NUMBER - 1, what->root);
	if (r == 0)
		r = add(disk, &row, DISK_ROOT_NUMBER, what->part, what->size);
	if (r == 0)
		r = fdisk_write_disklabel(disk);
	if (r == 0)
		r = fdisk_deassign_device(disk, 0);
	return r < 0 ? fault_errno(why, r, "partition table of '%s'", path) : 0;
}

int disk_lengthen(const char *path, struct fault *why)
{
	scoped(drop_context) struct fdisk_context *disk = NULL;
	int r = open_disk(path, &disk, why);

	if (r < 0)
		return r;
	/* Found to be short of the end when it was read, written at the end now. */
	r = fdisk_has_label(disk) ? fdisk_write_disklabel(disk) : -EBADMSG;
	if (r == 0)
		r = fdisk_deassign_device(disk, 0);
	return r < 0 ? fault_errno(why, r, "partition table of '%s'", path) : 0;
}

/* Bytes of a place that is there for certain; less is an error. */
static int copy_from(int fd, off_t at, size_t n, struct text *out)
{
	char buf[DISK_HEAD];

	if (pread(fd, buf, n, at) != (ssize_t)n)
		return -EIO;
	text_add_n(out, buf, n);
	return text_error(out);
}

/* The table is worked on in a memory file, whose holes cost nothing however large the disk is. */
int disk_table(const char *image, uint64_t bytes, struct text *head, struct text *tail,
	       struct fault *why)
{
	scoped(drop_fd) int from = open(image, O_RDONLY | O_CLOEXEC);
	scoped(drop_fd) int fd = memfd_create("table", MFD_CLOEXEC);
	scoped(text_done) struct text old = { 0 };
	char path[64];
	int r;

	if (from < 0 || fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		return fault_errno(why, errno, "%s", image);
	r = copy_from(from, 0, DISK_HEAD, &old);
	if (r == 0 && pwrite(fd, old.data, old.len, 0) != (ssize_t)old.len)
		r = -errno;
	if (r < 0)
		return fault_errno(why, r, "%s", image);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = disk_lengthen(path, why);
	if (r < 0)
		return r;
	r = copy_from(fd, 0, DISK_HEAD, head);
	if (r == 0)
		r = copy_from(fd, (off_t)(bytes - DISK_BACKUP), DISK_BACKUP, tail);
	return r < 0 ? fault_errno(why, r, "%s", image) : 0;
}
