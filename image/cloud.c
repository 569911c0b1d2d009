/* SPDX-License-Identifier: MIT */
#include "image/cloud.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <guestfs.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"
#include "image/args.h"
#include "image/build.h"
#include "image/copy.h"
#include "image/fetch.h"
#include "image/guest.h"
#include "image/release.h"
#include "image/root.h"

#define TAR CACHE_UNFINISHED "cloud.tar"

DEFINE_DROP(string, char *, free)
DEFINE_DROP(statvfs, struct guestfs_statvfs *, guestfs_free_statvfs)

/* What a running system, firmware or apt puts there. */
static const char *const left_out[] = {
	"./dev/*",
	"./proc/*",
	"./sys/*",
	"./run/*",
	"./tmp/*",
	"./boot/efi/*",
	"./lost+found",
	"./boot/lost+found",
	"./var/cache/apt/*",
	"./var/lib/apt/lists/*",
	NULL,
};

static int blame(const struct build *b, struct model_mark mark, const char *key, struct fault *why)
{
	return fault_wrap(why, "%s:%u: %s", b->model->file, mark.line, key);
}

static void add_path(const struct build *b, struct text *out)
{
	const char *image = b->model->os.cloud_image;

	text_addf(out, "%s%s%s", *image == '/' ? "" : b->folder_path, *image == '/' ? "" : "/",
		  image);
}

int cloud_sum(const struct build *b, char ret_hex[static DIGEST_LEN], struct fault *why)
{
	const struct model *m = b->model;
	scoped(text_done) struct text path = { 0 };
	char want[DIGEST_LEN], hex[DIGEST_LEN];
	int r;

	fetch_sum(m->os.sha256 ? m->os.sha256 : "", want);
	if (!model_place_is_url(m->os.cloud_image)) {
		add_path(b, &path);
		r = cache_digest(&b->cache, text_str(&path), hex, why);
		if (r < 0)
			return blame(b, m->mark.cloud_image, "cloudImage", why);
		if (*want && strcmp(want, hex) != 0) {
			fault_set(why, EBADMSG, "'%s' has %s, not this sum", m->os.cloud_image,
				  hex);
			return blame(b, m->mark.sha256, "sha256", why);
		}
		memcpy(want, hex, DIGEST_LEN);
	}
	memcpy(ret_hex, want, DIGEST_LEN);
	return 0;
}

int cloud_judge(const struct cloud_facts *facts, const struct release *release, struct fault *why)
{
	const char *distribution = release_distribution(release->distribution);
	char version[32];

	snprintf(version, sizeof(version),
		 strcmp(facts->distribution, "ubuntu") == 0 ? "%d.%02d" : "%d", facts->major,
		 facts->minor);
	if (strcmp(facts->distribution, distribution) != 0 ||
	    strcmp(version, release->version) != 0)
		return fault_set(why, EINVAL, "it holds %s %s; the file wants %s %s (%s)",
				 facts->distribution, version, distribution, release->version,
				 release->name);
	if (strcmp(facts->arch, "x86_64") != 0)
		return fault_set(why, EINVAL, "it is for machines of %s, not of x86_64",
				 facts->arch);
	return 0;
}

/* Before the appliance is started, which takes half a minute on a slow machine. */
static int check_whole(const char *image, struct fault *why)
{
	scoped(guest_drop) struct guest guest = { .handle = guestfs_create() };
	int r;

	if (!guest.handle)
		return fault_errno(why, errno, "libguestfs");
	guestfs_set_error_handler(guest.handle, NULL, NULL);
	r = guestfs_disk_has_backing_file(guest.handle, image);
	if (r > 0)
		return fault_set(why, EINVAL, "it is only what differs from another file");
	return r < 0 ? guest_fault(&guest, why, "libguestfs") : 0;
}

/* Asks the library, and whether that is what the document says. */
static int look(const struct build *b, const struct guest *guest, struct fault *why)
{
	scoped(drop_string) char *root = NULL;
	scoped(drop_string) char *distribution = NULL;
	scoped(drop_string) char *arch = NULL;
	struct cloud_facts facts = { 0 };
	int r = guest_mount_os(guest, &root, why);

	if (r < 0)
		return r;
	distribution = guestfs_inspect_get_distro(guest->handle, root);
	arch = guestfs_inspect_get_arch(guest->handle, root);
	if (!distribution || !arch)
		return guest_fault(guest, why, "cannot tell what it holds");
	facts = (struct cloud_facts){
		.distribution = distribution,
		.arch = arch,
		.major = guestfs_inspect_get_major_version(guest->handle, root),
		.minor = guestfs_inspect_get_minor_version(guest->handle, root)
	};
	return cloud_judge(&facts, b->release, why);
}

/* The tar and what is unpacked of it lie beside each other for a while. */
static int find_room(const struct build *b, const struct guest *guest, struct fault *why)
{
	scoped(drop_statvfs) struct guestfs_statvfs *st = guestfs_statvfs(guest->handle, "/");

	if (!st)
		return guest_fault(guest, why, "libguestfs");
	return copy_room(b->cache.fd, b->cache.path,
			 (uint64_t)(st->blocks - st->bfree) * (uint64_t)st->frsize * 2, why);
}

static int take_files(const struct build *b, const char *image, const char *tar, struct fault *why)
{
	scoped(guest_drop) struct guest guest = { 0 };
	int r = check_whole(image, why);

	if (r == 0)
		r = guest_open(image, &guest, why);
	if (r == 0)
		r = look(b, &guest, why);
	if (r == 0)
		r = find_room(b, &guest, why);
	if (r == 0 &&
	    guestfs_tar_out_opts(guest.handle, "/", tar, GUESTFS_TAR_OUT_OPTS_NUMERICOWNER, 1,
				 GUESTFS_TAR_OUT_OPTS_XATTRS, 1, GUESTFS_TAR_OUT_OPTS_EXCLUDES,
				 left_out, -1) < 0)
		r = guest_fault(&guest, why, "cannot take its files");
	return r < 0 ? r : guest_close(&guest, why);
}

static int find_image(struct build *b, struct text *ret_path, struct fault *why)
{
	const char *image = b->model->os.cloud_image;

	if (model_place_is_url(image))
		return fetch(&b->cache, &b->progress, image, b->model->os.sha256, ret_path, why);
	add_path(b, ret_path);
	return text_error(ret_path) < 0 ? fault_errno(why, ENOMEM, "%s", image) : 0;
}

static int unpack(struct build *b, const char *root, const struct args *wanted,
		  struct args *ret_unwanted, struct fault *why)
{
	scoped(text_done) struct text image = { 0 };
	scoped(text_done) struct text tar = { 0 };
	int r = find_image(b, &image, why);

	if (r < 0)
		return r;
	text_addf(&tar, "%s/" TAR, b->cache.path);
	progress_phase(&b->progress, 0, "files of the cloud image");
	r = take_files(b, text_str(&image), text_str(&tar), why);
	if (r < 0)
		return fault_wrap(why, "'%s'", b->model->os.cloud_image);
	r = root_unpack(text_str(&tar), root, why);
	if (r == 0)
		r = fs_remove(b->cache.fd, TAR, why);
	return r < 0 ? r : cloud_prepare(root, wanted, ret_unwanted, why);
}

int cloud_unpack(struct build *b, const char *root, const struct args *wanted,
		 struct args *ret_unwanted, struct fault *why)
{
	int r = unpack(b, root, wanted, ret_unwanted, why);

	return r < 0 ? blame(b, b->model->mark.cloud_image, "cloudImage", why) : 0;
}
