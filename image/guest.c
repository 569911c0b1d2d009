/* SPDX-License-Identifier: MIT */
#include "image/guest.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/seed.h"
#include "image/accel.h"

enum { MAX_SEED_FILE = SEED_BYTES };

DEFINE_DROP(string, char *, free)

static void free_list(char **list)
{
	size_t i;

	for (i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

DEFINE_DROP(list, char **, free_list)

int guest_fault(const struct guest *guest, struct fault *why, const char *what)
{
	int code = guestfs_last_errno(guest->handle);
	const char *words = guestfs_last_error(guest->handle);

	return fault_set(why, code ? code : EIO, "%s: %s", what, words ? words : "no reason given");
}

/* A KVM that never starts a guest would keep the library waiting for ever. */
static int choose_accel(const struct guest *guest, struct fault *why)
{
	struct fault ignored = { 0 };

	if (getenv("LIBGUESTFS_BACKEND_SETTINGS") || accel_kvm_works(&ignored))
		return 0;
	if (guestfs_set_backend_setting(guest->handle, "force_tcg", "1") < 0)
		return guest_fault(guest, why, "libguestfs");
	return 0;
}

int guest_open(const char *image, struct guest *ret, struct fault *why)
{
	scoped(guest_drop) struct guest guest = { .handle = guestfs_create() };

	if (!guest.handle)
		return fault_errno(why, errno, "libguestfs");
	guestfs_set_error_handler(guest.handle, NULL, NULL);
	if (access(image, R_OK) < 0)
		return fault_errno(why, errno, "%s", image);
	if (!getenv("LIBGUESTFS_BACKEND") && guestfs_set_backend(guest.handle, "direct") < 0)
		return guest_fault(&guest, why, "libguestfs");
	if (guestfs_add_drive_opts(guest.handle, image, GUESTFS_ADD_DRIVE_OPTS_READONLY, 1, -1) < 0)
		return guest_fault(&guest, why, image);
	if (choose_accel(&guest, why) < 0)
		return -why->code;
	if (guestfs_launch(guest.handle) < 0)
		return guest_fault(&guest, why, "libguestfs does not start");
	ret->handle = take(guest.handle);
	return 0;
}

int guest_close(struct guest *guest, struct fault *why)
{
	int r = 0;

	if (guestfs_shutdown(guest->handle) < 0)
		r = guest_fault(guest, why, "libguestfs");
	guest_drop(guest);
	return r;
}

void guest_drop(struct guest *guest)
{
	if (guest->handle)
		guestfs_close(guest->handle);
	guest->handle = NULL;
}

int guest_mount_os(const struct guest *guest, char **ret_root, struct fault *why)
{
	scoped(drop_list) char **roots = guestfs_inspect_os(guest->handle);
	scoped(drop_list) char **mounts = NULL;
	scoped(drop_string) char *root = NULL;
	size_t i;

	if (!roots)
		return guest_fault(guest, why, "cannot look for an operating system");
	if (!roots[0])
		return fault_set(why, ENOENT, "no operating system is on this image");
	mounts = guestfs_inspect_get_mountpoints(guest->handle, roots[0]);
	if (!mounts)
		return guest_fault(guest, why, "cannot find the file systems");
	if (guestfs_mount_ro(guest->handle, roots[0], "/") < 0)
		return guest_fault(guest, why, roots[0]);
	/* Pairs of mount point and device; what fails to mount is not needed here. */
	for (i = 0; mounts[i] && mounts[i + 1]; i += 2)
		if (strcmp(mounts[i], "/") != 0)
			(void)guestfs_mount_ro(guest->handle, mounts[i + 1], mounts[i]);
	root = strdup(roots[0]);
	if (!root)
		return fault_errno(why, ENOMEM, "libguestfs");
	*ret_root = take(root);
	return 0;
}

int guest_read(const struct guest *guest, const char *path, size_t max, struct text *out,
	       struct fault *why)
{
	scoped(drop_string) char *data = NULL;
	int64_t length;
	size_t size = 0;
	int there = guestfs_is_file(guest->handle, path);

	if (there < 0)
		return guest_fault(guest, why, path);
	if (there == 0)
		return fault_errno(why, ENOENT, "%s", path);
	length = guestfs_filesize(guest->handle, path);
	if (length < 0)
		return guest_fault(guest, why, path);
	if ((uint64_t)length > max)
		return fault_set(why, EFBIG, "%s: larger than %zu bytes", path, max);
	data = guestfs_read_file(guest->handle, path, &size);
	if (!data)
		return guest_fault(guest, why, path);
	text_add_n(out, data, size);
	explicit_bzero(data, size);
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "%s", path) : 0;
}

static int add_file(const struct guest *guest, const char *name, struct seed *seed,
		    struct fault *why)
{
	scoped(text_wipe) struct text data = { 0 };
	scoped(text_done) struct text path = { 0 };
	int is_file;
	int r;

	text_addf(&path, "/%s", name);
	is_file = guestfs_is_file(guest->handle, text_str(&path));
	if (is_file < 0)
		return guest_fault(guest, why, name);
	if (is_file == 0)
		return 0;
	r = guest_read(guest, text_str(&path), MAX_SEED_FILE, &data, why);
	return r < 0 ? r : seed_add(seed, name, text_str(&data), data.len, why);
}

int guest_seed(const struct guest *guest, struct seed *ret, struct fault *why)
{
	scoped(drop_string) char *device = guestfs_findfs_label(guest->handle, SEED_LABEL);
	scoped(drop_list) char **names = NULL;
	scoped(seed_done) struct seed seed = { 0 };
	size_t i;
	int r = 0;

	if (!device)
		return fault_set(why, ENOENT, "this image has no seed");
	if (guestfs_umount_all(guest->handle) < 0 ||
	    guestfs_mount_ro(guest->handle, device, "/") < 0)
		return guest_fault(guest, why, "seed");
	names = guestfs_find(guest->handle, "/");
	if (!names)
		return guest_fault(guest, why, "seed");
	for (i = 0; r == 0 && names[i]; i++)
		r = add_file(guest, names[i], &seed, why);
	if (r < 0)
		return fault_wrap(why, "seed");
	*ret = seed;
	seed = (struct seed){ 0 };
	return 0;
}
