/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "base/macros.h"
#include "image/archive.h"

static void test_names_that_an_archive_bears(void **state)
{
	static const struct {
		const char *json, *names;
		bool oci;
		int code;
	} cases[] = {
		{ "[{\"RepoTags\":[\"a:1\",\"b/c:2\"]},{\"RepoTags\":[\"d:3\"]}]", "a:1 b/c:2 d:3 ",
		  false, 0 },
		{ "[{\"RepoTags\":null},{\"Config\":\"x\"}]", "", false, 0 },
		{ "{\"manifests\":[{\"annotations\":{\"io.containerd.image.name\":\"docker.io/"
		  "library/a:1\","
		  "\"org.opencontainers.image.ref.name\":\"1\"}}]}",
		  "docker.io/library/a:1 ", true, 0 },
		{ "{\"manifests\":[{\"annotations\":{\"org.opencontainers.image.ref.name\":\"a:1\"}"
		  "},{}]}",
		  "a:1 ", true, 0 },
		{ "{\"manifests\":null}", "", true, 0 },
		{ "{}", "", false, -EBADMSG },
		{ "[]", "", true, -EBADMSG },
		{ "PK", "", false, -EBADMSG },
		{ "", "", false, -EBADMSG },
	};

	(void)state;
	CASES (c, cases) {
		struct args names = { 0 };
		struct fault why = { 0 };
		struct text got = { 0 };
		size_t i;

		assert_int_equal(archive_names(c->json, strlen(c->json), c->oci, &names, &why),
				 c->code);
		for (i = 0; i < names.n; i++)
			text_addf(&got, "%s ", names.list[i]);
		assert_string_equal(text_str(&got), c->names);
		text_done(&got);
		args_done(&names);
	}
}

static void test_the_registry_of_a_name_is_taken_off(void **state)
{
	static const char *const cases[][2] = {
		{ "docker.io/library/busybox:1", "library/busybox:1" },
		{ "library/busybox:1", "library/busybox:1" },
		{ "busybox:1", "busybox:1" },
		{ "registry:5000/x", "x" },
		{ "localhost/x/y:1", "x/y:1" },
		{ "k8s.gcr.io/pause:3.2", "pause:3.2" },
		{ "[fd00::1]:5000/x:1", "x:1" },
		{ "a/b:1", "a/b:1" },
	};

	(void)state;
	CASES (c, cases)
		assert_string_equal(archive_bare_name((*c)[0]), (*c)[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_that_an_archive_bears),
		cmocka_unit_test(test_the_registry_of_a_name_is_taken_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
