/* SPDX-License-Identifier: MIT */
#include "image/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "cluster/model.h"
#include "image/args.h"
#include "image/build.h"
#include "image/cloud.h"
#include "image/copy.h"
#include "image/release.h"
#include "image/render.h"
#include "image/root.h"
#include "image/sources.h"

#define MAKER "3" /* counts the changes of this file that change its product */
#define CLOUD_MAKER "1" /* likewise those of image/cloud.c */
#define FOLDER CACHE_UNFINISHED "sources"
#define TEMP CACHE_UNFINISHED "temp"
#define KEYRINGS "/usr/share/keyrings"

enum { MAX_KEYRING = 1 << 20 };

static const uint64_t room_needed = (uint64_t)4 << 30; /* the root, the packages and the tar */

/* Papers are not read on nodes; licences stay. */
static const char *const fixed_options[] = {
	"--mode=root",
	"--variant=minbase",
	"--format=directory",
	"--aptopt=Acquire::Languages \"none\"",
	"--aptopt=APT::Install-Recommends \"false\"",
	"--dpkgopt=path-exclude=/usr/share/man/*",
	"--dpkgopt=path-exclude=/usr/share/info/*",
	"--dpkgopt=path-exclude=/usr/share/locale/*",
	"--dpkgopt=path-exclude=/usr/share/doc/*",
	"--dpkgopt=path-include=/usr/share/doc/*/copyright",
	NULL,
};

/* It mounts and it starts much: with this process all of that ends, and no mount is left. */
static const char *const confined[] = {
	"setpriv", "--pdeathsig", "KILL",   "unshare",	    "--mount",	    "--propagation",
	"private", "--pid",	  "--fork", "--kill-child", "--mount-proc", NULL,
};

void rootfs_done(struct rootfs *r)
{
	text_done(&r->path);
}

unsigned rootfs_permille(const char *line)
{
	static const struct {
		const char *begin;
		unsigned permille;
	} marks[] = {
		{ "I: running apt-get update", 10 }, { "I: downloading packages", 40 },
		{ "I: extracting archives", 100 },   { "I: installing essential", 150 },
		{ "I: installing remaining", 250 },  { "I: cleaning package lists", 900 },
		{ "I: done", 930 },
	};
	size_t i;

	for (i = 0; i < COUNT(marks); i++)
		if (strncmp(line, marks[i].begin, strlen(marks[i].begin)) == 0)
			return marks[i].permille;
	return 0;
}

const char *rootfs_remedy(const char *line)
{
	static const char no_key[] =
		"by no key that this machine has: the packages debian-archive-keyring and "
		"ubuntu-keyring bring those to " KEYRINGS "; a mirror's own is named by a line, "
		"deb [signed-by=FILE] ..., as os.mirror";
	static const struct {
		const char *part, *remedy;
	} rows[] = {
		{ "Unable to locate package kube", "name their source under os.sources" },
		{ "Unable to locate package nvidia-container-toolkit",
		  "name its source under os.sources" },
		{ "was not found", "os.sources has no such version of it" },
		{ "Unable to locate package", "check os.packages and os.sources" },
		{ "NO_PUBKEY", no_key },
		{ "is not signed", no_key },
		{ "does not have a Release file", "check os.release and os.mirror" },
		{ "Could not resolve", "is the mirror's name right, and the network up?" },
		{ "Temporary failure resolving",
		  "is the mirror's name right, and the network up?" },
		{ "Could not connect", "is the mirror up? os.mirror names another" },
		{ "404", "check os.release and os.mirror" },
		{ "No space left", "make room, or let RACKSEED_CACHE name another place" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		if (strstr(line, rows[i].part))
			return rows[i].remedy;
	return NULL;
}

/* What is kept of mmdebstrap's words: the first complaint that says something. */
struct watch {
	struct progress *progress;
	char first[400];
	bool more; /* the next line belongs to it: dpkg tells the package, then the reason */
};

static void heed(const char *line, void *data)
{
	struct watch *w = data;
	unsigned permille = rootfs_permille(line);
	size_t n = strlen(w->first);

	if (permille)
		progress_permille(w->progress, permille);
	if (w->more)
		snprintf(w->first + n, sizeof(w->first) - n, "%s", line);
	w->more = false;
	if (w->first[0])
		return;
	if (strncmp(line, "E: ", 3) == 0)
		snprintf(w->first, sizeof(w->first), "%s", line + 3);
	w->more = strncmp(line, "dpkg: error processing", 22) == 0;
	if (w->more)
		snprintf(w->first, sizeof(w->first), "%s", line);
}

static int find_key(const struct build *b, const struct args *packages, const struct sources *s,
		    char ret_key[static DIGEST_LEN], struct fault *why)
{
	scoped(text_done) struct text all = { 0 };
	char image[DIGEST_LEN];
	const char *const *option;
	size_t i;
	int r = b->model->os.cloud_image ? cloud_sum(b, image, why) : 0;

	if (r < 0)
		return r;
	text_addf(&all, "maker " MAKER "\nrelease %s %s\nepoch %lld\n",
		  release_distribution(b->release->distribution), b->release->name,
		  (long long)b->epoch);
	for (option = fixed_options; *option; option++)
		text_addf(&all, "option %s\n", *option);
	for (i = 0; i < packages->n; i++)
		text_addf(&all, "package %s\n", packages->list[i]);
	text_add_n(&all, s->key.data, s->key.len);
	if (b->model->os.cloud_image)
		text_addf(&all, "cloud image " CLOUD_MAKER " %s\n", image);
	if (text_error(&all) < 0)
		return fault_errno(why, ENOMEM, "root file system");
	return digest_bytes(text_str(&all), all.len, ret_key, why);
}

static int prepare(const struct build *b, const struct sources *s, struct fault *why)
{
	scoped(text_done) struct text kernel = { 0 };
	int r = sources_publish(b, s, FOLDER, why);

	render_kernel_img(&(struct render){ 0 }, &kernel);
	if (r == 0)
		r = fs_write(b->cache.fd, FOLDER "/kernel-img.conf", 0644, text_str(&kernel),
			     kernel.len, why);
	return r < 0 ? r : 0;
}

/*
 * The package of the other distribution's keys puts them there, and does not make apt trust them.
 * The root gets the same ones with its packages; a cloud image has its own, which count as well.
 */
static int add_keyring(const struct build *b, const char *root, struct args *out, struct fault *why)
{
	scoped(text_done) struct text host = { 0 };
	scoped(text_done) struct text image = { 0 };
	scoped(text_done) struct text both = { 0 };
	bool has_host, has_image;
	int r;

	text_addf(&host, KEYRINGS "/%s", b->release->keyring);
	text_addf(&image, "%s" KEYRINGS "/%s", root, b->release->keyring);
	has_host = access(text_str(&host), R_OK) == 0;
	has_image = b->model->os.cloud_image && access(text_str(&image), R_OK) == 0;
	if (!has_host || !has_image) {
		if (has_host || has_image)
			args_add(out, "--keyring=%s", text_str(has_host ? &host : &image));
		return 0;
	}
	/* One behind the other they are a keyring, too. */
	r = fs_read(AT_FDCWD, text_str(&host), MAX_KEYRING, &both, why);
	if (r == 0)
		r = fs_read(AT_FDCWD, text_str(&image), MAX_KEYRING, &both, why);
	if (r == 0)
		r = fs_write(b->cache.fd, FOLDER "/keyring.gpg", 0644, text_str(&both), both.len,
			     why);
	args_add(out, "--keyring=%s/" FOLDER "/keyring.gpg", b->cache.path);
	return r < 0 ? r : 0;
}

static void add_arguments(const struct build *b, const struct args *packages,
			  const struct sources *s, const char *target, struct args *out)
{
	size_t i;

	args_add(out, "--components=%s", s->components);
	if (b->model->os.cloud_image)
		args_add(out, "--skip=check/empty");
	if (sources_are_local(s))
		args_add(out, "--hook-dir=/usr/share/mmdebstrap/hooks/file-mirror-automount");
	/* mmdebstrap's own hook "upload", no shell is started for it. */
	args_add(out,
		 "--setup-hook=upload %s/" FOLDER "/extra.list "
		 "/etc/apt/sources.list.d/rackseed-build.list",
		 b->cache.path);
	args_add(out, "--setup-hook=upload %s/" FOLDER "/kernel-img.conf /etc/kernel-img.conf",
		 b->cache.path);
	for (i = 0; i < packages->n; i++)
		args_add(out, "--include=%s", packages->list[i]);
	args_add(out, "%s", b->release->name);
	args_add(out, "%s", target);
	for (i = 0; i < s->mirrors.n; i++)
		args_add(out, "%s", s->mirrors.list[i]);
}

static int make(struct build *b, const struct args *packages, const struct sources *s,
		const char *target, struct fault *why)
{
	scoped(args_done) struct args argv = { 0 };
	struct watch watch = { .progress = &b->progress };
	const char *remedy;
	scoped(text_done) struct text temp = { 0 };
	char epoch[64];
	/*
	 * A power cut leaves nothing of it anyway, so dpkg need not wait for the disk. An initrd is
	 * made once, when all is installed, not by the kernel's hook and again at the end. What the
	 * linker complains of in the root would be among what its programs say. Settings that a
	 * cloud image changed are left as they are: dpkg could ask nobody.
	 */
	const char *env[] = { epoch,	"LC_ALL=C", "DPKG_FORCE=unsafe-io,confdef,confold",
			      "INITRD=No", NULL,    "LD_PRELOAD",
			      "LD_LIBRARY_PATH", NULL };
	int r;

	/* Its root lies beside its result, where room was looked for and leftovers are removed. */
	text_addf(&temp, "TMPDIR=%s/" TEMP, b->cache.path);
	env[4] = text_str(&temp);
	snprintf(epoch, sizeof(epoch), "SOURCE_DATE_EPOCH=%lld", (long long)b->epoch);
	args_add_all(&argv, confined);
	args_add(&argv, "mmdebstrap");
	args_add_all(&argv, fixed_options);
	r = add_keyring(b, target, &argv, why);
	if (r < 0)
		return r;
	add_arguments(b, packages, s, target, &argv);
	if (!args_list(&argv))
		return fault_errno(why, ENOMEM, "mmdebstrap");
	r = run(&(struct run){ .argv = args_list(&argv),
			       .env = env,
			       .line = heed,
			       .data = &watch,
			       .timeout_ms = 3 * 60 * 60 * 1000 },
		why);
	if (r < 0 && watch.first[0]) {
		remedy = rootfs_remedy(watch.first);
		r = fault_set(why, EREMOTEIO, "mmdebstrap: %s%s%s%s", watch.first,
			      remedy ? " (" : "", remedy ? remedy : "", remedy ? ")" : "");
	}
	return r;
}

/* The image's files first, where there is one. */
static int make_tree(struct build *b, const struct args *packages, const struct sources *s,
		     const char *tree, struct fault *why)
{
	bool from_image = b->model->os.cloud_image != NULL;
	scoped(args_done) struct args unwanted = { 0 };
	scoped(args_done) struct args all = { 0 };
	size_t i;
	int r = from_image ? fs_mkdirs(b->cache.fd, ROOTFS_TREE, 0755, why) : 0;

	if (r >= 0 && from_image)
		r = cloud_unpack(b, tree, packages, &unwanted, why);
	if (r < 0)
		return r;
	args_add_all(&all, (const char *const *)packages->list);
	for (i = 0; i < unwanted.n; i++)
		args_add(&all, "%s-", unwanted.list[i]); /* apt's word for "not this one" */
	if (!args_list(&all))
		return fault_errno(why, ENOMEM, "root file system");
	progress_phase(&b->progress, 0, "root file system (%s %s)",
		       release_distribution(b->release->distribution), b->release->name);
	r = make(b, &all, s, tree, why);
	if (r == 0 && from_image)
		r = cloud_settle(tree, &unwanted, why);
	return r < 0 ? r : root_make_initrds(tree, b->epoch, why);
}

static int make_and_keep(struct build *b, const struct args *packages, const struct sources *s,
			 const char *name, struct fault *why)
{
	static const char temp[] = CACHE_UNFINISHED "rootfs.tar";
	scoped(text_done) struct text tree = { 0 };
	scoped(text_done) struct text tar = { 0 };
	scoped(drop_fd) int fd = -1;
	int r;

	if (geteuid() != 0)
		return fault_set(why, EPERM,
				 "making a root file system needs root: run rackseed "
				 "build with sudo");
	r = copy_room(b->cache.fd, b->cache.path, room_needed, why);
	if (r == 0)
		r = fs_mkdirs(b->cache.fd, TEMP, 0755, why);
	if (r >= 0)
		r = fs_remove_tree(b->cache.fd, ROOTFS_TREE, why);
	if (r >= 0)
		r = prepare(b, s, why);
	if (r < 0)
		return r;
	text_addf(&tree, "%s/" ROOTFS_TREE, b->cache.path);
	text_addf(&tar, "%s/%s", b->cache.path, temp);
	if (text_error(&tree) < 0 || text_error(&tar) < 0)
		return fault_errno(why, ENOMEM, "root file system");
	r = make_tree(b, packages, s, text_str(&tree), why);
	if (r == 0)
		r = root_pack(text_str(&tree), text_str(&tar), b->epoch, why);
	if (r < 0)
		return fault_wrap(why, "root file system");
	fd = openat(b->cache.fd, temp, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0 || renameat(b->cache.fd, temp, b->cache.fd, name) < 0 ||
	    fsync(b->cache.fd) < 0)
		return fault_errno(why, errno, "%s/%s", b->cache.path, name);
	progress_end(&b->progress);
	return 0;
}

static void list_packages(const struct build *b, unsigned uses, struct args *out)
{
	release_packages(b->release, uses, out);
	if (uses & RELEASE_KUBERNETES)
		release_kubernetes(&b->model->kubernetes, out);
	release_gpus(b->release, uses, b->model, out);
	args_add_all(out, (const char *const *)b->model->os.packages);
}

int rootfs_get(struct build *b, unsigned uses, struct rootfs *ret, struct fault *why)
{
	scoped(args_done) struct args packages = { 0 };
	scoped(sources_done) struct sources sources = { 0 };
	struct rootfs made = { 0 };
	char name[DIGEST_LEN + 16];
	int r = sources_collect(b, uses, &sources, why);

	if (r < 0)
		return r;
	list_packages(b, uses, &packages);
	if (packages.error)
		return fault_errno(why, ENOMEM, "root file system");
	r = find_key(b, &packages, &sources, made.key, why);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "rootfs-%.16s.tar", made.key);
	made.unpacked = faccessat(b->cache.fd, name, R_OK, 0) < 0;
	if (made.unpacked)
		r = make_and_keep(b, &packages, &sources, name, why);
	if (r == 0)
		r = cache_used(&b->cache, name, "rootfs-*.tar", why);
	if (r < 0)
		return r;
	text_addf(&made.path, "%s/%s", b->cache.path, name);
	*ret = made;
	return text_error(&made.path);
}
