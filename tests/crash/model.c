/* SPDX-License-Identifier: MIT */
#include "tests/crash/model.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void *grow(void *array, size_t n, size_t *size, size_t one)
{
	if (n < *size)
		return array;
	*size = *size ? 2 * *size : 64;
	array = realloc(array, *size * one);
	if (!array)
		err(1, "memory");
	return array;
}

static char *copy(const char *s)
{
	char *c = s ? strdup(s) : NULL;

	if (s && !c)
		err(1, "memory");
	return c;
}

static char *copy_bytes(const char *s, size_t n)
{
	char *c = malloc(n + 1);

	if (!c)
		err(1, "memory");
	if (n)
		memcpy(c, s, n);
	c[n] = '\0';
	return c;
}

struct op *trace_add(struct trace *t, enum op_kind kind, const char *path)
{
	t->ops = grow(t->ops, t->n, &t->size, sizeof(*t->ops));
	t->ops[t->n] = (struct op){ .kind = kind, .path = copy(path) };
	return &t->ops[t->n++];
}

void trace_done(struct trace *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->ops[i].path);
		free(t->ops[i].to);
		free(t->ops[i].data);
	}
	free(t->ops);
	*t = (struct trace){ 0 };
}

static bool is_in_folder(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	const char *rest = path;

	if (strcmp(folder, ".") != 0) {
		if (strncmp(path, folder, n) != 0 || path[n] != '/')
			return false;
		rest = path + n + 1;
	}
	return !strchr(rest, '/');
}

static bool is_data(enum op_kind kind)
{
	return kind == OP_WRITE || kind == OP_TRUNCATE || kind == OP_MODE;
}

/* A rename is covered once both folders are; here all of ours stay within one. */
static bool covers(const struct op *sync, const struct op *op)
{
	switch (sync->kind) {
	case OP_SYNC_ALL:
		return true;
	case OP_SYNC_FILE:
		return is_data(op->kind) && op->ino == sync->ino;
	case OP_SYNC_FOLDER:
		return !is_data(op->kind) && op->path && is_in_folder(op->path, sync->path) &&
		       (op->kind != OP_RENAME || is_in_folder(op->to, sync->path));
	case OP_CREATE:
	case OP_MKDIR:
	case OP_SYMLINK:
	case OP_RENAME:
	case OP_UNLINK:
	case OP_RMDIR:
	case OP_TRUNCATE:
	case OP_WRITE:
	case OP_MODE:
	case OP_MARK:
		break;
	}
	return false;
}

size_t trace_volatile(const struct trace *t, size_t n, size_t *ret_list)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		bool covered = t->ops[i].kind >= OP_SYNC_FILE;

		for (size_t j = i + 1; j < n && !covered; j++)
			covered = covers(&t->ops[j], &t->ops[i]);
		if (!covered)
			ret_list[found++] = i;
	}
	return found;
}

/* ---- disks ---- */

static void entry_done(struct entry *e)
{
	free(e->path);
	free(e->target);
	free(e->data);
}

void disk_done(struct disk *d)
{
	for (size_t i = 0; i < d->n; i++)
		entry_done(&d->entries[i]);
	free(d->entries);
	*d = (struct disk){ 0 };
}

static struct entry *disk_add(struct disk *d, const char *path)
{
	d->entries = grow(d->entries, d->n, &d->size, sizeof(*d->entries));
	d->entries[d->n] = (struct entry){ .path = copy(path) };
	return &d->entries[d->n++];
}

void disk_copy(const struct disk *from, struct disk *to)
{
	*to = (struct disk){ 0 };
	for (size_t i = 0; i < from->n; i++) {
		const struct entry *e = &from->entries[i];
		struct entry *new = disk_add(to, e->path);

		new->target = copy(e->target);
		new->is_folder = e->is_folder;
		new->ino = e->ino;
		new->mode = e->mode;
		new->len = e->len;
		new->data = e->data ? copy_bytes(e->data, e->len) : NULL;
	}
}

struct entry *disk_find(const struct disk *d, const char *path)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->entries[i].path, path) == 0)
			return &d->entries[i];
	return NULL;
}

static void disk_remove(struct disk *d, struct entry *e)
{
	entry_done(e);
	*e = d->entries[--d->n];
}

static bool has_parent(const struct disk *d, const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];
	const struct entry *e;

	if (!slash)
		return true;
	snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	e = disk_find(d, parent);
	return e && e->is_folder;
}

static struct entry *by_ino(struct disk *d, int ino)
{
	for (size_t i = 0; i < d->n; i++)
		if (!d->entries[i].is_folder && !d->entries[i].target && d->entries[i].ino == ino)
			return &d->entries[i];
	return NULL;
}

static void move_below(struct disk *d, const char *from, const char *to)
{
	size_t n = strlen(from);

	for (size_t i = 0; i < d->n; i++) {
		struct entry *e = &d->entries[i];
		char path[PATH_MAX];

		if (strncmp(e->path, from, n) != 0 || (e->path[n] && e->path[n] != '/'))
			continue;
		snprintf(path, sizeof(path), "%s%s", to, e->path + n);
		free(e->path);
		e->path = copy(path);
	}
}

static bool has_children(const struct disk *d, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < d->n; i++)
		if (strncmp(d->entries[i].path, path, n) == 0 && d->entries[i].path[n] == '/')
			return true;
	return false;
}

/*
 * Data that comes before the name it belongs to is kept by number until the name is there: a file's
 * content does not depend on whether its first name was lost.
 */
static void write_data(struct entry *e, const struct op *op, enum op_fate fate)
{
	size_t len = fate == FATE_TORN ? op->len / 2 : op->len;
	size_t end = op->offset + len;

	if (fate == FATE_LOST)
		return;
	if (end > e->len) {
		e->data = realloc(e->data, end + 1);
		if (!e->data)
			err(1, "memory");
		memset(e->data + e->len, 0, end + 1 - e->len);
		e->len = end;
	}
	if (len && fate == FATE_ZEROED)
		memset(e->data + op->offset, 0, len);
	else if (len)
		memcpy(e->data + op->offset, op->data, len);
}

static void rename_entry(struct disk *d, const char *from, const char *to)
{
	struct entry *source = disk_find(d, from), *target;

	/* A folder that a lost removal left full is no target; the order of names would forbid it.
	 */
	if (!source || !has_parent(d, to) || has_children(d, to))
		return;
	target = disk_find(d, to);
	if (target)
		disk_remove(d, target);
	move_below(d, from, to);
}

static void apply_name(struct disk *d, const struct op *op)
{
	struct entry *e = disk_find(d, op->path);

	if (op->kind == OP_RENAME) {
		rename_entry(d, op->path, op->to);
	} else if (op->kind == OP_UNLINK || op->kind == OP_RMDIR) {
		if (e && e->is_folder == (op->kind == OP_RMDIR) && !has_children(d, op->path))
			disk_remove(d, e);
	} else if (!e && has_parent(d, op->path)) {
		e = disk_add(d, op->path);
		e->is_folder = op->kind == OP_MKDIR;
		e->target = op->kind == OP_SYMLINK ? copy(op->to) : NULL;
		e->ino = op->ino;
		e->mode = op->mode;
	} else if (e && op->kind == OP_CREATE && !e->is_folder) {
		/* An earlier file of the name, whose removal was lost: the name is one of both. */
		free(e->data);
		free(e->target);
		e->data = e->target = NULL;
		e->len = 0;
		e->ino = op->ino;
		e->mode = op->mode;
	}
}

void disk_apply(struct disk *d, const struct trace *t, size_t n, const unsigned char *fates)
{
	for (size_t i = 0; i < n; i++) {
		const struct op *op = &t->ops[i];
		struct entry *e;

		if (op->kind >= OP_SYNC_FILE)
			continue;
		if (!is_data(op->kind)) {
			if (fates[i] != FATE_LOST)
				apply_name(d, op);
			continue;
		}
		e = op->kind == OP_MODE && op->ino == 0 ? disk_find(d, op->path)
							: by_ino(d, op->ino);
		if (!e)
			continue;
		if (op->kind == OP_WRITE)
			write_data(e, op, fates[i]);
		else if (fates[i] != FATE_LOST && op->kind == OP_MODE)
			e->mode = op->mode;
		else if (fates[i] != FATE_LOST)
			e->len = 0;
	}
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static void mix(uint64_t *sum, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		*sum = (*sum ^ p[i]) * UINT64_C(0x100000001b3);
}

uint64_t disk_hash(const struct disk *d)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	if (d->n)
		qsort(d->entries, d->n, sizeof(*d->entries), by_path);
	for (size_t i = 0; i < d->n; i++) {
		const struct entry *e = &d->entries[i];

		mix(&sum, e->path, strlen(e->path) + 1);
		mix(&sum, &e->mode, sizeof(e->mode));
		mix(&sum, &e->len, sizeof(e->len));
		if (e->data)
			mix(&sum, e->data, e->len);
		if (e->target)
			mix(&sum, e->target, strlen(e->target));
	}
	return sum;
}

static void read_below(struct disk *d, int parent, const char *path)
{
	int fd = openat(parent, path[0] ? strrchr(path, '/') ? strrchr(path, '/') + 1 : path : ".",
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		err(1, "%s", path);
	while ((entry = readdir(dir))) {
		char full[PATH_MAX], target[PATH_MAX];
		struct entry *e;
		struct stat st;
		ssize_t n;
		int file;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(full, sizeof(full), "%s%s%s", path, path[0] ? "/" : "", entry->d_name);
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			err(1, "%s", full);
		e = disk_add(d, full);
		e->mode = st.st_mode & 07777;
		if (S_ISDIR(st.st_mode)) {
			e->is_folder = true;
			read_below(d, fd, full);
			continue;
		}
		if (S_ISLNK(st.st_mode)) {
			n = readlinkat(fd, entry->d_name, target, sizeof(target) - 1);
			target[n < 0 ? 0 : n] = '\0';
			e->target = copy(target);
			continue;
		}
		e->len = (size_t)st.st_size;
		e->data = copy_bytes("", 0);
		e->data = realloc(e->data, e->len + 1);
		file = openat(fd, entry->d_name, O_RDONLY);
		if (!e->data || file < 0 || read(file, e->data, e->len) != (ssize_t)e->len)
			err(1, "%s", full);
		e->data[e->len] = '\0';
		close(file);
	}
	closedir(dir);
}

void disk_take(struct disk *d, const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY);

	*d = (struct disk){ 0 };
	if (fd < 0)
		err(1, "%s", root);
	read_below(d, fd, "");
	close(fd);
	if (d->n)
		qsort(d->entries, d->n, sizeof(*d->entries), by_path);
	for (size_t i = 0; i < d->n; i++)
		d->entries[i].ino = -1 - (int)i;
}

static void empty(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		err(1, "%s", name);
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0)
			continue;
		empty(fd, entry->d_name);
		if (unlinkat(fd, entry->d_name, AT_REMOVEDIR) < 0)
			err(1, "%s", entry->d_name);
	}
	closedir(dir);
}

void disk_write(const struct disk *d, const char *root)
{
	int top = open(root, O_RDONLY | O_DIRECTORY);

	if (top < 0)
		err(1, "%s", root);
	empty(top, ".");
	/* Sorted: parents come first. */
	for (size_t i = 0; i < d->n; i++) {
		const struct entry *e = &d->entries[i];
		int fd;

		if (e->is_folder) {
			if (mkdirat(top, e->path, 0700) < 0 ||
			    fchmodat(top, e->path, e->mode, 0) < 0)
				err(1, "%s", e->path);
			continue;
		}
		if (e->target) {
			if (symlinkat(e->target, top, e->path) < 0)
				err(1, "%s", e->path);
			continue;
		}
		fd = openat(top, e->path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd < 0 || write(fd, e->data ? e->data : "", e->len) != (ssize_t)e->len ||
		    fchmod(fd, e->mode) < 0)
			err(1, "%s", e->path);
		close(fd);
	}
	close(top);
}
