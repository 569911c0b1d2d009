/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

#include "image/cache.h"
#include "image/progress.h"
#include "tests/image/scratch.h"

static void test_lies_where_the_environment_says(void **state)
{
	static const struct {
		const char *variable, *value, *tail;
	} cases[] = {
		{ "RACKSEED_CACHE", "%s/own", "/own" },
		{ "XDG_CACHE_HOME", "%s/xdg", "/xdg/rackseed" },
		{ "HOME", "%s/home", "/home/.cache/rackseed" },
	};
	char *home = strdup(getenv("HOME") ? getenv("HOME") : "/");
	struct scratch s = scratch_open();

	(void)state;
	CASES (c, cases) {
		struct cache cache = { .fd = -1, .lock_fd = -1 };
		struct fault why = { 0 };
		char value[256];

		unsetenv("RACKSEED_CACHE");
		unsetenv("XDG_CACHE_HOME");
		scratch_path(&s, strchr(c->value, '/') + 1, value);
		setenv(c->variable, value, 1);
		if (cache_open(&cache, &why) < 0)
			fail_msg("%s", why.text);
		assert_memory_equal(cache.path, s.path, strlen(s.path));
		assert_string_equal(cache.path + strlen(s.path), c->tail);
		assert_true(cache.fd >= 0);
		cache_done(&cache);
	}
	setenv("HOME", home, 1);
	free(home);
	scratch_close(&s);
}

static void test_refuses_a_path_that_apt_would_take_apart(void **state)
{
	struct cache cache = { .fd = -1, .lock_fd = -1 };
	struct fault why = { 0 };

	(void)state;
	setenv("RACKSEED_CACHE", "/tmp/two words", 1);
	assert_int_equal(cache_open(&cache, &why), -EINVAL);
	assert_non_null(strstr(why.text, "set RACKSEED_CACHE to a plain path"));
	unsetenv("RACKSEED_CACHE");
}

static void open_in(const struct scratch *s, struct cache *cache)
{
	struct fault why = { 0 };

	setenv("RACKSEED_CACHE", s->path, 1);
	assert_int_equal(cache_open(cache, &why), 0);
	unsetenv("RACKSEED_CACHE");
}

static void test_whoever_locks_it_clears_what_was_not_finished(void **state)
{
	struct cache cache = { .fd = -1, .lock_fd = -1 };
	struct progress progress;
	struct scratch s = scratch_open();
	struct fault why = { 0 };

	(void)state;
	open_in(&s, &cache);
	progress_init(&progress, true);
	scratch_write(&s, CACHE_UNFINISHED "root/etc/hostname", 0644, "x");
	scratch_write(&s, CACHE_UNFINISHED "rootfs.tar", 0644, "x");
	scratch_write(&s, "golden-1.raw", 0644, "x");
	assert_int_equal(cache_lock(&cache, &progress, &why), 0);
	assert_int_equal(faccessat(s.fd, CACHE_UNFINISHED "root", F_OK, 0), -1);
	assert_int_equal(faccessat(s.fd, CACHE_UNFINISHED "rootfs.tar", F_OK, 0), -1);
	assert_int_equal(faccessat(s.fd, "golden-1.raw", F_OK, 0), 0);
	cache_done(&cache);
	scratch_close(&s);
}

static void test_keeps_what_was_used_last(void **state)
{
	struct cache cache = { .fd = -1, .lock_fd = -1 };
	struct scratch s = scratch_open();
	struct fault why = { 0 };
	char name[32];
	int i;

	(void)state;
	open_in(&s, &cache);
	for (i = 1; i <= CACHE_KEPT + 2; i++) {
		const struct timespec times[] = { { .tv_sec = 1000 + i }, { .tv_sec = 1000 + i } };

		snprintf(name, sizeof(name), "golden-%d.raw", i);
		scratch_write(&s, name, 0444, "x");
		assert_int_equal(utimensat(s.fd, name, times, 0), 0);
	}
	scratch_write(&s, "rootfs-1.tar", 0644, "x");
	assert_int_equal(cache_used(&cache, "golden-1.raw", "golden-*.raw", &why), 0);
	for (i = 1; i <= CACHE_KEPT + 2; i++) {
		snprintf(name, sizeof(name), "golden-%d.raw", i);
		assert_int_equal(faccessat(s.fd, name, F_OK, 0), i == 2 || i == 3 ? -1 : 0);
	}
	assert_int_equal(faccessat(s.fd, "rootfs-1.tar", F_OK, 0), 0);
	cache_done(&cache);
	scratch_close(&s);
}

static void test_a_file_is_read_again_when_it_was_changed(void **state)
{
	struct scratch s = scratch_open();
	struct cache c = { .fd = s.fd };
	struct fault why = { 0 };
	struct text sums;
	char path[256], first[DIGEST_LEN], again[DIGEST_LEN];
	const struct timespec times[] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	(void)state;
	scratch_write(&s, "archive", 0644, "one");
	scratch_path(&s, "archive", path);
	/* Young: its sum is right, and not kept. */
	assert_int_equal(cache_digest(&c, path, first, &why), 0);
	assert_string_equal(first,
			    "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
	assert_int_equal(faccessat(s.fd, "sums", F_OK, 0), -1);
	sleep(4);
	assert_int_equal(cache_digest(&c, path, again, &why), 0);
	assert_string_equal(first, again);
	sums = scratch_read(&s, "sums");
	assert_int_equal(sums.len, 130);
	/* It is believed: another sum in the place of this one is what is told. */
	memset(sums.data + 65, 'a', 64);
	scratch_write(&s, "sums", 0644, text_str(&sums));
	assert_int_equal(cache_digest(&c, path, again, &why), 0);
	assert_int_equal(again[0], 'a');
	/* Same size, same time of change as told by who changed it: the inode's own tells. */
	scratch_write(&s, "archive", 0644, "two");
	assert_int_equal(utimensat(s.fd, "archive", times, 0), 0);
	assert_int_equal(cache_digest(&c, path, again, &why), 0);
	assert_string_equal(again,
			    "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3");
	assert_int_equal(cache_digest(&c, "/nonexistent", again, &why), -ENOENT);
	text_done(&sums);
	scratch_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lies_where_the_environment_says),
		cmocka_unit_test(test_refuses_a_path_that_apt_would_take_apart),
		cmocka_unit_test(test_whoever_locks_it_clears_what_was_not_finished),
		cmocka_unit_test(test_keeps_what_was_used_last),
		cmocka_unit_test(test_a_file_is_read_again_when_it_was_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
