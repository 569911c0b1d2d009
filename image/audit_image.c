/* SPDX-License-Identifier: MIT */
#include "image/audit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <guestfs.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/audit.h"
#include "cluster/seed.h"
#include "image/guest.h"

DEFINE_DROP(string, char *, free)
DEFINE_DROP(stat, struct guestfs_statns *, guestfs_free_statns)
DEFINE_DROP(stats, struct guestfs_statns_list *, guestfs_free_statns_list)

static void drop_list(char ***list)
{
	char **s;

	for (s = *list; s && *s; s++)
		free(*s);
	free(*list);
}

/* What the library says of a file that is not there is no more than that. */
static int code_of(const struct guest *guest)
{
	int code = guestfs_last_errno(guest->handle);

	return code == ENOTDIR ? -ENOENT : code > 0 ? -code : -EIO;
}

static void copy_stat(struct audit_stat *ret, const struct guestfs_statns *st)
{
	*ret = (struct audit_stat){ .mode = (mode_t)st->st_mode,
				    .uid = (uid_t)st->st_uid,
				    .gid = (gid_t)st->st_gid };
}

static int image_stat(void *data, const char *path, struct audit_stat *ret)
{
	const struct guest *guest = data;
	scoped(drop_stat) struct guestfs_statns *st = guestfs_lstatns(guest->handle, path);

	if (!st)
		return code_of(guest);
	copy_stat(ret, st);
	return 0;
}

static int image_read(void *data, const char *path, size_t max, struct text *out)
{
	struct fault why = { 0 };

	return guest_read(data, path, max, out, &why);
}

static int image_link(void *data, const char *path, struct text *out)
{
	const struct guest *guest = data;
	scoped(drop_string) char *target = guestfs_readlink(guest->handle, path);

	if (!target)
		return code_of(guest);
	text_add(out, target);
	return text_error(out);
}

static int image_list(void *data, const char *folder,
		      void (*entry)(void *to, const char *name, const struct audit_stat *st),
		      void *to)
{
	const struct guest *guest = data;
	scoped(drop_stats) struct guestfs_statns_list *stats = NULL;
	scoped(drop_list) char **names = guestfs_ls(guest->handle, folder);
	uint32_t i;

	if (!names)
		return code_of(guest);
	stats = guestfs_lstatnslist(guest->handle, folder, names);
	if (!stats)
		return code_of(guest);
	for (i = 0; i < stats->len && names[i]; i++) {
		struct audit_stat st;

		copy_stat(&st, &stats->val[i]);
		if (stats->val[i].st_ino >= 0) /* -1: gone meanwhile */
			entry(to, names[i], &st);
	}
	return 0;
}

/* The seed is read first: the library mounts it instead of all else. */
static int read_seed(const struct guest *guest, struct seed *seed, bool *ret_there,
		     struct fault *why)
{
	int r = guest_seed(guest, seed, why);

	*ret_there = r == 0;
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = seed_verify(seed, why);
	if (r < 0)
		return fault_wrap(why, "seed");
	return guestfs_umount_all(guest->handle) < 0 ? guest_fault(guest, why, "seed") : 0;
}

int audit_image(const char *image, struct audit *ret, struct fault *why)
{
	scoped(guest_drop) struct guest guest = { 0 };
	scoped(audit_done) struct audit audit = { 0 };
	scoped(drop_string) char *os = NULL;
	scoped(seed_done) struct seed seed = { 0 };
	const struct audit_tree tree = { .stat = image_stat,
					 .read = image_read,
					 .link = image_link,
					 .list = image_list,
					 .data = &guest };
	bool has_seed = false;
	int r = guest_open(image, &guest, why);

	if (r == 0)
		r = read_seed(&guest, &seed, &has_seed, why);
	if (r == 0)
		r = guest_mount_os(&guest, &os, why);
	if (r == 0)
		r = audit_judge(&tree, has_seed ? &seed : NULL, &audit, why);
	if (r == 0)
		r = guest_close(&guest, why);
	if (r < 0)
		return fault_wrap(why, "%s", image);
	*ret = audit;
	audit = (struct audit){ 0 };
	return 0;
}
