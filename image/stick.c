/* SPDX-License-Identifier: MIT */
#include "image/stick.h"

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
#include "base/text.h"
#include "cluster/envelope.h"
#include "cluster/installer.h"
#include "cluster/model.h"
#include "cluster/seed.h"
#include "image/build.h"
#include "image/copy.h"
#include "image/disk.h"
#include "image/ext4.h"
#include "image/fat.h"
#include "image/golden.h"
#include "image/release.h"
#include "image/render.h"
#include "image/seeding.h"

#define TREE CACHE_UNFINISHED "stick"
#define CONF CACHE_UNFINISHED "mke2fs.conf"
#define TEMP ".unfinished-" STICK_NAME

/* What the making of one works with. */
struct work {
	const struct stick *s;
	int tree; /* the files of its own partition */
	struct text tree_path, temp_path, conf_path;
	struct installer says;
	unsigned *serials; /* of the seeds' file systems */
	char key[DIGEST_LEN];
	char disk[DIGEST_UUID_LEN], root[DIGEST_UUID_LEN], part[DIGEST_UUID_LEN];
	char fs[DIGEST_UUID_LEN], hash_seed[DIGEST_UUID_LEN];
};

static void work_done(struct work *w)
{
	drop_fd(&w->tree);
	text_done(&w->tree_path);
	text_done(&w->temp_path);
	text_done(&w->conf_path);
	installer_done(&w->says);
	free(w->serials);
}

static const char *golden_name(const struct golden *g)
{
	return strrchr(text_str(&g->path), '/') + 1;
}

static int begin(struct work *w, struct fault *why)
{
	const struct cache *cache = &w->s->build->cache;
	int r = fs_mkdirs(cache->fd, TREE, 0700, why);

	if (r < 0)
		return r;
	w->tree = openat(cache->fd, TREE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->tree < 0)
		return fault_errno(why, errno, "%s/" TREE, cache->path);
	text_addf(&w->tree_path, "%s/" TREE, cache->path);
	text_addf(&w->conf_path, "%s/" CONF, cache->path);
	text_addf(&w->temp_path, "%s/" TEMP, w->s->path);
	w->serials = calloc(w->s->n, sizeof(*w->serials));
	if (!w->serials || installer_make(&w->says, w->s->n) < 0 || text_error(&w->tree_path) ||
	    text_error(&w->conf_path) || text_error(&w->temp_path))
		return fault_errno(why, ENOMEM, STICK_NAME);
	return 0;
}

/* ---- the files ------------------------------------------------------------------------------ */

static int place_golden(const struct work *w, const struct golden *golden, struct fault *why)
{
	const char *path = text_str(&golden->path), *name = golden_name(golden);
	scoped(drop_fd) int in = -1;
	scoped(drop_fd) int out = -1;

	if (linkat(AT_FDCWD, path, w->tree, name, 0) == 0 || errno == EEXIST)
		return 0;
	in = open(path, O_RDONLY | O_CLOEXEC);
	out = openat(w->tree, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (in < 0 || out < 0)
		return fault_errno(why, errno, "%s", path);
	return copy_sparse(in, out, NULL, why);
}

/* The seed's file system without the zeros at its end, under the passphrase. */
static int seal(const struct work *w, const char *plain_name, const char *name, struct fault *why)
{
	scoped(text_wipe) struct text plain = { 0 };
	scoped(text_done) struct text box = { 0 };
	int r = fs_read(w->tree, plain_name, SEED_BYTES, &plain, why);
	size_t len = plain.len;

	while (len > 1 && plain.data[len - 1] == '\0')
		len--;
	if (r == 0)
		r = envelope_seal(text_str(&plain), len, w->s->passphrase, &box, why);
	if (r == 0)
		r = fs_write(w->tree, name, 0400, text_str(&box), box.len, why);
	return r < 0 ? r : 0;
}

static int make_seed(struct work *w, size_t i, const char *name, struct fault *why)
{
	const struct stick_part *part = &w->s->parts[i];
	scoped(seed_done) struct seed seed = { 0 };
	scoped(text_done) struct text path = { 0 };
	scoped(drop_fd) int fd = -1;
	char sum[DIGEST_LEN];
	int r = seeding_gather(w->s->build, part->node, &seed, sum, why);

	if (r < 0)
		return r;
	text_addf(&path, "%s/%s", text_str(&w->tree_path), name);
	fd = openat(w->tree, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, SEED_BYTES) < 0)
		return fault_errno(why, errno, "%s", name);
	w->serials[i] = seeding_serial(sum, part->golden->key);
	return seeding_write(&(struct fat){ .path = text_str(&path),
					    .size = SEED_BYTES,
					    .label = SEED_LABEL,
					    .epoch = w->s->build->epoch,
					    .serial = w->serials[i] },
			     &seed, why);
}

static int copy_text(const char *from, char **ret)
{
	*ret = from ? strdup(from) : NULL;
	return from && !*ret ? -ENOMEM : 0;
}

static int describe_node(struct work *w, size_t i, const char *seed_name)
{
	const struct model_node *from = w->s->parts[i].node;
	struct model_node *to = &w->says.model.nodes[i];

	to->has_mac = from->has_mac;
	to->mac = from->mac;
	to->disk.size_bytes = from->disk.size_bytes;
	to->data.size_bytes = from->data.size_bytes;
	return copy_text(from->name, &to->name) || copy_text(from->serial, &to->serial) ||
			       copy_text(from->disk.serial, &to->disk.serial) ||
			       copy_text(from->disk.wwn, &to->disk.wwn) ||
			       copy_text(from->data.serial, &to->data.serial) ||
			       copy_text(from->data.wwn, &to->data.wwn) ||
			       copy_text(seed_name, &w->says.files[i].seed) ||
			       copy_text(golden_name(w->s->parts[i].golden),
					 &w->says.files[i].golden)
		       ? -ENOMEM
		       : 0;
}

static int add_node(struct work *w, size_t i, struct fault *why)
{
	const struct model_node *node = w->s->parts[i].node;
	char open_name[300], sealed_name[300];
	int r;

	if (!node->has_mac && !node->serial)
		return fault_set(why, EINVAL,
				 "node '%s' has neither mac nor serial: no machine could be known "
				 "to be it",
				 node->name);
	snprintf(open_name, sizeof(open_name), "%s.seed", node->name);
	snprintf(sealed_name, sizeof(sealed_name), "%s.seed.cms", node->name);
	r = make_seed(w, i, open_name, why);
	if (r == 0 && w->s->passphrase) {
		r = seal(w, open_name, sealed_name, why);
		if (unlinkat(w->tree, open_name, 0) < 0 && r == 0)
			r = fault_errno(why, errno, "%s", open_name);
	}
	if (r == 0)
		r = place_golden(w, w->s->parts[i].golden, why);
	if (r == 0 && describe_node(w, i, w->s->passphrase ? sealed_name : open_name) < 0)
		return fault_errno(why, ENOMEM, STICK_NAME);
	return r;
}

/* Another stick is another disk, also where both were made from the same golden one. */
static int find_ids(struct work *w, const struct text *json, struct fault *why)
{
	const struct {
		const char *word;
		char *ret;
	} rows[] = {
		{ "stick", w->disk },	  { "stick root", w->root },	  { "stick part", w->part },
		{ "stick files", w->fs }, { "stick hash", w->hash_seed },
	};
	scoped(text_done) struct text all = { 0 };
	size_t i;
	int r;

	text_addf(&all, "%s %s\n", w->s->parts[0].golden->key, text_str(json));
	for (i = 0; i < w->s->n; i++)
		text_addf(&all, "%08x\n", w->serials[i]);
	r = text_error(&all) < 0 ? fault_errno(why, ENOMEM, STICK_NAME)
				 : digest_bytes(text_str(&all), all.len, w->key, why);
	for (i = 0; r == 0 && i < COUNT(rows); i++)
		r = digest_uuid(w->key, rows[i].word, rows[i].ret, why);
	return r;
}

static int write_texts(struct work *w, struct fault *why)
{
	const struct build *b = w->s->build;
	const struct render texts = { .kernel_arguments = b->model->os.kernel_arguments };
	scoped(text_done) struct text json = { 0 };
	scoped(text_done) struct text grub = { 0 };
	int r;

	w->says.sealed = w->s->passphrase != NULL;
	w->says.model.installer.wait_s = b->model->installer.wait_s;
	if (copy_text(b->model->name, &w->says.model.name) < 0)
		return fault_errno(why, ENOMEM, STICK_NAME);
	installer_render(&w->says, &json);
	r = find_ids(w, &json, why);
	if (r == 0)
		r = fs_write(w->tree, INSTALLER_FILE, 0444, text_str(&json), json.len, why);
	if (r < 0)
		return r;
	stick_render_grub(&texts, w->root, w->part, w->serials, w->s->n, &grub);
	r = fs_write(w->tree, "grub.cfg", 0444, text_str(&grub), grub.len, why);
	if (r >= 0)
		r = fs_write(b->cache.fd, CONF, 0644, render_mke2fs_conf,
			     strlen(render_mke2fs_conf), why);
	return r < 0 ? r : 0;
}

/* ---- the disk ------------------------------------------------------------------------------- */

/* The disk that boots, longer by one partition of size bytes. */
static int make_disk(struct work *w, uint64_t size, uint64_t *ret_offset, struct fault *why)
{
	const char *from = text_str(&w->s->parts[0].golden->path);
	scoped(drop_fd) int in = open(from, O_RDONLY | O_CLOEXEC);
	scoped(drop_fd) int out = -1;
	struct stat st;
	int r;

	if (in < 0 || fstat(in, &st) < 0)
		return fault_errno(why, errno, "%s", from);
	if (unlinkat(w->s->folder, TEMP, 0) < 0 && errno != ENOENT)
		return fault_errno(why, errno, "%s", text_str(&w->temp_path));
	out = openat(w->s->folder, TEMP, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return fault_errno(why, errno, "%s", text_str(&w->temp_path));
	r = copy_sparse(in, out, &w->s->build->progress, why);
	if (r == 0 && ftruncate(out, st.st_size + (off_t)size) < 0)
		r = fault_errno(why, errno, "%s", text_str(&w->temp_path));
	if (r < 0)
		return r;
	*ret_offset = (uint64_t)st.st_size - DISK_TAIL;
	return disk_add(text_str(&w->temp_path),
			&(struct disk_added){ .disk = w->disk,
					      .root = w->root,
					      .part = w->part,
					      .offset = *ret_offset,
					      .size = size },
			why);
}

static int fill(struct work *w, struct fault *why)
{
	struct ext4 ext4 = { .disk = text_str(&w->temp_path),
			     .root = text_str(&w->tree_path),
			     .uuid = w->fs,
			     .hash_seed = w->hash_seed,
			     .mke2fs_conf = text_str(&w->conf_path),
			     .epoch = w->s->build->epoch };
	int r = ext4_measure(ext4.root, &ext4.size, why);

	if (r == 0)
		r = make_disk(w, ext4.size, &ext4.offset, why);
	return r < 0 ? r : ext4_make(&ext4, why);
}

static int publish(const struct work *w, struct fault *why)
{
	scoped(drop_fd) int fd = openat(w->s->folder, TEMP, O_RDWR | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0 || renameat(w->s->folder, TEMP, w->s->folder, STICK_NAME) < 0 ||
	    fsync(w->s->folder) < 0)
		return fault_errno(why, errno, "%s/" STICK_NAME, w->s->path);
	return 0;
}

int stick_make(const struct stick *s, struct fault *why)
{
	scoped(work_done) struct work w = { .s = s, .tree = -1 };
	struct fault ignored = { 0 };
	size_t i;
	int r = begin(&w, why);

	progress_phase(&s->build->progress, 0, "installer stick");
	for (i = 0; r == 0 && i < s->n; i++)
		r = add_node(&w, i, why);
	if (r == 0)
		r = write_texts(&w, why);
	if (r == 0)
		r = fill(&w, why);
	if (r == 0)
		r = publish(&w, why);
	/* Open seeds are in it. */
	if (fs_remove_tree(s->build->cache.fd, TREE, r < 0 ? &ignored : why) < 0 && r == 0)
		r = -why->code;
	if (r < 0) {
		unlinkat(s->folder, TEMP, 0);
		return fault_wrap(why, "installer stick");
	}
	progress_end(&s->build->progress);
	return 0;
}
