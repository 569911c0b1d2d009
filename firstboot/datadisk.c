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
#include "firstboot/units.h"

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

/* A look at what is on a disk: each piece is read into the same place. */
struct look {
	int fd;
	const struct units_tick *tick;
	char *piece; /* PIECE long */
};

enum {
	PIECE = 4 << 20,
	SMALL = 1 << 30, /* read in full */
	HEAD = 64 << 20, /* of a larger one, where partition tables and file systems begin */
	TAIL = 16 << 20,
	SAMPLE = 4096,
	N_SAMPLES = 1024, /* between the two */
};

static bool is_zeros(const char *bytes, size_t n)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0;
}

static int range_zeros(const struct look *l, off_t from, off_t to, struct fault *why)
{
	while (from < to) {
		size_t want = to - from < PIECE ? (size_t)(to - from) : PIECE;
		ssize_t n;

		if (!l->tick->alive(l->tick->data))
			return fault_set(why, ECANCELED, "stopped");
		n = pread(l->fd, l->piece, want, from);
		if (n < 0)
			return fault_errno(why, errno, "cannot read");
		if (n == 0)
			return fault_set(why, EIO, "it ends before its end");
		if (!is_zeros(l->piece, (size_t)n))
			return 0;
		from += n;
	}
	return 1;
}

static int samples_zeros(const struct look *l, off_t from, off_t to, struct fault *why)
{
	off_t gap = (to - from) / N_SAMPLES;
	int i, r = 1;

	for (i = 0; i < N_SAMPLES && r > 0; i++) {
		off_t at = (from + i * gap) / SAMPLE * SAMPLE;

		r = range_zeros(l, at, at + SAMPLE, why);
	}
	return r;
}

int datadisk_zeros(int fd, const struct units_tick *tick, struct fault *why)
{
	struct look l = { .fd = fd, .tick = tick };
	off_t end = lseek(fd, 0, SEEK_END);
	int r;

	if (end <= 0)
		return fault_set(why, EIO, "it has no size");
	l.piece = malloc(PIECE);
	if (!l.piece)
		return fault_errno(why, ENOMEM, "memory");
	r = range_zeros(&l, 0, end > SMALL ? HEAD : end, why);
	if (r > 0 && end > SMALL)
		r = range_zeros(&l, end - TAIL, end, why);
	if (r > 0 && end > SMALL)
		r = samples_zeros(&l, HEAD, end - TAIL, why);
	free(l.piece);
	return r;
}
