/* SPDX-License-Identifier: MIT */
#include "image/flash_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "image/target_probe.h"

DEFINE_DROP(dir, DIR *, closedir)

void flash_list_done(struct flash_list *list)
{
	free(list->rows);
	*list = (struct flash_list){ 0 };
}

static struct flash_row *add(struct flash_list *list)
{
	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 8;
		struct flash_row *rows = realloc(list->rows, room * sizeof(*rows));

		if (!rows)
			return NULL;
		list->rows = rows;
		list->room = room;
	}
	list->rows[list->n] = (struct flash_row){ 0 };
	return &list->rows[list->n++];
}

/* Loop devices that nothing is attached to, and drives without a disk in them. */
static bool is_vacant(int block, const char *name)
{
	char path[300], size[32];

	snprintf(path, sizeof(path), "%s/size", name);
	target_word(block, path, size, sizeof(size));
	return strcmp(size, "0") == 0;
}

static int look_one(int root, const char *name, const struct target_want *want,
		    struct flash_row *row, struct fault *why)
{
	struct target target;
	char *c;
	int r;

	snprintf(row->path, sizeof(row->path), "/dev/%.*s", TARGET_WORD - 6, name);
	for (c = row->path; (c = strchr(c, '!')); c++)
		*c = '/'; /* cciss!c0d0 */
	r = target_open(root, row->path, TARGET_TO_LOOK, &target, why);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		snprintf(row->trouble, sizeof(row->trouble), "%.*s", 255, why->text);
		if (target_look_name(root, name, &row->facts, why) < 0)
			return 0;
	} else {
		row->facts = target.facts;
		target_done(&target);
	}
	target_judge(&row->facts, want, &row->verdict);
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct flash_row *x = a, *y = b;

	return strcmp(x->path, y->path);
}

int flash_list_look(int root, const struct target_want *want, struct flash_list *ret,
		    struct fault *why)
{
	int fd = openat(root, "sys/block", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(drop_dir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	scoped(flash_list_done) struct flash_list list = { 0 };
	const struct dirent *e;
	int r = 0;

	if (!d) {
		drop_fd(&fd);
		return fault_errno(why, errno, "/sys/block");
	}
	while (r == 0 && (e = readdir(d))) {
		struct flash_row *row;

		if (e->d_name[0] == '.' || is_vacant(dirfd(d), e->d_name))
			continue;
		row = add(&list);
		r = row ? look_one(root, e->d_name, want, row, why)
			: fault_errno(why, ENOMEM, "list of disks");
	}
	if (r < 0)
		return r;
	if (list.n)
		qsort(list.rows, list.n, sizeof(*list.rows), by_path);
	*ret = list;
	list = (struct flash_list){ 0 };
	return 0;
}
