/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"

/* A folder of its own for each test; the umask is put back behind it. */
struct place {
	char path[64];
	int fd;
	mode_t umask;
};

static int arrive(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	*state = p;
	snprintf(p->path, sizeof(p->path), "/tmp/rackseed-fs.XXXXXX");
	p->umask = umask(022);
	if (!mkdtemp(p->path))
		return -1;
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->fd < 0 ? -1 : 0;
}

static int leave(void **state)
{
	struct place *p = *state;
	struct fault why = { 0 };
	int r = fs_remove_tree(AT_FDCWD, p->path, &why);

	umask(p->umask);
	close(p->fd);
	free(p);
	return r == FS_CHANGED ? 0 : -1;
}

static int put(int fd, const char *path, const char *text)
{
	struct fault why = { 0 };

	return fs_write(fd, path, 0644, text, strlen(text), &why);
}

static void holds(int fd, const char *path, const char *want)
{
	scoped(text_done) struct text got = { 0 };
	struct fault why = { 0 };

	if (fs_read(fd, path, 1 << 20, &got, &why) < 0)
		fail_msg("%s", why.text);
	assert_string_equal(text_str(&got), want);
}

static mode_t mode_of(int fd, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static bool is_there(int fd, const char *path)
{
	struct stat st;

	return fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int count(int fd, const char *path)
{
	int dir = openat(fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fdopendir(dir);
	int n = 0;

	assert_non_null(entries);
	while (readdir(entries))
		n++;
	closedir(entries);
	return n - 2;
}

static void test_writes_only_what_differs(void **state)
{
	static const struct {
		mode_t mode;
		const char *text;
		int want;
	} cases[] = {
		{ 0644, "one", FS_CHANGED },  { 0644, "one", FS_SAME },
		{ 0644, "two", FS_CHANGED },  { 0600, "two", FS_CHANGED },
		{ 0600, "two", FS_SAME },     { 0600, "twofold", FS_CHANGED },
		{ 0600, "tw", FS_CHANGED },   { 0600, "", FS_CHANGED },
		{ 0600, "", FS_SAME },	      { 0755, "", FS_CHANGED },
		{ 04755, "x", FS_CHANGED },   { 04755, "x", FS_SAME },
	};
	struct place *p = *state;

	CASES (c, cases) {
		struct fault why = { 0 };
		struct stat before = { 0 }, after;
		int r;

		(void)fstatat(p->fd, "f", &before, 0);
		r = fs_write(p->fd, "f", c->mode, c->text, strlen(c->text), &why);
		if (r != c->want)
			fail_msg("row %td: %d %s", c - cases, r, why.text);
		holds(p->fd, "f", c->text);
		assert_int_equal(mode_of(p->fd, "f"), c->mode);
		assert_int_equal(fstatat(p->fd, "f", &after, 0), 0);
		if (r == FS_SAME) {
			assert_int_equal(after.st_ino, before.st_ino);
			assert_int_equal(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
		}
		assert_int_equal(count(p->fd, "."), 1);
	}
}

static void test_large_and_binary(void **state)
{
	static char big[100000];
	struct place *p = *state;
	struct fault why = { 0 };
	scoped(text_done) struct text got = { 0 };
	size_t i;

	for (i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7);
	assert_int_equal(fs_write(p->fd, "big", 0644, big, sizeof(big), &why), FS_CHANGED);
	assert_int_equal(fs_write(p->fd, "big", 0644, big, sizeof(big), &why), FS_SAME);
	assert_int_equal(fs_read(p->fd, "big", sizeof(big), &got, &why), 0);
	assert_int_equal(got.len, sizeof(big));
	assert_memory_equal(got.data, big, sizeof(big));
	big[sizeof(big) - 1]++;
	assert_int_equal(fs_write(p->fd, "big", 0644, big, sizeof(big), &why), FS_CHANGED);
}

static void test_modes_heed_no_umask(void **state)
{
	static const mode_t umasks[] = { 0, 022, 077, 0777 };
	struct place *p = *state;

	CASES (mask, umasks) {
		struct fault why = { 0 };
		char path[64];

		snprintf(path, sizeof(path), "%03o/a/b", *mask);
		umask(*mask);
		assert_int_equal(fs_write(p->fd, path, 0664, "x", 1, &why), FS_CHANGED);
		assert_int_equal(mode_of(p->fd, path), 0664);
		*strrchr(path, '/') = '\0';
		assert_int_equal(mode_of(p->fd, path), 0755);
		*strrchr(path, '/') = '\0';
		assert_int_equal(mode_of(p->fd, path), 0755);
		snprintf(path, sizeof(path), "%03o/own", *mask);
		assert_int_equal(fs_mkdirs(p->fd, path, 01770, &why), FS_CHANGED);
		assert_int_equal(mode_of(p->fd, path), 01770);
		umask(022);
	}
}

/* The same path below a folder and below AT_FDCWD. */
static void test_where_paths_lead(void **state)
{
	static const char *const below[] = { "etc/x", "/etc/x", "//etc//x", "./etc/x" };
	struct place *p = *state;
	char path[128];

	CASES (c, below) {
		assert_int_equal(put(p->fd, *c, *c), FS_CHANGED);
		holds(p->fd, "etc/x", *c);
		holds(p->fd, *c, *c);
	}
	snprintf(path, sizeof(path), "%s/new/file", p->path);
	assert_int_equal(put(AT_FDCWD, path, "absolute"), FS_CHANGED);
	assert_int_equal(put(AT_FDCWD, path, "absolute"), FS_SAME);
	holds(p->fd, "new/file", "absolute");
	assert_int_equal(fchdir(p->fd), 0);
	assert_int_equal(put(AT_FDCWD, "here", "relative"), FS_CHANGED);
	assert_int_equal(put(AT_FDCWD, "there/too", "relative"), FS_CHANGED);
	holds(p->fd, "here", "relative");
	holds(p->fd, "there/too", "relative");
	assert_int_equal(chdir("/"), 0);
}

static void test_files_directly_in_the_root(void **state)
{
	struct place *p = *state;
	struct fault why = { 0 };
	char path[64];

	assert_int_equal(put(p->fd, "/here", "x"), FS_CHANGED);
	assert_true(is_there(p->fd, "here"));
	snprintf(path, sizeof(path), "/rackseed-test.%d", (int)getpid());
	assert_int_equal(chdir(p->path), 0);
	if (access("/", W_OK) == 0) {
		assert_int_equal(put(AT_FDCWD, path, "x"), FS_CHANGED);
		assert_true(is_there(AT_FDCWD, path));
		assert_int_equal(fs_remove(AT_FDCWD, path, &why), FS_CHANGED);
	} else {
		assert_true(put(AT_FDCWD, path, "x") < 0);
	}
	assert_false(is_there(p->fd, path + 1));
	assert_int_equal(chdir("/"), 0);
}

static void test_a_link_is_replaced_not_followed(void **state)
{
	static const char *const targets[] = { "victim", "nowhere", "folder", "/dev/null" };
	struct place *p = *state;

	assert_int_equal(put(p->fd, "victim", "new"), FS_CHANGED);
	assert_int_equal(mkdirat(p->fd, "folder", 0755), 0);
	CASES (target, targets) {
		struct stat st;

		assert_int_equal(symlinkat(*target, p->fd, "l"), 0);
		assert_int_equal(put(p->fd, "l", "new"), FS_CHANGED);
		assert_int_equal(fstatat(p->fd, "l", &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_true(S_ISREG(st.st_mode));
		holds(p->fd, "victim", "new");
		assert_int_equal(unlinkat(p->fd, "l", 0), 0);
	}
	assert_false(is_there(p->fd, "nowhere"));
	assert_int_equal(count(p->fd, "folder"), 0);
}

static void test_left_over_temporaries_are_overcome(void **state)
{
	static const char temp[] = ".f.rackseed-new";
	struct place *p = *state;
	struct fault why = { 0 };

	assert_int_equal(put(p->fd, temp, "left over"), FS_CHANGED);
	assert_int_equal(put(p->fd, "f", "x"), FS_CHANGED);
	assert_false(is_there(p->fd, temp));
	assert_int_equal(put(p->fd, "victim", "v"), FS_CHANGED);
	assert_int_equal(symlinkat("victim", p->fd, temp), 0);
	assert_int_equal(put(p->fd, "f", "y"), FS_CHANGED);
	assert_false(is_there(p->fd, temp));
	holds(p->fd, "victim", "v");
	assert_int_equal(put(p->fd, temp, "left over"), FS_CHANGED);
	assert_int_equal(fs_link(p->fd, "f", "victim", &why), FS_CHANGED);
	assert_false(is_there(p->fd, temp));
	assert_int_equal(count(p->fd, "."), 2);
}

/* Seen by the name that a failed write would leave: a folder stands where the file shall be. */
static void test_the_temporary_is_hidden_and_goes_on_failure(void **state)
{
	struct place *p = *state;
	struct fault why = { 0 };

	assert_int_equal(fs_mkdirs(p->fd, "d/f", 0755, &why), FS_CHANGED);
	assert_true(put(p->fd, "d/f", "x") < 0);
	assert_true(fs_link(p->fd, "d/f", "x", &why) < 0);
	assert_non_null(strstr(why.text, "cannot link d/f"));
	assert_int_equal(count(p->fd, "d"), 1);
	assert_int_equal(fs_mkdirs(p->fd, "d/.g.rackseed-new", 0755, &why), FS_CHANGED);
	assert_true(put(p->fd, "d/g", "x") < 0); /* so that is its name */
	assert_false(is_there(p->fd, "d/g"));
}

static void test_names_up_to_the_longest(void **state)
{
	static const size_t lengths[] = { 1, 241, 242, 243, NAME_MAX - 1, NAME_MAX };
	struct place *p = *state;
	char name[NAME_MAX + 2] = "";
	struct fault why = { 0 };

	CASES (length, lengths) {
		memset(name, 'n', *length);
		name[*length] = '\0';
		assert_int_equal(put(p->fd, name, "x"), FS_CHANGED);
		assert_int_equal(put(p->fd, name, "y"), FS_CHANGED);
		holds(p->fd, name, "y");
		assert_int_equal(fs_remove(p->fd, name, &why), FS_CHANGED);
		assert_int_equal(fs_link(p->fd, name, "x", &why), FS_CHANGED);
		assert_int_equal(fs_remove(p->fd, name, &why), FS_CHANGED);
	}
	memset(name, 'n', NAME_MAX + 1);
	assert_int_equal(put(p->fd, name, "x"), -ENAMETOOLONG);
	assert_int_equal(count(p->fd, "."), 0);
}

/* Root may write anywhere, so it steps down for this. */
static void test_a_folder_that_may_not_be_written_is_reported(void **state)
{
	struct place *p = *state;
	bool root = geteuid() == 0;
	struct fault why = { 0 };
	int written, made, removed, linked;

	assert_int_equal(put(p->fd, "ro/f", "x"), FS_CHANGED);
	assert_int_equal(fchmodat(p->fd, "ro", 0555, 0), 0);
	assert_int_equal(fchmod(p->fd, 0755), 0);
	assert_true(!root || seteuid(65534) == 0);
	made = fs_mkdirs(p->fd, "ro/d", 0755, &why);
	removed = fs_remove(p->fd, "ro/f", &why);
	linked = fs_link(p->fd, "ro/l", "f", &why);
	written = fs_write(p->fd, "ro/f", 0644, "y", 1, &why);
	assert_true(!root || seteuid(0) == 0);
	assert_int_equal(fchmodat(p->fd, "ro", 0755, 0), 0);
	assert_int_equal(made, -EACCES);
	assert_int_equal(removed, -EACCES);
	assert_int_equal(linked, -EACCES);
	assert_int_equal(written, -EACCES);
	assert_string_equal(why.text, "cannot write ro/f: Permission denied");
	holds(p->fd, "ro/f", "x");
	assert_int_equal(count(p->fd, "ro"), 1);
}

static void test_what_is_no_file_is_not_read(void **state)
{
	static const struct {
		const char *path;
		size_t max;
		int want;
		const char *text;
	} cases[] = {
		{ "five", 5, 0, NULL },
		{ "five", 4, -EFBIG, "five: larger than 4 bytes" },
		{ "five", 0, -EFBIG, NULL },
		{ "empty", 0, 0, NULL },
		{ "link", 5, 0, NULL },
		{ "fifo", 5, -EINVAL, "fifo: not a file" },
		{ "folder", 5, -EISDIR, "folder: not a file" },
		{ "", 5, -EISDIR, NULL },
		{ "/", 5, -EISDIR, NULL },
		{ "absent", 5, -ENOENT, "absent: No such file or directory" },
		{ "five/x", 5, -ENOTDIR, NULL },
		{ "loop", 5, -ELOOP, NULL },
	};
	struct place *p = *state;

	assert_int_equal(put(p->fd, "five", "12345"), FS_CHANGED);
	assert_int_equal(put(p->fd, "empty", ""), FS_CHANGED);
	assert_int_equal(symlinkat("five", p->fd, "link"), 0);
	assert_int_equal(symlinkat("loop", p->fd, "loop"), 0);
	assert_int_equal(mkfifoat(p->fd, "fifo", 0600), 0);
	assert_int_equal(mkdirat(p->fd, "folder", 0700), 0);
	CASES (c, cases) {
		scoped(text_done) struct text got = { 0 };
		struct fault why = { 0 };
		int r = fs_read(p->fd, c->path, c->max, &got, &why);

		if (r != c->want)
			fail_msg("'%s' %zu: %d %s", c->path, c->max, r, why.text);
		if (c->text)
			assert_string_equal(why.text, c->text);
	}
}

/* Their size is not known beforehand. */
static void test_endless_and_sizeless_files_are_bounded(void **state)
{
	scoped(text_done) struct text got = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(fs_read(AT_FDCWD, "/dev/zero", 1 << 20, &got, &why), -EFBIG);
	assert_true(got.len <= 1 << 20);
	text_done(&got);
	assert_int_equal(fs_read(AT_FDCWD, "/dev/null", 0, &got, &why), 0);
	assert_int_equal(fs_read(AT_FDCWD, "/proc/self/status", 1 << 16, &got, &why), 0);
	assert_memory_equal(text_str(&got), "Name:", 5);
	text_done(&got);
	assert_int_equal(fs_read(AT_FDCWD, "/proc/self/status", 8, &got, &why), -EFBIG);
}

static void test_a_fifo_in_the_way_of_a_write_is_replaced(void **state)
{
	struct place *p = *state;

	assert_int_equal(mkfifoat(p->fd, "fifo", 0644), 0);
	assert_int_equal(put(p->fd, "fifo", "x"), FS_CHANGED);
	holds(p->fd, "fifo", "x");
}

static void test_links(void **state)
{
	static const struct {
		const char *path, *target;
		int want;
	} cases[] = {
		{ "l", "a", FS_CHANGED },    { "l", "a", FS_SAME },
		{ "l", "ab", FS_CHANGED },   { "l", "a", FS_CHANGED },
		{ "file", "a", FS_CHANGED }, { "p/q/l", "/x", FS_CHANGED },
		{ "/p/q/l", "/x", FS_SAME }, { "d", "a", -EISDIR },
	};
	struct place *p = *state;

	assert_int_equal(put(p->fd, "file", "x"), FS_CHANGED);
	assert_int_equal(mkdirat(p->fd, "d", 0755), 0);
	CASES (c, cases) {
		struct fault why = { 0 };
		char got[64] = "";
		int r = fs_link(p->fd, c->path, c->target, &why);

		if (r != c->want)
			fail_msg("row %td: %d %s", c - cases, r, why.text);
		if (r < 0)
			continue;
		assert_true(readlinkat(p->fd, c->path + (*c->path == '/'), got,
				       sizeof(got) - 1) > 0);
		assert_string_equal(got, c->target);
	}
}

static void test_folders(void **state)
{
	static const struct {
		const char *path;
		mode_t mode;
		int want;
	} cases[] = {
		{ "a/b/c", 0700, FS_CHANGED },	  { "a/b/c", 0755, FS_SAME },
		{ "/a//b/d/", 0755, FS_CHANGED }, { "a/b/", 0700, FS_SAME },
		{ "", 0700, FS_SAME },		  { "/", 0700, FS_SAME },
		{ "link", 0700, FS_SAME },	  { "link/x", 0700, FS_CHANGED },
		{ "file", 0700, -ENOTDIR },	  { "file/x", 0700, -ENOTDIR },
		{ "dangling", 0700, -ENOENT },
	};
	struct place *p = *state;

	assert_int_equal(put(p->fd, "file", "x"), FS_CHANGED);
	assert_int_equal(mkdirat(p->fd, "real", 0755), 0);
	assert_int_equal(symlinkat("real", p->fd, "link"), 0);
	assert_int_equal(symlinkat("nowhere", p->fd, "dangling"), 0);
	CASES (c, cases) {
		struct fault why = { 0 };
		int r = fs_mkdirs(p->fd, c->path, c->mode, &why);

		if (r != c->want)
			fail_msg("'%s': %d %s", c->path, r, why.text);
	}
	assert_int_equal(mode_of(p->fd, "a"), 0700);
	assert_int_equal(mode_of(p->fd, "a/b/c"), 0700);
	assert_int_equal(mode_of(p->fd, "a/b/d"), 0755);
	assert_true(is_there(p->fd, "real/x"));
	/* What a folder gets from its parent stays. */
	assert_int_equal(fchmodat(p->fd, "real", 02755, 0), 0);
	assert_int_equal(put(p->fd, "real/sub/f", "x"), FS_CHANGED);
	assert_int_equal(mode_of(p->fd, "real/sub"), 02755);
}

static void test_a_file_in_the_way_of_a_parent_is_reported(void **state)
{
	struct place *p = *state;

	assert_int_equal(put(p->fd, "file", "x"), FS_CHANGED);
	assert_int_equal(put(p->fd, "file/f", "x"), -ENOTDIR);
	assert_int_equal(put(p->fd, "file/d/f", "x"), -ENOTDIR);
	assert_true(put(p->fd, "", "x") < 0);
	assert_true(put(p->fd, "/", "x") < 0);
	assert_true(put(p->fd, "new/", "x") < 0);
	holds(p->fd, "file", "x");
	assert_int_equal(count(p->fd, "new"), 0);
}

static void test_remove(void **state)
{
	static const struct {
		const char *path;
		int want;
	} cases[] = {
		{ "file", FS_CHANGED }, { "file", FS_SAME },	{ "/link", FS_CHANGED },
		{ "no/such", FS_SAME }, { "folder", -EISDIR },
	};
	struct place *p = *state;

	assert_int_equal(put(p->fd, "file", "x"), FS_CHANGED);
	assert_int_equal(put(p->fd, "folder/kept", "x"), FS_CHANGED);
	assert_int_equal(symlinkat("folder/kept", p->fd, "link"), 0);
	CASES (c, cases) {
		struct fault why = { 0 };

		assert_int_equal(fs_remove(p->fd, c->path, &why), c->want);
	}
	holds(p->fd, "folder/kept", "x");
}

static void test_remove_tree_follows_no_link(void **state)
{
	struct place *p = *state;
	struct fault why = { 0 };
	char outside[96];

	assert_int_equal(put(p->fd, "outside/kept", "x"), FS_CHANGED);
	assert_int_equal(put(p->fd, "t/a/b/c/file", "x"), FS_CHANGED);
	assert_int_equal(put(p->fd, "t/.hidden", "x"), FS_CHANGED);
	snprintf(outside, sizeof(outside), "%s/outside", p->path);
	assert_int_equal(symlinkat(outside, p->fd, "t/absolute"), 0);
	assert_int_equal(symlinkat("../../outside", p->fd, "t/a/relative"), 0);
	assert_int_equal(symlinkat("nowhere", p->fd, "t/a/dangling"), 0);
	assert_int_equal(symlinkat("outside", p->fd, "link"), 0);
	assert_int_equal(mkfifoat(p->fd, "t/a/fifo", 0600), 0);
	assert_true(fs_remove_tree(p->fd, "link/", &why) < 0);
	assert_int_equal(fs_remove_tree(p->fd, "/t", &why), FS_CHANGED);
	assert_int_equal(fs_remove_tree(p->fd, "t", &why), FS_SAME);
	assert_int_equal(fs_remove_tree(p->fd, "link", &why), FS_CHANGED);
	holds(p->fd, "outside/kept", "x");
	assert_int_equal(count(p->fd, "."), 1);
}

/* Deep in our own folder, so that a mistake removes nothing but that. */
static void test_remove_tree_refuses_the_folder_itself(void **state)
{
	static const char *const paths[] = { "", "/", ".", "./", "//", "..", "../" };
	struct place *p = *state;
	struct fault why = { 0 };
	scoped(drop_fd) int fd = -1;

	assert_int_equal(fs_mkdirs(p->fd, "1/2/3/4", 0755, &why), FS_CHANGED);
	fd = openat(p->fd, "1/2/3", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	CASES (path, paths) {
		assert_int_equal(fs_remove_tree(fd, *path, &why), -EINVAL);
		assert_true(is_there(p->fd, "1/2/3/4"));
	}
}

/* In a mount namespace of its own, which ends with the process. */
static int remove_over_a_mount(const struct place *p)
{
	struct fault why = { 0 };
	char from[96], to[96];

	snprintf(from, sizeof(from), "%s/outside", p->path);
	snprintf(to, sizeof(to), "%s/t/m", p->path);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(from, to, NULL, MS_BIND, NULL) < 0)
		return 77;
	return fs_remove_tree(p->fd, "t", &why) == -EBUSY ? 0 : 1;
}

static void test_remove_tree_stops_at_a_mount(void **state)
{
	struct place *p = *state;
	struct fault why = { 0 };
	int status = 0;
	pid_t pid;

	assert_int_equal(put(p->fd, "outside/kept", "x"), FS_CHANGED);
	assert_int_equal(fs_mkdirs(p->fd, "t/m", 0755, &why), FS_CHANGED);
	pid = fork();
	if (pid == 0)
		_exit(remove_over_a_mount(p));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip(); /* may not mount here */
	assert_int_equal(WEXITSTATUS(status), 0);
	holds(p->fd, "outside/kept", "x");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, arrive, leave)

static void test_what_a_failure_tells(void **s)
{
	static const int known[] = { 0, ENOENT, -ENOENT, ENOTDIR, -EISDIR, EFBIG };
	static const int silent[] = { EIO, -EIO, ENOMEM, EMFILE, EINTR, EACCES };

	(void)s;
	CASES (code, known)
		assert_false(fs_is_silent(*code));
	CASES (code, silent)
		assert_true(fs_is_silent(*code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_failure_tells),
		TEST(test_writes_only_what_differs),
		TEST(test_large_and_binary),
		TEST(test_modes_heed_no_umask),
		TEST(test_where_paths_lead),
		TEST(test_files_directly_in_the_root),
		TEST(test_a_link_is_replaced_not_followed),
		TEST(test_left_over_temporaries_are_overcome),
		TEST(test_the_temporary_is_hidden_and_goes_on_failure),
		TEST(test_names_up_to_the_longest),
		TEST(test_a_folder_that_may_not_be_written_is_reported),
		TEST(test_what_is_no_file_is_not_read),
		TEST(test_endless_and_sizeless_files_are_bounded),
		TEST(test_a_fifo_in_the_way_of_a_write_is_replaced),
		TEST(test_links),
		TEST(test_folders),
		TEST(test_a_file_in_the_way_of_a_parent_is_reported),
		TEST(test_remove),
		TEST(test_remove_tree_follows_no_link),
		TEST(test_remove_tree_refuses_the_folder_itself),
		TEST(test_remove_tree_stops_at_a_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
