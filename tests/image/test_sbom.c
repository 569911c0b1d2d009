/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "image/sbom.h"

static const struct sbom sample = {
	.name = "golden-0123.raw",
	.key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	.distribution = "debian",
	.release = "bookworm",
	.packages = "libstdc++6\t12.2.0-14\tamd64\tgcc-12\t12.2.0-14\n"
		    "systemd\t1:252.1~rc1+b1\tamd64\tsystemd\t252.1~rc1\n",
	.images = "aa.tar registry.k8s.io/pause:3.9\n",
	.epoch = 1767225600,
};

static void test_packages_and_container_images_are_listed(void **state)
{
	struct fault why = { 0 };
	struct text out = { 0 };

	(void)state;
	assert_int_equal(sbom_render(&sample, &out, &why), 0);
	assert_golden("image/sbom.spdx.json", text_str(&out));
	text_done(&out);
}

static void test_what_dpkg_did_not_print_is_refused(void **state)
{
	static const char *const lists[] = {
		"",
		"systemd\n",
		"systemd\t1\tamd64\tsystemd\n",
		"systemd\t1\tamd64\tsystemd\t1\tmore\n",
		"systemd\t\tamd64\tsystemd\t1\n",
		"\n",
	};
	struct sbom broken = sample;

	(void)state;
	CASES (list, lists) {
		struct fault why = { 0 };
		struct text out = { 0 };

		broken.packages = *list;
		assert_int_equal(sbom_render(&broken, &out, &why), -EBADMSG);
		text_done(&out);
	}
}

static void test_an_index_without_names_is_refused(void **state)
{
	static const char *const lists[] = { "aa.tar\n", "aa.tar \n", "\n" };
	struct sbom broken = sample;

	(void)state;
	CASES (list, lists) {
		struct fault why = { 0 };
		struct text out = { 0 };

		broken.images = *list;
		assert_int_equal(sbom_render(&broken, &out, &why), -EBADMSG);
		text_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packages_and_container_images_are_listed),
		cmocka_unit_test(test_what_dpkg_did_not_print_is_refused),
		cmocka_unit_test(test_an_index_without_names_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
