/* SPDX-License-Identifier: MIT */
#include "cluster/disk.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"

enum { ATTRIBUTE_MAX = 1 << 16, SECTOR = 512 };

void disk_tidy(const char *from, size_t n, char *buf, size_t size)
{
	size_t i;

	while (n && (isspace((unsigned char)from[n - 1]) || from[n - 1] == '\0'))
		n--;
	while (n && isspace((unsigned char)*from)) {
		from++;
		n--;
	}
	n = n < size - 1 ? n : size - 1;
	for (i = 0; i < n; i++)
		buf[i] = isprint((unsigned char)from[i]) ? from[i] : '?';
	buf[n] = '\0';
}

void disk_udev_word(const char *db, const char *key, char *buf, size_t size)
{
	const char *line, *end;
	size_t n = strlen(key);

	buf[0] = '\0';
	for (line = db; line && *line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (strncmp(line, "E:", 2) == 0 && strncmp(line + 2, key, n) == 0 &&
		    line[2 + n] == '=')
			disk_tidy(line + 3 + n, (end ? (size_t)(end - line) : strlen(line)) - 3 - n,
				  buf, size);
	}
}

/* The first of these that says something: NAME in udev's words, else a path in sysfs. */
struct source {
	const char *udev, *sysfs;
	size_t behind; /* bytes of a header in front */
};

enum { SOURCES_MAX = 5 };

/* The order is that of lsblk(8): what people type comes from there, or from the sticker. */
static const struct source sources[][SOURCES_MAX] = {
	[DISK_SERIAL] = { { "ID_SCSI_SERIAL", NULL, 0 },
			  { "ID_SERIAL_SHORT", NULL, 0 },
			  { NULL, "serial", 0 },
			  { NULL, "device/serial", 0 },
			  { NULL, "device/vpd_pg80", 4 } },
	[DISK_WWN] = { { "ID_WWN_WITH_EXTENSION", NULL, 0 },
		       { "ID_WWN", NULL, 0 },
		       { NULL, "wwid", 0 },
		       { NULL, "device/wwid", 0 } },
	[DISK_MODEL] = { { NULL, "device/model", 0 },
			 { NULL, "device/name", 0 },
			 { "ID_MODEL", NULL, 0 },
			 { NULL, "loop/backing_file", 0 } },
};

static void read_source(int dir, const char *db, const struct source *from, char *buf, size_t size)
{
	scoped(text_done) struct text t = { 0 };
	struct fault ignored = { 0 };

	if (from->udev)
		disk_udev_word(db, from->udev, buf, size);
	else if (fs_read(dir, from->sysfs, ATTRIBUTE_MAX, &t, &ignored) == 0 &&
		 t.len > from->behind)
		disk_tidy(text_str(&t) + from->behind, t.len - from->behind, buf, size);
}

void disk_read_word(int dir, const char *db, enum disk_word word, char *buf, size_t size)
{
	const struct source *from = sources[word];
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < SOURCES_MAX && (from[i].udev || from[i].sysfs) && !buf[0]; i++)
		read_source(dir, db, &from[i], buf, size);
}

static void attribute(int dir, const char *path, struct text *out)
{
	struct fault ignored = { 0 };

	text_done(out);
	if (fs_read(dir, path, ATTRIBUTE_MAX, out, &ignored) < 0)
		text_done(out);
}

static bool read_number(int dir, struct disk *d)
{
	scoped(text_done) struct text t = { 0 };
	char *end;

	attribute(dir, "dev", &t);
	d->major = (unsigned)strtoul(text_str(&t), &end, 10);
	if (*end != ':')
		return false;
	d->minor = (unsigned)strtoul(end + 1, NULL, 10);
	attribute(dir, "size", &t);
	d->size_bytes = strtoull(text_str(&t), NULL, 10) * SECTOR;
	return d->size_bytes > 0;
}

bool disk_read(int root, const char *name, struct disk *ret)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text db = { 0 };
	scoped(drop_fd) int dir = -1;

	*ret = (struct disk){ 0 };
	text_addf(&path, "sys/block/%s", name);
	if (text_error(&path) == 0)
		dir = openat(root, text_str(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || strlen(name) >= sizeof(ret->name) || !read_number(dir, ret))
		return false;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	text_done(&path);
	text_addf(&path, "run/udev/data/b%u:%u", ret->major, ret->minor);
	attribute(root, text_str(&path), &db);
	disk_read_word(dir, text_str(&db), DISK_SERIAL, ret->serial, sizeof(ret->serial));
	disk_read_word(dir, text_str(&db), DISK_WWN, ret->wwn, sizeof(ret->wwn));
	return true;
}

/* Behind the words that the kernel, udev and by-id links put in front of the same number. */
static const char *wwn_number(const char *s)
{
	static const char *const prefixes[] = { "wwn-", "nvme-", "0x", "naa.", "eui.", "nvme." };
	size_t i;

	for (i = 0; i < COUNT(prefixes); i++)
		if (strncasecmp(s, prefixes[i], strlen(prefixes[i])) == 0)
			s += strlen(prefixes[i]);
	return s;
}

bool disk_wwn_equal(const char *a, const char *b)
{
	a = wwn_number(a);
	b = wwn_number(b);
	return *a && strcasecmp(a, b) == 0;
}

/* Makers round: "480 GB" has 480,103,981,056 bytes. One percent tells 480 from 500 apart. */
static bool is_size(uint64_t has, uint64_t wants)
{
	return (has > wants ? has - wants : wants - has) <= wants / 100;
}

bool disk_is_meant(const struct disk *disk, const struct model_disk *want)
{
	if (!want->serial && !want->wwn && want->size_bytes == 0)
		return false;
	return (!want->serial || strcasecmp(disk->serial, want->serial) == 0) &&
	       (!want->wwn || disk_wwn_equal(disk->wwn, want->wwn)) &&
	       (want->size_bytes == 0 || is_size(disk->size_bytes, want->size_bytes));
}
