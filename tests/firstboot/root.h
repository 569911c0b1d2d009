/* SPDX-License-Identifier: MIT */
#pragma once

/* A root tree of its own for a test, removed at the end. */

#include <unistd.h>

#include "tests/test.h"

struct tree {
	char path[64];
	int fd;
};

static inline void tree_make(struct tree *t)
{
	snprintf(t->path, sizeof(t->path), "/tmp/rackseed-test-XXXXXX");
	assert_non_null(mkdtemp(t->path));
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(t->fd >= 0);
}

static inline void tree_done(struct tree *t)
{
	struct fault why = { 0 };
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	drop_fd(&t->fd);
	if (fs_remove_tree(tmp, t->path + strlen("/tmp/"), &why) < 0)
		fail_msg("%s", why.text);
	drop_fd(&tmp);
}

static inline void tree_put(const struct tree *t, const char *path, const char *content)
{
	struct fault why = { 0 };

	if (fs_write(t->fd, path, 0644, content, strlen(content), &why) < 0)
		fail_msg("%s", why.text);
}

static inline void assert_tree_file(const struct tree *t, const char *path, const char *want)
{
	struct text got = { 0 };
	struct fault why = { 0 };

	if (fs_read(t->fd, path, 1 << 20, &got, &why) < 0)
		fail_msg("%s", why.text);
	assert_string_equal(text_str(&got), want);
	text_done(&got);
}
