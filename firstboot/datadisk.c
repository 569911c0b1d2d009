/* SPDX-License-Identifier: MIT */
#include "firstboot/datadisk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/disk.h"
#include "cluster/model.h"
#include "firstboot/seeddisk.h"
#include "firstboot/steps.h"

DEFINE_DROP(dir, DIR *, closedir)

static DIR *open_folder(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		drop_fd(&fd);
	return d;
}

static const char *next_name(DIR *d)
{
	const struct dirent *e;

	do
		e = readdir(d);
	while (e && e->d_name[0] == '.');
	return e ? e->d_name : NULL;
}

void datadisk_print(const struct model_disk *want, struct text *out)
{
	const char *between = "";

	if (want->serial) {
		text_addf(out, "serial '%s'", want->serial);
		between = ", ";
	}
	if (want->wwn) {
		text_addf(out, "%sWWN '%s'", between, want->wwn);
		between = ", ";
	}
	if (want->size_bytes)
		text_addf(out, "%s%llu MiB", between, (unsigned long long)(want->size_bytes >> 20));
}

/* A disk that is made of others is theirs, and has their size. */
static bool is_made_of_others(int root, const char *name)
{
	scoped(text_done) struct text path = { 0 };
	scoped(drop_dir) DIR *d = NULL;

	text_addf(&path, "sys/block/%s/slaves", name);
	d = text_error(&path) < 0 ? NULL : open_folder(root, text_str(&path));
	return d && next_name(d);
}

int datadisk_find(int root, const struct model_disk *want, struct disk *ret, struct fault *why)
{
	scoped(text_done) struct text found = { 0 };
	scoped(text_done) struct text wanted = { 0 };
	scoped(drop_dir) DIR *d = open_folder(root, "sys/block");
	char system[NAME_MAX + 1];
	const char *name;
	struct disk disk;
	size_t n = 0;

	if (!d)
		return fault_errno(why, errno, "/sys/block");
	datadisk_print(want, &wanted);
	seeddisk_root(root, system, sizeof(system));
	while ((name = next_name(d))) {
		if (strcmp(name, system) == 0 || is_made_of_others(root, name) ||
		    !disk_read(root, name, &disk) || !disk_is_meant(&disk, want))
			continue;
		text_addf(&found, "%s%s", n++ ? ", " : "", name);
		*ret = disk;
	}
	if (n == 0) {
		(void)fault_set(why, ENODEV, "no disk here is that one");
		return step_wait(why, "the disk for data with %s", text_str(&wanted));
	}
	if (n > 1)
		return fault_set(why, ENOTUNIQ,
				 "disks %s are all like the one for data (%s); none is touched: "
				 "name its serial: in data.disk",
				 text_str(&found), text_str(&wanted));
	return 0;
}

void datadisk_held(int root, const struct disk *disk, struct text *out)
{
	scoped(text_done) struct text path = { 0 };
	scoped(drop_dir) DIR *parts = NULL;
	scoped(drop_dir) DIR *holders = NULL;
	const char *name;

	text_addf(&path, "sys/block/%s", disk->name);
	parts = open_folder(root, text_str(&path));
	while (parts && (name = next_name(parts))) {
		scoped(text_done) struct text file = { 0 };

		text_addf(&file, "%s/partition", name);
		if (faccessat(dirfd(parts), text_str(&file), F_OK, 0) == 0)
			text_addf(out, "%spartition %s", out->len ? ", " : "", name);
	}
	holders = parts ? open_folder(dirfd(parts), "holders") : NULL;
	while (holders && (name = next_name(holders)))
		text_addf(out, "%s%s on it", out->len ? ", " : "", name);
}

static int edge_zeros(int fd, off_t at, char *bytes, struct fault *why)
{
	size_t i, have = 0;
	ssize_t n = 1;

	for (; n > 0 && have < DATADISK_EDGE; have += (size_t)n) {
		n = pread(fd, bytes + have, DATADISK_EDGE - have, at + (off_t)have);
		if (n < 0)
			return fault_errno(why, errno, "cannot read");
	}
	for (i = 0; i < have && bytes[i] == 0; i++)
		;
	return i == have;
}

int datadisk_zeros(int fd, struct fault *why)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char *bytes;
	int r;

	if (end <= 0)
		return fault_set(why, EIO, "it has no size");
	bytes = calloc(1, DATADISK_EDGE);
	if (!bytes)
		return fault_errno(why, ENOMEM, "memory");
	r = edge_zeros(fd, 0, bytes, why);
	if (r > 0)
		r = edge_zeros(fd, end > DATADISK_EDGE ? end - DATADISK_EDGE : 0, bytes, why);
	free(bytes);
	return r;
}
