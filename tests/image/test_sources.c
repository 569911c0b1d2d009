/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "base/run.h"
#include "cluster/model.h"
#include "image/build.h"
#include "image/release.h"
#include "image/sources.h"
#include "tests/image/scratch.h"

static void test_takes_the_mirror_that_this_machine_uses(void **state)
{
	static const char targets[] =
		"http://mirror.example/debian bookworm main\n"
		"http://mirror.example/debian bookworm contrib\n"
		"http://mirror.example/debian bookworm-updates main\n"
		"http://mirror.example/debian bookworm-backports main\n"
		"http://mirror.example/debian-security bookworm-security main\n"
		"http://other.example/docker bookworm stable\n"
		"http://other.example/node nodistro main\n"
		"rubbish\n";
	static const char *const want[] = {
		"deb http://mirror.example/debian bookworm main",
		"deb http://mirror.example/debian bookworm-updates main",
		"deb http://mirror.example/debian-security bookworm-security main",
	};
	struct args lines = { 0 };
	size_t i;

	(void)state;
	sources_from_apt(targets, "bookworm", "main non-free-firmware", &lines);
	assert_int_equal(lines.n, 3);
	for (i = 0; i < lines.n; i++)
		assert_string_equal(lines.list[i], want[i]);
	args_done(&lines);
}

/* A build whose document has these sources, in a scratch folder that is its cache too. */
struct setting {
	struct scratch s;
	char *sources[3];
	struct model model;
	struct build build;
};

static void set_up(struct setting *t, const char *source)
{
	struct fault why = { 0 };

	*t = (struct setting){ .s = scratch_open() };
	t->sources[0] = (char *)(uintptr_t)source;
	t->model.os.sources = source ? t->sources : NULL;
	t->model.os.mirror = (char *)(uintptr_t) "http://mirror.example/debian";
	t->model.kubernetes = (struct model_version){ 1, 36, -1 };
	t->build = (struct build){ .model = &t->model,
				   .folder_path = t->s.path,
				   .cache = { .fd = t->s.fd, .path = t->s.path } };
	assert_int_equal(release_find(MODEL_DEBIAN, "bookworm", &t->build.release, &why), 0);
}

/* A package with nothing in it, made by dpkg-deb itself. */
static void make_deb(const struct scratch *s)
{
	static const char *const argv[] = { "dpkg-deb", "--build", "package", "debs/thing.deb",
					    NULL };
	struct fault why = { 0 };

	scratch_write(s, "package/DEBIAN/control", 0644,
		      "Package: thing\nVersion: 1.0\nArchitecture: all\n"
		      "Maintainer: nobody <nobody@localhost>\nDescription: nothing\n");
	scratch_write(s, "debs/readme.txt", 0644, "no package\n");
	if (run(&(struct run){ .argv = argv, .dir = s->path }, &why) < 0)
		fail_msg("%s", why.text);
}

static void test_a_folder_of_packages_becomes_an_archive(void **state)
{
	struct sources sources = { 0 };
	struct fault why = { 0 };
	struct text index, list;
	struct setting t;

	(void)state;
	set_up(&t, "debs");
	make_deb(&t.s);
	if (sources_collect(&t.build, RELEASE_KUBERNETES, &sources, &why) < 0 ||
	    sources_publish(&t.build, &sources, "archive", &why) < 0)
		fail_msg("%s", why.text);
	assert_int_equal(sources.debs.n, 1);
	index = scratch_read(&t.s, "archive/Packages");
	list = scratch_read(&t.s, "archive/extra.list");
	assert_non_null(strstr(text_str(&index), "Package: thing\n"));
	assert_non_null(strstr(text_str(&index), "\nFilename: ./thing.deb\nSize: "));
	assert_memory_equal(text_str(&list), "deb [trusted=yes] copy:/tmp/", 28);
	assert_int_equal(faccessat(t.s.fd, "archive/thing.deb", R_OK, 0), 0);
	text_done(&index);
	text_done(&list);
	sources_done(&sources);
	scratch_close(&t.s);
}

static void test_the_key_follows_the_contents_of_packages(void **state)
{
	struct sources before = { 0 }, same = { 0 }, after = { 0 };
	struct fault why = { 0 };
	struct setting t;

	(void)state;
	set_up(&t, "debs");
	scratch_write(&t.s, "debs/a.deb", 0644, "one");
	assert_int_equal(sources_collect(&t.build, RELEASE_KUBERNETES, &before, &why), 0);
	assert_int_equal(sources_collect(&t.build, RELEASE_KUBERNETES, &same, &why), 0);
	scratch_write(&t.s, "debs/a.deb", 0644, "two");
	assert_int_equal(sources_collect(&t.build, RELEASE_KUBERNETES, &after, &why), 0);
	assert_string_equal(text_str(&before.key), text_str(&same.key));
	assert_string_not_equal(text_str(&before.key), text_str(&after.key));
	sources_done(&before);
	sources_done(&same);
	sources_done(&after);
	scratch_close(&t.s);
}

static void test_says_what_is_wrong_with_a_source(void **state)
{
	static const struct {
		const char *source, *text;
	} cases[] = {
		{ "missing", "os.sources: 'missing': No such file or directory" },
		{ "empty", "os.sources: the folder 'empty' holds no .deb file" },
	};

	(void)state;
	CASES (c, cases) {
		struct sources sources = { 0 };
		struct fault why = { 0 };
		struct setting t;

		set_up(&t, c->source);
		assert_int_equal(mkdirat(t.s.fd, "empty", 0755), 0);
		assert_int_equal(sources_collect(&t.build, RELEASE_KUBERNETES, &sources, &why),
				 -ENOENT);
		assert_non_null(strstr(why.text, c->text));
		scratch_close(&t.s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_the_mirror_that_this_machine_uses),
		cmocka_unit_test(test_a_folder_of_packages_becomes_an_archive),
		cmocka_unit_test(test_the_key_follows_the_contents_of_packages),
		cmocka_unit_test(test_says_what_is_wrong_with_a_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
