/* SPDX-License-Identifier: MIT */
#include "image/target_probe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/disk.h"

enum { MAX_DEPTH = 8, ATTRIBUTE_MAX = 1 << 16 };

DEFINE_DROP(dir, DIR *, closedir)

void target_word(int dir, const char *path, char *buf, size_t size)
{
	scoped(text_done) struct text t = { 0 };
	struct fault why;

	if (fs_read(dir, path, ATTRIBUTE_MAX, &t, &why) < 0)
		t.len = 0;
	disk_tidy(text_str(&t), t.len, buf, size);
}

bool target_device(const char *s, unsigned *ret_major, unsigned *ret_minor)
{
	char *end;
	unsigned long major, minor;

	if (!isdigit((unsigned char)*s))
		return false;
	major = strtoul(s, &end, 10);
	if (*end != ':' || !isdigit((unsigned char)end[1]))
		return false;
	minor = strtoul(end + 1, &end, 10);
	if (*end && !isspace((unsigned char)*end))
		return false;
	*ret_major = (unsigned)major;
	*ret_minor = (unsigned)minor;
	return true;
}

static uint64_t number(int dir, const char *path)
{
	char word[32];

	target_word(dir, path, word, sizeof(word));
	return strtoull(word, NULL, 10);
}

static bool exists(int dir, const char *path)
{
	return faccessat(dir, path, F_OK, 0) == 0;
}

/* Opens a folder below dir as a stream; NULL when there is none. */
static DIR *open_folder(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

/* The next entry that is no dot, or NULL. */
static const char *next_name(DIR *d)
{
	const struct dirent *e;

	do
		e = readdir(d);
	while (e && e->d_name[0] == '.');
	return e ? e->d_name : NULL;
}

static bool family_add(struct target_family *family, int dir, const char *name)
{
	char word[32];
	unsigned major, minor;

	target_word(dir, "dev", word, sizeof(word));
	if (family->n == TARGET_MAX_FAMILY || !target_device(word, &major, &minor))
		return false;
	family->list[family->n].major = major;
	family->list[family->n].minor = minor;
	snprintf(family->list[family->n].name, sizeof(family->list->name), "%s", name);
	family->n++;
	return true;
}

/* What kind of thing is built from the disk, by the holder's name and its device-mapper UUID. */
static enum target_member holder_kind(int holder, const char *name)
{
	static const struct {
		const char *name, *uuid;
		enum target_member member;
	} kinds[] = {
		{ "dm-", "LVM-", TARGET_LVM },	   { "dm-", "mpath-", TARGET_MULTIPATH },
		{ "dm-", "CRYPT-", TARGET_CRYPT }, { "dm-", "DMRAID-", TARGET_RAID },
		{ "md", "", TARGET_RAID },
	};
	char uuid[160];
	size_t i;

	target_word(holder, "dm/uuid", uuid, sizeof(uuid));
	for (i = 0; i < COUNT(kinds); i++)
		if (strncmp(name, kinds[i].name, strlen(kinds[i].name)) == 0 &&
		    strncmp(uuid, kinds[i].uuid, strlen(kinds[i].uuid)) == 0)
			return kinds[i].member;
	return TARGET_OTHER;
}

/* Adds those who hold the device in dir, and those who hold them. */
static void look_holders(int dir, const char *of, int depth, struct target_facts *f,
			 struct target_family *family)
{
	scoped(drop_dir) DIR *d = open_folder(dir, "holders");
	const char *name;

	while (d && depth < MAX_DEPTH && (name = next_name(d))) {
		scoped(drop_fd) int holder =
			openat(dirfd(d), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		enum target_member member;

		if (holder < 0)
			continue;
		member = holder_kind(holder, name);
		if (!f->member[member][0])
			snprintf(f->member[member], TARGET_WORD, "%.60s holds %.60s", name, of);
		if (family_add(family, holder, name))
			look_holders(holder, name, depth + 1, f, family);
	}
}

static void look_partitions(int dir, struct target_facts *f, struct target_family *family)
{
	scoped(drop_dir) DIR *d = open_folder(dir, ".");
	const char *name;

	while (d && (name = next_name(d))) {
		scoped(drop_fd) int part =
			openat(dirfd(d), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (part < 0 || !exists(part, "partition"))
			continue;
		if (family_add(family, part, name))
			look_holders(part, name, 0, f, family);
	}
}

static void look_transport(const char *path, struct target_facts *f)
{
	static const struct {
		const char *within, *name;
	} kinds[] = {
		{ "/usb", "usb" },	 { "/nvme", "nvme" },
		{ "/virtio", "virtio" }, { "/ata", "sata" },
		{ "/mmc", "mmc" },	 { "/end_device-", "sas" },
		{ "/rport-", "fc" },	 { "/session", "iscsi" },
		{ "/host", "scsi" },	 { "/virtual/block/loop", "loop" },
	};
	size_t i;

	for (i = 0; i < COUNT(kinds) && !f->transport[0]; i++)
		if (strstr(path, kinds[i].within))
			snprintf(f->transport, sizeof(f->transport), "%s", kinds[i].name);
}

static void look_udev(int root, struct target_facts *f, struct text *db)
{
	char path[64], multipath[8];
	struct fault why;

	snprintf(path, sizeof(path), "run/udev/data/b%u:%u", f->major, f->minor);
	if (fs_read(root, path, ATTRIBUTE_MAX, db, &why) < 0)
		return;
	disk_udev_word(text_str(db), "DM_MULTIPATH_DEVICE_PATH", multipath, sizeof(multipath));
	if (strcmp(multipath, "1") == 0)
		snprintf(f->member[TARGET_MULTIPATH], TARGET_WORD, "multipathd claims it");
}

static void look_disk(int root, int dir, struct target_facts *f)
{
	scoped(text_done) struct text db = { 0 };
	scoped(drop_dir) DIR *slaves = open_folder(dir, "slaves");

	look_udev(root, f, &db);
	f->stacked = slaves && next_name(slaves);
	f->size_bytes = number(dir, "size") * 512;
	f->sector_bytes = (unsigned)number(dir, "queue/logical_block_size");
	f->diskseq = number(dir, "diskseq");
	f->read_only = number(dir, "ro") != 0;
	f->removable = number(dir, "removable") != 0;
	f->rotational = number(dir, "queue/rotational") != 0;
	disk_read_word(dir, text_str(&db), DISK_SERIAL, f->serial, sizeof(f->serial));
	disk_read_word(dir, text_str(&db), DISK_WWN, f->wwn, sizeof(f->wwn));
	disk_read_word(dir, text_str(&db), DISK_MODEL, f->model, sizeof(f->model));
}

int target_look_sys(int root, struct target_facts *f, struct target_family *ret_family,
		    struct fault *why)
{
	char path[64], link[1024];
	scoped(drop_fd) int dir = -1;
	const char *name;
	ssize_t n;

	ret_family->n = 0;
	snprintf(path, sizeof(path), "sys/dev/block/%u:%u", f->major, f->minor);
	dir = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	n = dir < 0 ? -1 : readlinkat(root, path, link, sizeof(link) - 1);
	if (n < 0)
		return fault_errno(why, errno, "/%s", path);
	link[n] = '\0';
	name = strrchr(link, '/');
	disk_tidy(name ? name + 1 : link, strlen(name ? name + 1 : link), f->name, sizeof(f->name));
	f->kind = exists(dir, "partition") ? TARGET_PARTITION : TARGET_DISK;
	look_transport(link, f);
	look_disk(root, dir, f);
	family_add(ret_family, dir, f->name);
	look_holders(dir, f->name, 0, f, ret_family);
	look_partitions(dir, f, ret_family);
	return 0;
}

void target_look_loops(int root, const char *real_path, struct target_facts *f)
{
	scoped(drop_dir) DIR *d = open_folder(root, "sys/block");
	const char *name;
	char path[300], backing[1024];

	while (d && (name = next_name(d))) {
		snprintf(path, sizeof(path), "%s/loop/backing_file", name);
		target_word(dirfd(d), path, backing, sizeof(backing));
		if (backing[0] && strcmp(backing, real_path) == 0)
			snprintf(f->member[TARGET_OTHER], TARGET_WORD, "%.60s holds %.60s", name,
				 f->name);
	}
}
