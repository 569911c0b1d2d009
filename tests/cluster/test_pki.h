/* SPDX-License-Identifier: MIT */
#pragma once

#include "tests/test.h"

#include <sys/file.h>
#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/run.h"
#include "cluster/model.h"
#include "cluster/pki.h"

/* A folder of its own for each test, with what `rackseed secrets` makes in it. */

struct folder {
	char path[64];
	int fd; /* the folder of the file */
	int secrets; /* secrets/ in it */
};

static inline void folder_open(struct folder *f)
{
	snprintf(f->path, sizeof(f->path), "/tmp/rackseed-pki-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
	assert_int_equal(mkdirat(f->fd, "secrets", 0700), 0);
	assert_int_equal(fchmodat(f->fd, "secrets", 0700, 0), 0);
	f->secrets = openat(f->fd, "secrets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->secrets >= 0);
}

static inline void folder_close(struct folder *f)
{
	struct fault why = { 0 };

	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	close(f->secrets);
	close(f->fd);
	assert_int_equal(fs_remove_tree(root, f->path, &why), FS_CHANGED);
	close(root);
	f->fd = f->secrets = -1;
}

static inline void folder_read(const struct folder *f, const char *path, struct text *out)
{
	struct fault why = { 0 };

	text_done(out);
	if (fs_read(f->secrets, path, 1 << 20, out, &why) < 0)
		fail_msg("%s", why.text);
}

static inline void folder_write(const struct folder *f, const char *path, const char *content)
{
	struct fault why = { 0 };

	assert_true(fs_write(f->secrets, path, 0600, content, strlen(content), &why) >= 0);
}

/* Runs openssl and gives what it printed; it must exit 0. */
static inline void openssl(const char *const *argv, struct text *out)
{
	struct fault why = { 0 };
	struct run what = { .argv = argv, .out = out };

	if (run(&what, &why) < 0)
		fail_msg("%s", why.text);
}
