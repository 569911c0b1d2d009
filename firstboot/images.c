/* SPDX-License-Identifier: MIT */
#include "firstboot/images.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"

/*
 * The step images: what the build put into containerd is there whole, or is imported again from the
 * archives on the disk. A mark on the disk stands for an import that has begun: what a power cut
 * leaves of one can look whole and is not.
 */

#define KEPT "/usr/lib/rackseed/images"
#define MARK "/var/lib/rackseed/import"

enum { INDEX_MAX = 1 << 20, CHECK_MS = 60000, IMPORT_S = 30 * 60, NAME_MAX_LEN = 255 };

DEFINE_DROP(bus, struct sd_bus *, units_close)

bool images_next(const char **at, struct text *ret_file, struct text *ret_name)
{
	while (**at) {
		const char *line = *at;
		size_t len = strcspn(line, "\n");
		size_t n = strcspn(line, " \n");

		*at = line + len + (line[len] == '\n');
		text_done(ret_file);
		text_done(ret_name);
		if (n == 0 || n + 1 >= len || n > NAME_MAX_LEN || memchr(line, '/', n))
			continue;
		text_add_n(ret_file, line, n);
		text_add_n(ret_name, line + n + 1, len - n - 1);
		return true;
	}
	return false;
}

/* REF TYPE DIGEST STATUS SIZE UNPACKED in columns, such as "… complete (2/2) 2.0 MiB/2.0 MiB true".
 */
bool images_is_whole(const char *checked, const char *name)
{
	size_t n = strlen(name);

	for (; *checked; checked += strcspn(checked, "\n"), checked += *checked == '\n') {
		size_t len = strcspn(checked, "\n");

		if (strncmp(checked, name, n) != 0 || checked[n] != ' ')
			continue;
		while (len > 0 && checked[len - 1] == ' ')
			len--;
		return memmem(checked, len, " complete (", 11) && len > 5 &&
		       memcmp(checked + len - 5, " true", 5) == 0;
	}
	return false;
}

/* It fails over an image whose manifest is lost, and yet lists all others: that one is not whole.
 */
static int check(struct text *out, struct fault *why)
{
	static const char *const argv[] = {
		"ctr", "--namespace", "k8s.io", "images", "check", NULL
	};
	int r = run(&(struct run){ .argv = argv, .out = out, .timeout_ms = CHECK_MS }, why);

	if (r == -EREMOTEIO && strncmp(text_str(out), "REF ", 4) == 0)
		return 0;
	return r;
}

/* Whether all images of an archive are whole. */
static bool is_whole(const char *index, const char *file, const char *checked)
{
	scoped(text_done) struct text other = { 0 };
	scoped(text_done) struct text name = { 0 };

	while (images_next(&index, &other, &name))
		if (strcmp(text_str(&other), file) == 0 &&
		    !images_is_whole(checked, text_str(&name)))
			return false;
	return true;
}

/* The column at *at, and *at moved to the next one. */
static size_t column(const char **at, const char **ret)
{
	size_t n = strcspn(*at, " \n");

	*ret = *at;
	*at += n;
	*at += strspn(*at, " ");
	return n;
}

/* The digest of the image in what `ctr images list` printed (REF TYPE DIGEST …), or nothing. */
static void find_digest(const char *listed, const char *name, struct text *ret)
{
	for (; *listed; listed += strcspn(listed, "\n"), listed += *listed == '\n') {
		const char *at = listed, *word;
		size_t n = column(&at, &word);

		if (n != strlen(name) || memcmp(word, name, n) != 0)
			continue;
		column(&at, &word);
		n = column(&at, &word);
		text_add_n(ret, word, n);
		return;
	}
}

static void remove_image(const char *name, size_t n)
{
	scoped(text_done) struct text word = { 0 };
	const char *argv[] = { "ctr",	 "--namespace", "k8s.io", "images",
			       "remove", "--sync",	NULL,	  NULL };
	struct fault ignored = { 0 };

	text_add_n(&word, name, n);
	argv[6] = text_str(&word);
	if (run(&(struct run){ .argv = argv, .timeout_ms = CHECK_MS }, &ignored) < 0)
		return; /* it is not there, which is what was wanted */
}

/* All names of one content: CRI gives each image a second one. */
static void forget_digest(const char *listed, const char *digest)
{
	for (; *listed; listed += strcspn(listed, "\n"), listed += *listed == '\n') {
		const char *at = listed, *name, *word;
		size_t len = column(&at, &name);
		size_t n;

		column(&at, &word);
		n = column(&at, &word);
		if (n == strlen(digest) && memcmp(word, digest, n) == 0)
			remove_image(name, len);
	}
}

/*
 * What a cut import left under the names must not pass for the images. Garbage is collected before
 * the next import, or that would take a lost blob for one that is there.
 */
static void forget(const char *index, const char *file)
{
	static const char *const argv[] = {
		"ctr", "--namespace", "k8s.io", "images", "list", NULL
	};
	scoped(text_done) struct text listed = { 0 };
	scoped(text_done) struct text other = { 0 };
	scoped(text_done) struct text name = { 0 };
	struct fault ignored = { 0 };

	if (run(&(struct run){ .argv = argv, .out = &listed, .timeout_ms = CHECK_MS }, &ignored) <
		    0 &&
	    listed.len == 0)
		return;
	while (images_next(&index, &other, &name)) {
		scoped(text_done) struct text digest = { 0 };

		if (strcmp(text_str(&other), file) != 0)
			continue;
		find_digest(text_str(&listed), text_str(&name), &digest);
		if (digest.len > 0)
			forget_digest(text_str(&listed), text_str(&digest));
	}
}

/* The label that the build gave it: kubelet must not take what every pod needs for garbage. */
static int pin(struct node *node, const char *index, const char *file, struct fault *why)
{
	const char *argv[] = { "ctr",
			       "--namespace",
			       "k8s.io",
			       "images",
			       "label",
			       node->facts.pause,
			       "io.cri-containerd.pinned=pinned",
			       NULL };
	scoped(text_done) struct text other = { 0 };
	scoped(text_done) struct text name = { 0 };

	while (images_next(&index, &other, &name))
		if (strcmp(text_str(&other), file) == 0 &&
		    strcmp(text_str(&name), node->facts.pause) == 0)
			return run(&(struct run){ .argv = argv, .timeout_ms = CHECK_MS }, why);
	return 0;
}

static int sync_store(struct node *node, struct fault *why)
{
	scoped(drop_fd) int fd =
		openat(node->root, "var/lib/containerd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd) < 0)
		return fault_errno(why, errno, "/var/lib/containerd");
	return 0;
}

static int import(struct node *node, const char *file, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	const char *argv[] = { "/usr/bin/ctr", "--namespace", "k8s.io", "images",
			       "import",       NULL,	      NULL };
	const struct units_transient unit = { .unit = "rackseed-import.service",
					      .description = "Import container images again",
					      .argv = argv,
					      .limit_s = IMPORT_S };
	scoped(drop_bus) struct sd_bus *bus = NULL;
	struct units_tick tick = task_tick(node);
	int r;

	text_addf(&path, KEPT "/%s", file);
	argv[5] = text_str(&path);
	if (text_error(&path) < 0)
		return fault_errno(why, ENOMEM, "%s", file);
	r = units_open(&bus, why);
	return r < 0 ? r : units_run(bus, &unit, &tick, why);
}

/* Between mark and syncfs the store may hold anything; after it, the image. */
static int restore(struct node *node, const char *index, const char *file, struct fault *why)
{
	int r = fs_write(node->root, MARK, 0600, file, strlen(file), why);

	if (r < 0)
		return r;
	if (node->note)
		node->note(node->data, file);
	forget(index, file);
	r = import(node, file, why);
	if (r >= 0)
		r = pin(node, index, file, why);
	if (r >= 0)
		r = sync_store(node, why);
	if (r >= 0)
		r = fs_remove(node->root, MARK, why);
	return r < 0 ? fault_wrap(why, "images of " KEPT "/%s", file) : STEP_CHANGED;
}

/* The archive that was being imported when the power went, or "". */
static int read_mark(struct node *node, struct text *out, struct fault *why)
{
	struct fault absent = { 0 };
	int r = fs_read(node->root, MARK, NAME_MAX_LEN, out, &absent);

	return r == -ENOENT || r >= 0 ? 0 : fault_set(why, r, "%s", absent.text);
}

/* Once for each archive: at the first line that names it. */
static bool is_first(const char *index, const char *upto, const char *file)
{
	size_t n = strlen(file);

	for (; index < upto; index += strcspn(index, "\n") + 1)
		if (strncmp(index, file, n) == 0 && index[n] == ' ')
			return false;
	return true;
}

static int restore_all(struct node *node, const char *index, const char *checked, struct fault *why)
{
	scoped(text_done) struct text mark = { 0 };
	scoped(text_done) struct text file = { 0 };
	scoped(text_done) struct text name = { 0 };
	const char *at = index, *line = index;
	int outcome = STEP_SAME;
	int r = read_mark(node, &mark, why);

	for (; r >= 0 && images_next(&at, &file, &name); line = at) {
		bool cut = strcmp(text_str(&mark), text_str(&file)) == 0;

		if (!is_first(index, line, text_str(&file)) ||
		    (!cut && is_whole(index, text_str(&file), checked)))
			continue;
		r = restore(node, index, text_str(&file), why);
		outcome = STEP_CHANGED;
	}
	return r < 0 ? r : outcome;
}

int task_images(struct node *node, struct fault *why)
{
	scoped(text_done) struct text index = { 0 };
	scoped(text_done) struct text checked = { 0 };
	struct fault absent = { 0 };
	int r;

	if (!model_is_kubernetes(node->self))
		return STEP_SAME;
	r = fs_read(node->root, KEPT "/index", INDEX_MAX, &index, &absent);
	if (r == -ENOENT)
		return STEP_SAME; /* the build was given no images */
	if (r < 0)
		return fault_set(why, r, "%s", absent.text);
	r = check(&checked, why);
	return r < 0 ? r : restore_all(node, text_str(&index), text_str(&checked), why);
}
