/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "image/args.h"
#include "image/release.h"

static const struct release *find(enum model_distribution distribution, const char *name)
{
	const struct release *release = NULL;
	struct fault why = { 0 };

	assert_int_equal(release_find(distribution, name, &release, &why), 0);
	return release;
}

static void compare(const char *golden, const struct args *args)
{
	struct text out = { 0 };
	size_t i;

	for (i = 0; i < args->n; i++)
		text_addf(&out, "%s\n", args->list[i]);
	assert_golden(golden, text_str(&out));
	text_done(&out);
}

static void test_finds_releases_by_name_and_number(void **state)
{
	const struct release *release = NULL;
	struct fault why = { 0 };

	(void)state;
	assert_ptr_equal(find(MODEL_DEBIAN, "12"), find(MODEL_DEBIAN, "bookworm"));
	assert_ptr_equal(find(MODEL_UBUNTU, "24.04"), find(MODEL_UBUNTU, "noble"));
	assert_int_equal(release_find(MODEL_DEBIAN, "noble", &release, &why), -EINVAL);
	assert_null(release);
	assert_string_equal(why.text, "os: release 'noble' of debian is not known; known are: "
				      "bookworm, trixie");
}

static void test_chooses_packages_by_release_and_use(void **state)
{
	static const struct {
		enum model_distribution distribution;
		const char *release;
		unsigned uses;
		const char *golden;
	} cases[] = {
		{ MODEL_DEBIAN, "bookworm", RELEASE_KUBERNETES, "image/packages-bookworm" },
		{ MODEL_DEBIAN, "trixie", RELEASE_KUBERNETES, "image/packages-trixie" },
		{ MODEL_UBUNTU, "jammy", RELEASE_KUBERNETES, "image/packages-jammy" },
		{ MODEL_UBUNTU, "noble", RELEASE_KUBERNETES, "image/packages-noble" },
		{ MODEL_UBUNTU, "resolute", RELEASE_STORAGE, "image/packages-resolute-storage" },
	};

	(void)state;
	CASES (c, cases) {
		struct args args = { 0 };

		release_packages(find(c->distribution, c->release), c->uses, &args);
		compare(c->golden, &args);
		args_done(&args);
	}
}

/* Of each vendor on each release, as the document wants it, and what of it is held. */
static void test_gpus_get_what_drives_them(void **state)
{
	static const struct {
		enum model_distribution distribution;
		const char *release;
	} releases[] = { { MODEL_DEBIAN, "bookworm" },
			 { MODEL_DEBIAN, "trixie" },
			 { MODEL_UBUNTU, "jammy" },
			 { MODEL_UBUNTU, "noble" },
			 { MODEL_UBUNTU, "resolute" } };
	static const struct {
		const char *name;
		unsigned uses;
		struct model_gpus said;
	} cases[] = {
		{ "none", 0, { 0 } },
		{ "nvidia", RELEASE_NVIDIA, { 0 } },
		{ "nvidia as said",
		  RELEASE_NVIDIA,
		  { .driver = (char *)"535",
		    .modules = MODEL_GPU_PROPRIETARY,
		    .fabric_manager = true } },
		{ "amd", RELEASE_AMD, { 0 } },
		{ "intel", RELEASE_INTEL, { 0 } },
	};
	struct text out = { 0 };

	(void)state;
	CASES (r, releases) {
		const struct release *release = find(r->distribution, r->release);

		CASES (c, cases) {
			const struct model m = { .gpus = { [MODEL_GPU_NVIDIA] = c->said } };
			struct args wanted = { 0 }, held = { 0 };

			release_gpus(release, c->uses, &m, &wanted);
			release_gpus_held(release, c->uses, &m, &held);
			text_addf(&out, "%s, %s: %s\n", r->release, c->name,
				  release_components(release, c->uses));
			for (size_t i = 0; i < wanted.n; i++)
				text_addf(&out, "  %s\n", wanted.list[i]);
			for (size_t i = 0; i < held.n; i++)
				text_addf(&out, "  held: %s\n", held.list[i]);
			args_done(&wanted);
			args_done(&held);
		}
	}
	assert_golden("image/packages-gpus", text_str(&out));
	text_done(&out);
}

/* No image has room for two drivers, and servers need none. */
static void test_each_vendor_is_a_use_of_kubernetes_nodes(void **state)
{
	static const unsigned uses[MODEL_N_GPUS] = { [MODEL_GPU_NVIDIA] = RELEASE_NVIDIA,
						     [MODEL_GPU_AMD] = RELEASE_AMD,
						     [MODEL_GPU_INTEL] = RELEASE_INTEL };
	int gpu;

	(void)state;
	for (gpu = 0; gpu < MODEL_N_GPUS; gpu++) {
		struct model_node node = { .roles = MODEL_WORKER, .gpu = (enum model_gpu)gpu };

		assert_int_equal(release_uses(&node), RELEASE_KUBERNETES | uses[gpu]);
		assert_true(release_uses(&node) < RELEASE_N_USES);
		node.roles = MODEL_STORAGE;
		assert_int_equal(release_uses(&node), RELEASE_STORAGE);
	}
}

static void test_asks_for_exact_versions_or_the_newest_of_a_minor(void **state)
{
	struct args args = { 0 };

	(void)state;
	release_kubernetes(&(struct model_version){ 1, 36, 2 }, &args);
	release_kubernetes(&(struct model_version){ 1, 20, -1 }, &args);
	assert_int_equal(args.n, 6);
	assert_string_equal(args.list[0], "kubeadm=1.36.2-*");
	assert_string_equal(args.list[4], "kubelet=1.20.*");
	args_done(&args);
}

static void test_knows_where_mirrors_keep_security_fixes(void **state)
{
	struct args args = { 0 };

	(void)state;
	release_mirror(find(MODEL_DEBIAN, "bookworm"), "main non-free-firmware",
		       "http://mirror.example/debian/", &args);
	release_mirror(find(MODEL_DEBIAN, "bookworm"), "main non-free-firmware",
		       "http://mirror.example/other", &args);
	release_mirror(find(MODEL_UBUNTU, "noble"), "main restricted universe",
		       "http://mirror.example/ubuntu", &args);
	release_mirror(find(MODEL_UBUNTU, "noble"), "main restricted universe",
		       "deb [trusted=yes] copy:/srv/x noble main", &args);
	compare("image/mirrors", &args);
	args_done(&args);
}

static void test_kubernetes_nodes_share_a_use(void **state)
{
	(void)state;
	assert_int_equal(release_uses(&(struct model_node){ .roles = MODEL_WORKER }),
			 release_uses(&(struct model_node){ .roles = MODEL_CONTROL_PLANE }));
	assert_int_equal(release_uses(&(struct model_node){ .roles = MODEL_STORAGE }),
			 RELEASE_STORAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_releases_by_name_and_number),
		cmocka_unit_test(test_chooses_packages_by_release_and_use),
		cmocka_unit_test(test_gpus_get_what_drives_them),
		cmocka_unit_test(test_each_vendor_is_a_use_of_kubernetes_nodes),
		cmocka_unit_test(test_asks_for_exact_versions_or_the_newest_of_a_minor),
		cmocka_unit_test(test_knows_where_mirrors_keep_security_fixes),
		cmocka_unit_test(test_kubernetes_nodes_share_a_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
