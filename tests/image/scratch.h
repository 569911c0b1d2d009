/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/stat.h>
#include <unistd.h>

/* A folder of the test's own: made by scratch_open, gone with scratch_close. */
struct scratch {
	char path[64];
	int fd;
};

static inline struct scratch scratch_open(void)
{
	struct scratch s = { "/tmp/rackseed-test-XXXXXX", -1 };

	assert_non_null(mkdtemp(s.path));
	s.fd = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(s.fd >= 0);
	return s;
}

static inline void scratch_close(struct scratch *s)
{
	int top = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fault why = { 0 };

	close(s->fd);
	assert_true(fs_remove_tree(top, s->path, &why) >= 0);
	close(top);
}

/* The absolute path of a name in it; buf is the caller's. */
static inline const char *scratch_path(const struct scratch *s, const char *name, char buf[256])
{
	snprintf(buf, 256, "%s/%s", s->path, name);
	return buf;
}

static inline void scratch_file(const struct scratch *s, const char *name, off_t size)
{
	int fd = openat(s->fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static inline void scratch_write(const struct scratch *s, const char *name, mode_t mode,
				 const char *data)
{
	struct fault why = { 0 };

	assert_true(fs_write(s->fd, name, mode, data, strlen(data), &why) >= 0);
}

static inline struct text scratch_read(const struct scratch *s, const char *name)
{
	struct text out = { 0 };
	struct fault why = { 0 };

	assert_int_equal(fs_read(s->fd, name, 256 << 20, &out, &why), 0);
	return out;
}
