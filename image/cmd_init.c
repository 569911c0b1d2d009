/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/document.h"
#include "image/command.h"

static int write_all(int fd, const char *s)
{
	size_t left = strlen(s);

	while (left > 0) {
		ssize_t n = write(fd, s, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		s += n;
		left -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* Creates the file, never touching one that is there: not even between a look and a write. */
static int create(const char *path, struct fault *why)
{
	scoped(drop_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r;

	if (fd < 0 && errno == EEXIST)
		return fault_set(why, EEXIST, "%s is there already and is left alone", path);
	if (fd < 0)
		return fault_errno(why, errno, "cannot make %s", path);
	r = write_all(fd, document_example);
	if (r < 0)
		unlink(path);
	return r < 0 ? fault_errno(why, r, "cannot write %s", path) : 0;
}

static int make_folder(const char *path, struct fault *why)
{
	scoped(drop_fd) int root = path[0] == '/' ? open("/", O_PATH | O_CLOEXEC) : -1;
	int r = fs_mkdirs(root >= 0 ? root : AT_FDCWD, path, 0755, why);

	return r < 0 ? r : 0;
}

static void report(const struct invocation *in, const char *path)
{
	scoped(text_done) struct text out = { 0 };

	if (in->json) {
		text_add(&out, "{\"file\": ");
		quote_json(&out, path);
		text_add(&out, "}\n");
	} else if (!in->quiet) {
		text_addf(&out, "wrote %s; edit it, then: rackseed -f %s check\n", path, path);
	}
	fputs(text_str(&out), stdout);
}

static int init(const struct invocation *in, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	const char *folder = in->n_args ? in->args[0] : NULL;
	int r = 0;

	if (folder && (!*folder || in->file[0] == '/')) {
		fprintf(stderr, "rackseed: init takes one folder\n");
		return EXIT_MISUSE;
	}
	if (folder) {
		text_addf(&path, "%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/");
		r = make_folder(folder, why);
	}
	text_add(&path, in->file);
	if (text_error(&path) < 0)
		return fault_errno(why, text_error(&path), "%s", in->file);
	if (r == 0)
		r = create(text_str(&path), why);
	if (r < 0)
		return r;
	report(in, text_str(&path));
	return EXIT_DONE;
}

const struct command cmd_init = {
	.name = "init",
	.synopsis = "[DIR]",
	.help = "write a commented cluster.yaml to begin with, and never over another",
	.max_args = 1,
	.run = init,
};
