/* SPDX-License-Identifier: MIT */
#include "image/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "cluster/depot.h"
#include "cluster/model.h"
#include "image/bolt.h"
#include "image/build.h"
#include "image/copy.h"
#include "image/daemon.h"
#include "image/digest.h"
#include "image/root.h"
#include "image/secret.h"
#include "image/skopeo.h"

#define SWEPT "rackseed.invalid/swept:1" /* a name that is gone again at once */

/* Where a node keeps what it may have to import again; firstboot/images.c reads it. */
#define KEPT "usr/lib/rackseed/images"

#define FETCHED CACHE_UNFINISHED "image.tar"

enum { MAX_INDEX = 64 << 20 };

void container_done(struct container_images *c)
{
	args_done(&c->archives);
	args_done(&c->sums);
	text_done(&c->key);
}

static int copy_here(const struct build *b, const char *reference, struct fault *why)
{
	int folder = b->folder;
	const struct depot_secrets secrets = { .read = secret_read, .data = &folder };
	scoped(text_done) struct text from = { 0 };
	scoped(text_done) struct text to = { 0 };
	struct skopeo skopeo;
	int r;

	text_addf(&from, "docker://%s", reference);
	text_addf(&to, "docker-archive:%s/" FETCHED ":%s", b->cache.path, reference);
	if (text_error(&from) < 0 || text_error(&to) < 0)
		return fault_errno(why, ENOMEM, "images");
	r = skopeo_begin(b->model, &secrets, &skopeo, why);
	if (r < 0)
		return r;
	r = skopeo_copy(&skopeo, text_str(&from), text_str(&to), why);
	skopeo_end(&skopeo);
	return r < 0 ? r : 0;
}

/* Once: what the cache has under the reference's name stays what it means. */
static int fetch(struct build *b, const char *reference, struct text *path, struct fault *why)
{
	char hex[DIGEST_LEN];
	char name[DIGEST_LEN + 16];
	int r;

	r = digest_bytes(reference, strlen(reference), hex, why);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "image-%.16s.tar", hex);
	text_addf(path, "%s/%s", b->cache.path, name);
	if (access(text_str(path), R_OK) == 0)
		return 0;
	progress_phase(&b->progress, 0, "fetching %s", reference);
	r = copy_here(b, reference, why);
	if (r < 0)
		return fault_wrap(why, "images: '%s'", reference);
	if (renameat(b->cache.fd, FETCHED, b->cache.fd, name) < 0)
		return fault_errno(why, errno, "%s", text_str(path));
	return 0;
}

static int collect_one(struct build *b, const char *entry, struct container_images *c,
		       struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	char hex[DIGEST_LEN];
	int r = 0;

	if (!model_image_is_file(entry))
		r = fetch(b, entry, &path, why);
	else
		text_addf(&path, "%s%s%s", *entry == '/' ? "" : b->folder_path,
			  *entry == '/' ? "" : "/", entry);
	if (r == 0 && access(text_str(&path), R_OK) < 0)
		r = fault_errno(why, errno, "images: '%s'", entry);
	if (r == 0)
		r = cache_digest(&b->cache, text_str(&path), hex, why);
	if (r < 0)
		return r;
	args_add(&c->archives, "%s", text_str(&path));
	args_add(&c->sums, "%s", hex);
	text_addf(&c->key, "image %s\n", hex);
	return 0;
}

int container_collect(struct build *b, struct container_images *ret, struct fault *why)
{
	struct container_images c = { 0 };
	char **entry;
	int r = 0;

	for (entry = b->model->images; r == 0 && entry && *entry; entry++)
		r = collect_one(b, *entry, &c, why);
	if (r == 0 && (c.archives.error || c.sums.error || text_error(&c.key) < 0))
		r = fault_errno(why, ENOMEM, "images");
	if (r < 0)
		container_done(&c);
	else
		*ret = c;
	return r;
}

static int ctr(const char *root, const char *const *words, struct text *out, struct fault *why)
{
	scoped(args_done) struct args argv = { 0 };

	args_add(&argv, "ctr");
	args_add(&argv, "--address=/" DAEMON_SOCKET);
	args_add(&argv, "--namespace=k8s.io");
	args_add(&argv, "images");
	args_add_all(&argv, words);
	if (!args_list(&argv))
		return fault_errno(why, ENOMEM, "ctr");
	return root_run(root, args_list(&argv), out, why);
}

static bool has_line(const char *lines, const char *line)
{
	size_t n = strlen(line);

	for (; *lines; lines += strcspn(lines, "\n"), lines += *lines == '\n')
		if (strncmp(lines, line, n) == 0 && (lines[n] == '\n' || lines[n] == '\0'))
			return true;
	return false;
}

/* Adds "FILE NAME" for each name that is there now and was not before. */
static void add_index(const char *file, const char *before, const char *now, struct text *index)
{
	for (; *now; now += strcspn(now, "\n"), now += *now == '\n') {
		scoped(text_done) struct text name = { 0 };

		text_add_n(&name, now, strcspn(now, "\n"));
		/* CRI's own second name for an image comes back by itself. */
		if (name.len && strncmp(text_str(&name), "sha256:", 7) != 0 &&
		    !has_line(before, text_str(&name)))
			text_addf(index, "%s %s\n", file, text_str(&name));
	}
}

/* Copies an archive to where the node keeps it: ctr sees the root only. */
static int keep(const char *root, int root_fd, const char *archive, const char *path,
		struct fault *why)
{
	scoped(drop_fd) int from = open(archive, O_RDONLY | O_CLOEXEC);
	scoped(drop_fd) int to = -1;
	int r;

	if (from < 0)
		return fault_errno(why, errno, "%s", archive);
	to = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0444);
	if (to < 0)
		return fault_errno(why, errno, "%s/%s", root, path);
	r = copy_sparse(from, to, NULL, why);
	return r < 0 ? r : 0;
}

static int import_one(struct build *b, const char *root, int root_fd, const char *archive,
		      const char *sum, struct text *index, struct fault *why)
{
	static const char *const list[] = { "list", "--quiet", NULL };
	char path[sizeof(KEPT) + DIGEST_LEN + 8];
	char inside[sizeof(path) + 1];
	const char *const words[] = { "import", "--snapshotter", "overlayfs", inside, NULL };
	scoped(text_done) struct text before = { 0 };
	scoped(text_done) struct text now = { 0 };
	struct stat st = { 0 };
	int r = ctr(root, list, &before, why);

	snprintf(path, sizeof(path), KEPT "/%.16s.tar", sum);
	snprintf(inside, sizeof(inside), "/%s", path);
	if (r == 0)
		r = keep(root, root_fd, archive, path, why);
	if (r == 0)
		r = ctr(root, words, NULL, why);
	if (r == 0)
		r = ctr(root, list, &now, why);
	if (r < 0)
		return fault_wrap(why, "images: '%s'", archive);
	add_index(path + strlen(KEPT "/"), text_str(&before), text_str(&now), index);
	if (fstatat(root_fd, path, &st, 0) == 0)
		progress_add(&b->progress, (uint64_t)st.st_size);
	return 0;
}

/* Without its label kubelet's garbage collection may remove what every pod needs. */
static int pin(struct build *b, const char *root, const char *names, const char *pause,
	       struct fault *why)
{
	const char *const label[] = { "label", pause, "io.cri-containerd.pinned=pinned", NULL };

	if (has_line(names, pause))
		return ctr(root, label, NULL, why);
	progress_note(&b->progress,
		      "images: none of the archives holds %s, which every pod needs: "
		      "nodes will pull it",
		      pause);
	return 0;
}

/*
 * containerd sweeps away what an import leaves some time after it, or not before it is stopped.
 * Removing an image, here a second name of one, can be told to wait for that.
 */
static int sweep(const char *root, const char *names, struct fault *why)
{
	static const char *const drop[] = { "remove", "--sync", SWEPT, NULL };
	scoped(text_done) struct text first = { 0 };
	const char *tag[] = { "tag", NULL, SWEPT, NULL };
	int r;

	text_add_n(&first, names, strcspn(names, "\n"));
	if (first.len == 0)
		return text_error(&first);
	tag[1] = text_str(&first);
	r = ctr(root, tag, NULL, why);
	return r < 0 ? r : ctr(root, drop, NULL, why);
}

static int finish(struct build *b, const char *root, const char *pause, struct fault *why)
{
	static const char *const list[] = { "list", "--quiet", NULL };
	scoped(text_done) struct text names = { 0 };
	int r = ctr(root, list, &names, why);

	if (r == 0 && pause[0])
		r = pin(b, root, text_str(&names), pause, why);
	return r < 0 ? r : sweep(root, text_str(&names), why);
}

static int import_all(struct build *b, const char *root, const struct container_images *images,
		      const char *pause, int root_fd, struct fault *why)
{
	scoped(text_done) struct text index = { 0 };
	struct daemon daemon = { 0 };
	struct fault end = { 0 };
	size_t i;
	int r = daemon_start(root, &daemon, why);
	int stopped;

	if (r < 0)
		return r;
	for (i = 0; r == 0 && i < images->archives.n; i++)
		r = import_one(b, root, root_fd, images->archives.list[i], images->sums.list[i],
			       &index, why);
	if (r == 0)
		r = finish(b, root, pause, why);
	stopped = daemon_stop(&daemon, &end);
	if (r == 0 && stopped < 0)
		return fault_set(why, end.code, "%s", end.text);
	if (r == 0)
		r = fs_write(root_fd, KEPT "/index", 0644, text_str(&index), index.len, why);
	return r < 0 ? r : 0;
}

static uint64_t sizes(const struct container_images *images)
{
	uint64_t sum = 0;
	struct stat st;
	size_t i;

	for (i = 0; i < images->archives.n; i++)
		if (stat(images->archives.list[i], &st) == 0)
			sum += (uint64_t)st.st_size;
	return sum;
}

/* The index of containerd, made the same for the same images; and its identity, removed. */
static int settle(const struct build *b, int root, struct fault *why)
{
	static const char *const indexes[] = {
		"var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db",
		"var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/metadata.db",
	};
	size_t i;
	int r = fs_remove_tree(root, "var/lib/containerd/io.containerd.grpc.v1.introspection", why);

	for (i = 0; r >= 0 && i < COUNT(indexes); i++) {
		scoped(text_done) struct text before = { 0 };
		scoped(text_done) struct text after = { 0 };

		r = fs_read(root, indexes[i], MAX_INDEX, &before, why);
		if (r == 0)
			r = bolt_settle(text_str(&before), before.len, b->epoch, &after, why);
		if (r == 0)
			r = fs_write(root, indexes[i], 0600, text_str(&after), after.len, why);
		if (r < 0)
			return fault_wrap(why, "%s", indexes[i]);
	}
	return r < 0 ? r : 0;
}

int container_import(struct build *b, const char *root, const struct container_images *images,
		     const char *pause, struct fault *why)
{
	scoped(drop_fd) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t bytes = sizes(images);
	int r;

	if (fd < 0)
		return fault_errno(why, errno, "%s", root);
	if (images->archives.n == 0)
		return 0;
	/* The archives, their blobs and what is unpacked from them. */
	r = copy_room(b->cache.fd, b->cache.path, 4 * bytes, why);
	if (r < 0)
		return r;
	progress_phase(&b->progress, bytes, "container images");
	r = fs_mkdirs(fd, KEPT, 0755, why);
	if (r >= 0)
		r = fs_mkdirs(fd, DAEMON_FOLDER, 0700, why);
	if (r >= 0)
		r = import_all(b, root, images, pause, fd, why);
	if (r >= 0)
		r = settle(b, fd, why);
	if (r >= 0)
		r = fs_remove_tree(fd, DAEMON_FOLDER, why);
	return r < 0 ? r : 0;
}
