/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "base/macros.h"
#include "firstboot/images.h"

/* As ctr of containerd 1.6 prints it. */
static const char checked[] = "REF                  TYPE                 DIGEST     STATUS         "
			      "SIZE              UNPACKED \n"
			      "docker.io/library/a:1 application/x.v2+json sha256:aa complete "
			      "(2/2) 2.0 MiB/2.0 MiB   true\n"
			      "docker.io/library/b:1 application/x.v2+json sha256:bb incomplete "
			      "(1/2) 1.0 MiB/2.0 MiB false\n"
			      "docker.io/library/c:1 application/x.v2+json sha256:cc complete "
			      "(2/2) 2.0 MiB/2.0 MiB   false \n"
			      "docker.io/library/d:1 application/x.v2+json sha256:dd unavailable "
			      "(0/?) 0.0 B/?        true  \n"
			      "docker.io/library/e:1 application/x.v2+json sha256:ee complete "
			      "(2/2) 2.0 MiB/2.0 MiB   true  \n";

static void test_an_image_is_whole_when_all_of_it_is_there_and_unpacked(void **state)
{
	static const struct {
		const char *name;
		bool whole;
	} cases[] = {
		{ "docker.io/library/a:1", true },
		{ "docker.io/library/b:1", false },
		{ "docker.io/library/c:1", false },
		{ "docker.io/library/d:1", false },
		{ "docker.io/library/e:1", true },
		{ "docker.io/library/a", false },
		{ "docker.io/library/a:12", false },
		{ "ocker.io/library/a:1", false },
		{ "REF", false },
	};

	(void)state;
	CASES (c, cases)
		if (images_is_whole(checked, c->name) != c->whole)
			fail_msg("%s", c->name);
	assert_false(images_is_whole("", "docker.io/library/a:1"));
	assert_false(images_is_whole("x true", "x"));
}

static void test_the_index_is_read_line_by_line(void **state)
{
	const char *at = "aa.tar docker.io/library/a:1\n"
			 "\n"
			 "no-name\n"
			 "trailing \n"
			 "../up.tar docker.io/x:1\n"
			 "bb.tar k8s.gcr.io/pause:3.2";
	struct text file = { 0 }, name = { 0 };

	(void)state;
	assert_true(images_next(&at, &file, &name));
	assert_string_equal(text_str(&file), "aa.tar");
	assert_string_equal(text_str(&name), "docker.io/library/a:1");
	assert_true(images_next(&at, &file, &name));
	assert_string_equal(text_str(&file), "bb.tar");
	assert_string_equal(text_str(&name), "k8s.gcr.io/pause:3.2");
	assert_false(images_next(&at, &file, &name));
	assert_false(images_next(&at, &file, &name));
	text_done(&file);
	text_done(&name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_image_is_whole_when_all_of_it_is_there_and_unpacked),
		cmocka_unit_test(test_the_index_is_read_line_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
