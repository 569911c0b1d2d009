/* SPDX-License-Identifier: MIT */
#include "firstboot/seeddisk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/seed.h"

DEFINE_DROP(dir, DIR *, closedir)

enum { UEVENT_MAX = 4096 };

/*
 * The disk of a block device: the folder above its own in sysfs, as the link tells it
 * ("../../devices/…/block/vda/vda3" -> "vda"). "" for a whole disk.
 */
static void disk_of(int root, const char *link, char *ret_name, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(root, link, target, sizeof(target) - 1);
	char *part, *disk;

	*ret_name = '\0';
	if (n < 0)
		return;
	target[n] = '\0';
	part = strrchr(target, '/');
	if (!part)
		return;
	*part = '\0';
	disk = strrchr(target, '/');
	if (disk && strcmp(disk, "/block") != 0)
		snprintf(ret_name, size, "%s", disk + 1);
}

void seeddisk_root(int root, char *ret_name, size_t size)
{
	char link[64];
	struct stat st;

	*ret_name = '\0';
	if (fstat(root, &st) < 0)
		return;
	snprintf(link, sizeof(link), "sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	disk_of(root, link, ret_name, size);
}

static bool is_seed(int root, const char *name)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text uevent = { 0 };
	struct fault ignored = { 0 };

	text_addf(&path, "sys/class/block/%s/uevent", name);
	if (text_error(&path) < 0 ||
	    fs_read(root, text_str(&path), UEVENT_MAX, &uevent, &ignored) < 0)
		return false;
	text_add(&uevent, "\n");
	return strstr(text_str(&uevent), "PARTNAME=" SEED_LABEL "\n");
}

static bool lies_on(int root, const char *name, const char *disk)
{
	char link[NAME_MAX + 32], its[NAME_MAX + 1];

	snprintf(link, sizeof(link), "sys/class/block/%s", name);
	disk_of(root, link, its, sizeof(its));
	return *disk && strcmp(its, disk) == 0;
}

int seeddisk_find(int root, const char *root_disk, char *ret_name, size_t size, struct fault *why)
{
	scoped(text_done) struct text found = { 0 };
	char name[NAME_MAX + 1] = "";
	scoped(drop_dir) DIR *dir = NULL;
	struct dirent *entry;
	size_t n = 0;
	int fd = openat(root, "sys/class/block", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return fault_errno(why, errno, "/sys/class/block");
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !is_seed(root, entry->d_name))
			continue;
		snprintf(name, sizeof(name), "%s", entry->d_name);
		text_addf(&found, "%s%s", n++ ? ", " : "", name);
		if (lies_on(root, name, root_disk)) {
			n = 1;
			break;
		}
	}
	if (n == 0)
		return fault_set(why, ENOENT, "no partition is named '" SEED_LABEL "'");
	if (n > 1)
		return fault_set(why, ENOTUNIQ,
				 "partitions %s are all named '" SEED_LABEL
				 "' and none is on the disk of /; take the other disks out",
				 text_str(&found));
	snprintf(ret_name, size, "%s", name);
	return 0;
}

/*
 * A detached mount: it has no place in the tree, nobody else sees it, and it is gone with the file
 * descriptor, after a crash too.
 */
static int attach(const char *device, struct fault *why)
{
	scoped(drop_fd) int fs = fsopen("vfat", FSOPEN_CLOEXEC);
	int fd = -1;

	if (fs < 0)
		return fault_errno(why, errno, "cannot read FAT file systems");
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", device, 0) == 0 &&
	    fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) == 0 &&
	    fsconfig(fs, FSCONFIG_SET_STRING, "umask", "0077", 0) == 0 &&
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = fsmount(fs, FSMOUNT_CLOEXEC,
			     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
				     MOUNT_ATTR_NOEXEC);
	return fd < 0 ? fault_errno(why, errno, "%s: cannot mount the seed", device) : fd;
}

int seeddisk_read(int root, struct seed *ret, struct fault *why)
{
	char disk[NAME_MAX + 1], name[NAME_MAX + 1], device[NAME_MAX + 8];
	scoped(drop_fd) int fd = -1;
	int r;

	seeddisk_root(root, disk, sizeof(disk));
	r = seeddisk_find(root, disk, name, sizeof(name), why);
	if (r < 0)
		return r;
	snprintf(device, sizeof(device), "/dev/%s", name);
	fd = attach(device, why);
	if (fd < 0)
		return fd;
	r = seed_read(fd, ret, why);
	return r < 0 ? fault_wrap(why, "%s", device) : 0;
}
