/* SPDX-License-Identifier: MIT */
#pragma once

/* A node's disk in memory, which a test can break file by file. */

#include "tests/test.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "cluster/audit.h"
#include "cluster/seed.h"

enum { DISK_MAX = 400 };

struct disk_file {
	char *path, *content;
	struct audit_stat st;
};

struct disk {
	struct disk_file files[DISK_MAX];
	size_t n;
};

static inline struct disk_file *disk_find(struct disk *d, const char *path)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (strcmp(d->files[i].path, path) == 0)
			return &d->files[i];
	return NULL;
}

static inline void disk_put(struct disk *d, const char *path, mode_t mode, const char *content)
{
	char parent[256];
	struct disk_file *f = disk_find(d, path);
	char *slash;

	if (!f) {
		assert_true(d->n < DISK_MAX);
		f = &d->files[d->n++];
		f->path = strdup(path);
	}
	free(f->content);
	f->content = strdup(content);
	f->st = (struct audit_stat){ .mode = mode & S_IFMT ? mode : (mode | S_IFREG) };
	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	*slash = '\0';
	if (slash != parent && !disk_find(d, parent))
		disk_put(d, parent, S_IFDIR | 0755, "");
}

/* A copy of a file of tests/golden/audit. */
static inline void disk_put_golden(struct disk *d, const char *path, mode_t mode, const char *name)
{
	struct text bytes = { 0 };
	struct fault why = { 0 };
	char golden[256];

	snprintf(golden, sizeof(golden), "tests/golden/audit/%s", name);
	assert_int_equal(fs_read(AT_FDCWD, golden, 1 << 20, &bytes, &why), 0);
	disk_put(d, path, mode, text_str(&bytes));
	text_done(&bytes);
}

/* Puts with where was the first from. */
static inline void disk_edit(struct disk *d, const char *path, const char *from, const char *with)
{
	struct disk_file *f = disk_find(d, path);
	struct text after = { 0 };
	const char *at;

	assert_non_null(f);
	at = strstr(f->content, from);
	if (!at)
		fail_msg("%s has no '%s'", path, from);
	text_add_n(&after, f->content, (size_t)(at - f->content));
	text_add(&after, with);
	text_add(&after, at + strlen(from));
	free(f->content);
	f->content = text_take(&after);
}

static inline void disk_remove(struct disk *d, const char *path)
{
	struct disk_file *f = disk_find(d, path);

	assert_non_null(f);
	free(f->path);
	free(f->content);
	*f = d->files[--d->n];
}

static inline void disk_done(struct disk *d)
{
	while (d->n > 0)
		disk_remove(d, d->files[d->n - 1].path);
}

static inline int disk_stat(void *data, const char *path, struct audit_stat *ret)
{
	const struct disk_file *f = disk_find(data, path);

	if (!f)
		return -ENOENT;
	*ret = f->st;
	return 0;
}

static inline int disk_read(void *data, const char *path, size_t max, struct text *out)
{
	const struct disk_file *f = disk_find(data, path);

	if (!f)
		return -ENOENT;
	if (!S_ISREG(f->st.mode) || strlen(f->content) > max)
		return -EINVAL;
	text_add(out, f->content);
	return 0;
}

static inline int disk_link(void *data, const char *path, struct text *out)
{
	const struct disk_file *f = disk_find(data, path);

	if (!f)
		return -ENOENT;
	if (!S_ISLNK(f->st.mode))
		return -EINVAL;
	text_add(out, f->content);
	return 0;
}

static inline int disk_list(void *data, const char *folder,
			    void (*entry)(void *to, const char *name, const struct audit_stat *st),
			    void *to)
{
	size_t n = strcmp(folder, "/") == 0 ? 0 : strlen(folder), i;
	struct disk *d = data;

	if (n && !disk_find(d, folder))
		return -ENOENT;
	for (i = 0; i < d->n; i++) {
		const char *path = d->files[i].path;

		if (strncmp(path, folder, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/'))
			entry(to, path + n + 1, &d->files[i].st);
	}
	return 0;
}

static inline void judge_disk(struct disk *d, const struct seed *seed, struct audit *ret)
{
	const struct audit_tree tree = { .stat = disk_stat,
					 .read = disk_read,
					 .link = disk_link,
					 .list = disk_list,
					 .data = d };
	struct fault why = { 0 };

	if (audit_judge(&tree, seed, ret, &why) < 0)
		fail_msg("%s", why.text);
}
