/* SPDX-License-Identifier: MIT */
#include "image/install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/envelope.h"
#include "cluster/seed.h"
#include "image/disk.h"
#include "image/flash_source.h"

enum {
	INDEX_MAX = 16 << 20,
	SEALED_MAX = SEED_BYTES + (1 << 20),
	DEVICE_LIMIT_S = 60,
	PATH_LEN = 256
};

void install_stick_done(struct install_stick *s)
{
	drop_fd(&s->fd);
	installer_done(&s->says);
}

/* USB takes its time, and the root may have come from another of the stick's partitions. */
static int wait_for(int root, const char *path, struct fault *why)
{
	static const struct timespec pause = { .tv_nsec = 200000000 };
	int i;

	for (i = 0; i < DEVICE_LIMIT_S * 5; i++) {
		if (faccessat(root, path, R_OK, 0) == 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	return fault_errno(why, ENOENT, "the stick's partition '%s'", path);
}

/* Detached and read-only: nothing of it is seen by others, and nothing on the stick changes. */
static int attach(const char *device, struct fault *why)
{
	scoped(drop_fd) int fs = fsopen("ext4", FSOPEN_CLOEXEC);
	int fd = -1;

	if (fs >= 0 && fsconfig(fs, FSCONFIG_SET_STRING, "source", device, 0) == 0 &&
	    fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) == 0 &&
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = fsmount(fs, FSMOUNT_CLOEXEC,
			     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
				     MOUNT_ATTR_NOEXEC);
	return fd < 0 ? fault_errno(why, errno, "%s: cannot mount the stick", device) : fd;
}

int install_stick_read(int fd, struct install_stick *ret, struct fault *why)
{
	scoped(text_done) struct text json = { 0 };
	struct install_stick s = { .fd = -1 };
	int r = fs_read(fd, INSTALLER_FILE, INDEX_MAX, &json, why);

	if (r == 0)
		r = installer_parse(text_str(&json), json.len, &s.says, why);
	if (r < 0)
		return fault_wrap(why, "the stick's " INSTALLER_FILE);
	s.fd = fd;
	*ret = s;
	return 0;
}

int install_stick_open(int root, const char *uuid, struct install_stick *ret, struct fault *why)
{
	char path[128], device[130];
	int fd, r;

	snprintf(path, sizeof(path), "dev/disk/by-partuuid/%.60s", uuid);
	snprintf(device, sizeof(device), "/%s", path);
	r = wait_for(root, path, why);
	if (r < 0)
		return r;
	fd = attach(device, why);
	if (fd < 0)
		return fd;
	r = install_stick_read(fd, ret, why);
	if (r < 0)
		drop_fd(&fd);
	return r;
}

/* The seed's partition in memory: what is on the stick, and zeros up to its size. */
static int load_seed(const struct install_stick *s, const char *name, const char *passphrase,
		     struct fault *why)
{
	scoped(text_wipe) struct text file = { 0 };
	scoped(text_wipe) struct text open = { 0 };
	const struct text *plain = s->says.sealed ? &open : &file;
	scoped(drop_fd) int fd = -1;
	int r = fs_read(s->fd, name, SEALED_MAX, &file, why), done;

	if (r == 0 && s->says.sealed)
		r = envelope_open(text_str(&file), file.len, passphrase, &open, why);
	if (r < 0)
		return r;
	if (plain->len == 0 || plain->len > SEED_BYTES)
		return fault_set(why, EBADMSG, "%zu bytes are no seed", plain->len);
	fd = memfd_create("seed", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, SEED_BYTES) < 0 ||
	    pwrite(fd, plain->data, plain->len, 0) != (ssize_t)plain->len)
		return fault_errno(why, errno, "seed");
	done = fd;
	fd = -1;
	return done;
}

int install_stick_source(const struct install_stick *s, size_t node, const char *passphrase,
			 struct flash_source *ret, struct fault *why)
{
	const struct installer_files *files = &s->says.files[node];
	scoped(flash_source_done) struct flash_source source = { 0 };
	char path[PATH_LEN];
	int fd = load_seed(s, files->seed, passphrase, why);
	int r;

	if (fd < 0)
		return fault_wrap(why, "'%s'", files->seed);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", s->fd, files->golden);
	r = flash_source_open(path, &source, why);
	if (r < 0) {
		close(fd);
		return r;
	}
	r = flash_source_put(&source, fd, DISK_SEED_OFFSET, SEED_BYTES, why);
	if (r < 0)
		return r;
	*ret = source;
	source = (struct flash_source){ 0 };
	return 0;
}
