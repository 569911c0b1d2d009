/* SPDX-License-Identifier: MIT */
#include "image/golden.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "cluster/gpu.h"
#include "cluster/model.h"
#include "image/args.h"
#include "image/boot.h"
#include "image/build.h"
#include "image/container.h"
#include "image/copy.h"
#include "image/disk.h"
#include "image/ext4.h"
#include "image/record.h"
#include "image/release.h"
#include "image/render.h"
#include "image/rootfs.h"
#include "image/sbom.h"
#include "image/sums_file.h"

#ifndef RACKSEED_VERSION
#define RACKSEED_VERSION "0"
#endif

#define MAKER "7" /* counts the changes of the golden disk that its inputs do not show */
#define NODE_TAR CACHE_UNFINISHED "node.tar"
#define DISK CACHE_UNFINISHED "golden.raw"
#define CONF CACHE_UNFINISHED "mke2fs.conf"
#define IMAGES_INDEX "/usr/lib/rackseed/images/index"

enum { MAX_INDEX = 16 << 20, MAX_SBOM = 64 << 20 };

/* All that the making of one golden disk works with. */
struct work {
	struct build *build;
	unsigned uses;
	struct rootfs rootfs;
	struct container_images images;
	struct disk_ids ids;
	struct render texts;
	struct root_facts facts;
	struct text node_tar, root, disk, conf; /* absolute paths */
	struct args held;
	struct text modprobe;
	uint64_t root_size;
};

/* Of one golden disk, in the cache. */
struct golden_names {
	const char *key;
	char disk[DIGEST_LEN + 24], facts[DIGEST_LEN + 24], sbom[DIGEST_LEN + 24];
};

void golden_done(struct golden *g)
{
	text_done(&g->path);
}

static void work_done(struct work *w)
{
	rootfs_done(&w->rootfs);
	container_done(&w->images);
	text_done(&w->node_tar);
	text_done(&w->root);
	text_done(&w->disk);
	text_done(&w->conf);
	args_done(&w->held);
	text_done(&w->modprobe);
}

/* What GPUs add to the root besides their packages. */
static int want_gpus(struct work *w, struct fault *why)
{
	if (w->uses & RELEASE_NVIDIA)
		gpu_modprobe(gpu_vendor(MODEL_GPU_NVIDIA), &w->modprobe);
	if (w->uses & RELEASE_AMD)
		gpu_modprobe(gpu_vendor(MODEL_GPU_AMD), &w->modprobe);
	release_gpus_held(w->build->release, w->uses, w->build->model, &w->held);
	if (w->held.error < 0 || text_error(&w->modprobe) < 0)
		return fault_errno(why, ENOMEM, "golden disk");
	return 0;
}

static int name_paths(struct work *w, struct fault *why)
{
	const char *cache = w->build->cache.path;

	text_addf(&w->node_tar, "%s/" NODE_TAR, cache);
	text_addf(&w->root, "%s/" ROOTFS_TREE, cache);
	text_addf(&w->disk, "%s/" DISK, cache);
	text_addf(&w->conf, "%s/" CONF, cache);
	if (text_error(&w->node_tar) || text_error(&w->root) || text_error(&w->disk) ||
	    text_error(&w->conf))
		return fault_errno(why, ENOMEM, "golden disk");
	return 0;
}

static void set_texts(struct work *w)
{
	struct root_facts *f = &w->facts;

	w->texts = (struct render){
		.distribution = release_distribution(w->build->release->distribution),
		.release = w->build->release->name,
		.kubernetes = f->kubernetes[0] ? f->kubernetes : NULL,
		.containerd = f->containerd[0] ? f->containerd : NULL,
		.pause = f->pause[0] ? f->pause : NULL,
		.kernel_arguments = w->build->model->os.kernel_arguments,
		.modprobe = w->modprobe.len ? text_str(&w->modprobe) : NULL,
		.held = w->held.list,
		.root_uuid = w->ids.root_fs,
		.root_part_uuid = w->ids.root,
		.esp_part_uuid = w->ids.esp,
		.root_number = DISK_ROOT_NUMBER,
		.epoch = w->build->epoch,
	};
}

/* Our own files, with the identifiers that the key is to give left out. */
static void add_texts(const struct render *texts, struct text *out)
{
	render_grub(texts, out);
	render_grub_efi(texts, out);
	render_fstab(texts, out);
	render_repart(texts, out);
	text_add(out, texts->modprobe ? texts->modprobe : "");
	text_add(out, render_mke2fs_conf);
	text_add(out, render_containerd_toml);
}

static int find_key(struct work *w, char ret_key[static DIGEST_LEN], struct fault *why)
{
	scoped(text_done) struct text all = { 0 };
	char hex[DIGEST_LEN];
	int r = root_pack_node_tree(w->build, text_str(&w->node_tar), why);

	if (r == 0)
		r = digest_file(text_str(&w->node_tar), hex, why);
	if (r < 0)
		return fault_wrap(why, "node tree '%s'", w->build->node_tree);
	text_addf(&all, "maker " MAKER " " RACKSEED_VERSION "\nrootfs %s\nnode tree %s\n",
		  w->rootfs.key, hex);
	set_texts(w);
	add_texts(&w->texts, &all);
	if (w->build->model->image_repository)
		text_addf(&all, "repository %s\n", w->build->model->image_repository);
	text_add_n(&all, w->images.key.data, w->images.key.len);
	if (text_error(&all) < 0)
		return fault_errno(why, ENOMEM, "golden disk");
	return digest_bytes(text_str(&all), all.len, ret_key, why);
}

static int unpack_root(struct work *w, struct fault *why)
{
	int r = fs_remove_tree(w->build->cache.fd, ROOTFS_TREE, why);

	if (r >= 0)
		r = fs_mkdirs(w->build->cache.fd, ROOTFS_TREE, 0755, why);
	return r < 0 ? r : root_unpack(text_str(&w->rootfs.path), text_str(&w->root), why);
}

static int make_root(struct work *w, struct fault *why)
{
	const char *root = text_str(&w->root);
	int r = 0;

	progress_phase(&w->build->progress, 0, "files of the golden disk");
	if (!w->rootfs.unpacked)
		r = unpack_root(w, why);
	if (r >= 0)
		r = root_unpack(text_str(&w->node_tar), root, why);
	if (r == 0 && (w->uses & RELEASE_KUBERNETES))
		r = root_ask(w->build, root, &w->facts, why);
	if (r < 0)
		return r;
	set_texts(w);
	return root_settle(root, &w->texts, why);
}

/* An empty file of the right size, with its table. */
static int make_disk(struct work *w, struct fault *why)
{
	scoped(drop_fd) int fd = -1;
	int r = ext4_measure(text_str(&w->root), &w->root_size, why);

	if (r == 0)
		r = copy_room(w->build->cache.fd, w->build->cache.path, w->root_size, why);
	if (r < 0)
		return r;
	fd = openat(w->build->cache.fd, DISK, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)(DISK_ROOT_OFFSET + w->root_size + DISK_TAIL)) < 0)
		return fault_errno(why, errno, "%s", text_str(&w->disk));
	return disk_partition(text_str(&w->disk), &w->ids, w->root_size, why);
}

static int fill_disk(struct work *w, struct fault *why)
{
	const struct boot boot = { .disk = text_str(&w->disk),
				   .root = text_str(&w->root),
				   .release = w->build->release,
				   .texts = &w->texts,
				   .serial = (uint32_t)strtoul(w->ids.esp, NULL, 16) };
	const struct ext4 ext4 = { .disk = text_str(&w->disk),
				   .offset = DISK_ROOT_OFFSET,
				   .size = w->root_size,
				   .root = text_str(&w->root),
				   .uuid = w->ids.root_fs,
				   .hash_seed = w->ids.hash_seed,
				   .mke2fs_conf = text_str(&w->conf),
				   .epoch = w->build->epoch };
	int r;

	r = fs_write(w->build->cache.fd, CONF, 0644, render_mke2fs_conf, strlen(render_mke2fs_conf),
		     why);
	if (r >= 0)
		r = boot_efi(&boot, why);
	if (r >= 0)
		r = boot_bios(&boot, why);
	return r < 0 ? r : ext4_make(&ext4, why);
}

/* What dpkg knows of the root, and the container images that were put into it. */
static int write_sbom(struct work *w, const struct golden_names *names, struct fault *why)
{
	static const char *const words[] = { "dpkg-query", "--show", "--showformat=" SBOM_FORMAT,
					     NULL };
	scoped(text_done) struct text packages = { 0 };
	scoped(text_done) struct text images = { 0 };
	scoped(text_done) struct text json = { 0 };
	struct fault absent = { 0 };
	struct sbom sbom = { .name = names->disk,
			     .key = names->key,
			     .distribution = w->texts.distribution,
			     .release = w->texts.release,
			     .epoch = w->build->epoch };
	int r = root_run(text_str(&w->root), words, &packages, why);

	if (r < 0)
		return r;
	r = fs_read(w->build->cache.fd, ROOTFS_TREE IMAGES_INDEX, MAX_INDEX, &images, &absent);
	if (r < 0 && r != -ENOENT)
		return fault_errno(why, r, "%s" IMAGES_INDEX, text_str(&w->root));
	sbom.packages = text_str(&packages);
	sbom.images = text_str(&images);
	r = sbom_render(&sbom, &json, why);
	if (r == 0)
		r = fs_write(w->build->cache.fd, names->sbom, 0644, text_str(&json), json.len, why);
	return r < 0 ? r : 0;
}

/* From here on it looks finished, so everything of it must be on the disk before. */
static int publish(struct work *w, const struct golden_names *names, struct fault *why)
{
	struct build *b = w->build;
	scoped(drop_fd) int fd = openat(b->cache.fd, DISK, O_RDWR | O_CLOEXEC);
	scoped(text_done) struct text facts = { 0 };
	int r;

	render_image_json(&w->texts, &facts);
	r = fs_write(b->cache.fd, names->facts, 0644, text_str(&facts), facts.len, why);
	if (r < 0)
		return r;
	if (fd < 0 || fchmod(fd, 0444) < 0 || fsync(fd) < 0 ||
	    renameat(b->cache.fd, DISK, b->cache.fd, names->disk) < 0 || fsync(b->cache.fd) < 0)
		return fault_errno(why, errno, "%s/%s", b->cache.path, names->disk);
	r = fs_remove_tree(b->cache.fd, ROOTFS_TREE, why);
	return r < 0 ? r : 0;
}

static int make(struct work *w, const struct golden_names *names, struct fault *why)
{
	struct build *b = w->build;
	struct stat st = { 0 };
	int r;

	if (geteuid() != 0)
		return fault_set(why, EPERM,
				 "making a golden disk needs root: run rackseed build "
				 "with sudo");
	if (stat(text_str(&w->rootfs.path), &st) < 0)
		return fault_errno(why, errno, "%s", text_str(&w->rootfs.path));
	r = copy_room(b->cache.fd, b->cache.path, (uint64_t)st.st_size * 5 / 2, why);
	if (r == 0)
		r = disk_ids(names->key, &w->ids, why);
	if (r == 0)
		r = make_root(w, why);
	if (r == 0 && (w->uses & RELEASE_KUBERNETES))
		r = container_import(b, text_str(&w->root), &w->images, w->facts.pause, why);
	if (r < 0)
		return r;
	progress_phase(&b->progress, 0, "golden disk");
	r = make_disk(w, why);
	if (r == 0)
		r = fill_disk(w, why);
	/* Behind the long work: what a build that was killed leaves must not look finished. */
	if (r == 0)
		r = write_sbom(w, names, why);
	if (r == 0)
		r = publish(w, names, why);
	if (r == 0)
		progress_end(&b->progress);
	return r;
}

static void name_files(const char *key, struct golden_names *ret)
{
	ret->key = key;
	snprintf(ret->disk, sizeof(ret->disk), "golden-%.16s.raw", key);
	snprintf(ret->facts, sizeof(ret->facts), "golden-%.16s.json", key);
	snprintf(ret->sbom, sizeof(ret->sbom), "golden-%.16s.spdx.json", key);
}

static bool is_whole(const struct build *b, const struct golden_names *names)
{
	return faccessat(b->cache.fd, names->disk, R_OK, 0) == 0 &&
	       faccessat(b->cache.fd, names->facts, R_OK, 0) == 0 &&
	       faccessat(b->cache.fd, names->sbom, R_OK, 0) == 0;
}

static int read_facts(const struct build *b, const char *name, struct root_facts *ret,
		      struct fault *why)
{
	scoped(text_done) struct text json = { 0 };
	int r = fs_read(b->cache.fd, name, 1 << 16, &json, why);

	return r < 0 ? r : record_facts(text_str(&json), json.len, ret, why);
}

int golden_get(struct build *b, unsigned uses, struct golden *ret, struct fault *why)
{
	scoped(work_done) struct work w = { .build = b, .uses = uses };
	struct golden g = { .uses = uses };
	struct golden_names names;
	int r = name_paths(&w, why);

	if (r == 0)
		r = want_gpus(&w, why);
	if (r == 0)
		r = rootfs_get(b, uses, &w.rootfs, why);
	if (r == 0 && (uses & RELEASE_KUBERNETES))
		r = container_collect(b, &w.images, why);
	if (r == 0)
		r = find_key(&w, g.key, why);
	if (r < 0)
		return r;
	name_files(g.key, &names);
	if (!is_whole(b, &names))
		r = make(&w, &names, why);
	if (r == 0)
		r = read_facts(b, names.facts, &g.facts, why);
	if (r == 0)
		r = cache_used(&b->cache, names.disk, "golden-*.raw", why);
	if (r == 0)
		r = cache_used(&b->cache, names.sbom, "golden-*.spdx.json", why);
	if (r == 0)
		r = cache_used(&b->cache, names.facts, "golden-*[0-9a-f].json", why);
	if (r < 0)
		return r;
	snprintf(g.sbom, sizeof(g.sbom), "%s", names.sbom);
	text_addf(&g.path, "%s/%s", b->cache.path, names.disk);
	*ret = g;
	return text_error(&g.path);
}

int golden_place_sbom(const struct golden *g, const struct build *b, int folder, struct sums *sums,
		      struct fault *why)
{
	scoped(text_done) struct text json = { 0 };
	int r = fs_read(b->cache.fd, g->sbom, MAX_SBOM, &json, why);

	if (r == 0)
		r = sums_add_bytes(sums, g->sbom, &json, why);
	if (r == 0)
		r = fs_write(folder, g->sbom, 0644, text_str(&json), json.len, why);
	return r < 0 ? r : 0;
}
