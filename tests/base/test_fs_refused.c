/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"

/*
 * A disk that fails: the linker leads what base/fs asks of the kernel here, and each call in turn
 * is refused. It must be told, and what is there is the old whole or the new one.
 */

static size_t countdown; /* the call that is refused, counted down; 0: none */
static int refusal;
static bool refused;

static bool goes(void)
{
	if (countdown == 0 || --countdown > 0)
		return true;
	refused = true;
	errno = refusal;
	return false;
}

#define STAND_IN(type, bad, name, params, args)                                                    \
	type __real_##name params;                                                                 \
	type __wrap_##name params;                                                                 \
	type __wrap_##name params                                                                  \
	{                                                                                          \
		return goes() ? __real_##name args : (bad);                                        \
	}

STAND_IN(int, -1, fstat, (int fd, struct stat *st), (fd, st))
STAND_IN(int, -1, fstatat, (int fd, const char *p, struct stat *st, int f), (fd, p, st, f))
STAND_IN(ssize_t, -1, read, (int fd, void *b, size_t n), (fd, b, n))
STAND_IN(ssize_t, -1, write, (int fd, const void *b, size_t n), (fd, b, n))
STAND_IN(int, -1, fchmod, (int fd, mode_t m), (fd, m))
STAND_IN(int, -1, fchmodat, (int fd, const char *p, mode_t m, int f), (fd, p, m, f))
STAND_IN(int, -1, fsync, (int fd), (fd))
STAND_IN(int, -1, renameat, (int a, const char *p, int b, const char *q), (a, p, b, q))
STAND_IN(int, -1, unlinkat, (int fd, const char *p, int f), (fd, p, f))
STAND_IN(int, -1, symlinkat, (const char *t, int fd, const char *p), (t, fd, p))
STAND_IN(int, -1, mkdirat, (int fd, const char *p, mode_t m), (fd, p, m))
STAND_IN(ssize_t, -1, readlinkat, (int fd, const char *p, char *b, size_t n), (fd, p, b, n))
STAND_IN(DIR *, NULL, fdopendir, (int fd), (fd))

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);

int __wrap_openat(int fd, const char *path, int flags, ...)
{
	return goes() ? __real_openat(fd, path, flags, 0600) : -1;
}

static int root = -1;

/* What one does, and whether what is there afterwards is whole; done: it said that it was done. */
struct deed {
	void (*before)(void);
	int (*deed)(struct fault *why);
	bool (*is_whole)(bool done);
};

static void put(const char *path, const char *content)
{
	struct fault why = { 0 };

	assert_true(fs_write(root, path, 0644, content, strlen(content), &why) >= 0);
}

static bool is(const char *path, const char *content)
{
	struct text out = { 0 };
	struct fault why = { 0 };
	bool same =
		fs_read(root, path, 100, &out, &why) == 0 && strcmp(text_str(&out), content) == 0;

	text_done(&out);
	return same;
}

static void nothing_there(void)
{
	struct fault why = { 0 };

	assert_true(fs_remove_tree(root, "a", &why) >= 0);
}

static void an_old_file(void)
{
	put("a/b/file", "old");
}

static int write_file(struct fault *why)
{
	return fs_write(root, "a/b/file", 0644, "new", 3, why);
}

static bool old_or_new(bool done)
{
	return is("a/b/file", "new") || (!done && is("a/b/file", "old"));
}

static bool none_or_new(bool done)
{
	return is("a/b/file", "new") || (!done && faccessat(root, "a/b/file", F_OK, 0) < 0);
}

static int read_file(struct fault *why)
{
	struct text out = { 0 };
	int r = fs_read(root, "a/b/file", 100, &out, why);

	if (r == 0 && strcmp(text_str(&out), "old") != 0)
		r = -EILSEQ;
	text_done(&out);
	return r;
}

static bool still_old(bool done)
{
	(void)done;
	return is("a/b/file", "old");
}

static void an_old_link(void)
{
	struct fault why = { 0 };

	assert_true(fs_link(root, "a/b/link", "old", &why) >= 0);
}

static int link_it(struct fault *why)
{
	return fs_link(root, "a/b/link", "new", why);
}

static bool link_old_or_new(bool done)
{
	char to[4] = "";

	if (__real_readlinkat(root, "a/b/link", to, 3) != 3)
		return false;
	return strcmp(to, "new") == 0 || (!done && strcmp(to, "old") == 0);
}

static int make_folders(struct fault *why)
{
	return fs_mkdirs(root, "a/x/y", 0750, why);
}

static bool is_folder(bool done)
{
	return !done || faccessat(root, "a/x/y", X_OK, 0) == 0;
}

static int remove_all(struct fault *why)
{
	return fs_remove_tree(root, "a", why);
}

static int remove_file(struct fault *why)
{
	return fs_remove(root, "a/b/file", why);
}

static bool is_gone(bool done)
{
	return !done || faccessat(root, "a/b/file", F_OK, 0) < 0;
}

static const struct deed deeds[] = {
	{ nothing_there, write_file, none_or_new }, { an_old_file, write_file, old_or_new },
	{ an_old_file, read_file, still_old },	    { an_old_link, link_it, link_old_or_new },
	{ nothing_there, make_folders, is_folder }, { an_old_file, remove_all, is_gone },
	{ an_old_file, remove_file, is_gone },
};

static void refuse_each(const struct deed *d, int code)
{
	size_t n = 0;
	int r;

	refusal = code;
	do {
		struct fault why = { 0 };

		d->before();
		refused = false;
		countdown = ++n;
		r = d->deed(&why);
		countdown = 0;
		if (r < 0 && (!refused || !why.text[0] || r != -code))
			fail_msg("deed %td, call %zu: %d '%s'", d - deeds, n, r, why.text);
		if (!d->is_whole(r >= 0))
			fail_msg("deed %td, call %zu: %d and not whole", d - deeds, n, r);
		/* And what was left behind is in nobody's way. */
		assert_true(d->deed(&why) >= 0);
		assert_true(d->is_whole(true));
	} while (refused);
	assert_true(n > 1);
}

static void test_a_disk_that_fails_is_told_and_leaves_files_whole(void **state)
{
	static const int codes[] = { EIO, ENOSPC, EINTR };

	(void)state;
	CASES (d, deeds)
		CASES (code, codes)
			refuse_each(d, *code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_disk_that_fails_is_told_and_leaves_files_whole),
	};
	char path[] = "/tmp/test_fs_refused.XXXXXX";
	struct fault why = { 0 };
	int bad;

	if (!mkdtemp(path))
		return 1;
	root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bad = cmocka_run_group_tests(tests, NULL, NULL);
	close(root);
	return bad || fs_remove_tree(AT_FDCWD, path, &why) < 0;
}
