/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "cluster/model.h"
#include "image/args.h"
#include "image/build.h"
#include "image/cloud.h"
#include "image/release.h"
#include "tests/image/scratch.h"

/* sha256sum of "base" */
#define BASE "cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2"

static void test_an_image_must_be_what_the_file_says(void **state)
{
	static const struct {
		enum model_distribution distribution;
		const char *release;
		struct cloud_facts facts;
		const char *says; /* NULL: it is that */
	} cases[] = {
		{ MODEL_DEBIAN, "bookworm", { "debian", "x86_64", 12, 0 }, NULL },
		{ MODEL_DEBIAN, "12", { "debian", "x86_64", 12, 7 }, NULL },
		{ MODEL_UBUNTU, "noble", { "ubuntu", "x86_64", 24, 4 }, NULL },
		{ MODEL_DEBIAN,
		  "trixie",
		  { "debian", "x86_64", 12, 0 },
		  "it holds debian 12; the file wants debian 13 (trixie)" },
		{ MODEL_UBUNTU,
		  "noble",
		  { "ubuntu", "x86_64", 24, 10 },
		  "it holds ubuntu 24.10; the file wants ubuntu 24.04 (noble)" },
		{ MODEL_UBUNTU,
		  "noble",
		  { "debian", "x86_64", 12, 0 },
		  "it holds debian 12; the file wants ubuntu 24.04 (noble)" },
		{ MODEL_UBUNTU,
		  "noble",
		  { "fedora", "x86_64", 40, 0 },
		  "it holds fedora 40; the file wants ubuntu 24.04 (noble)" },
		{ MODEL_UBUNTU,
		  "noble",
		  { "ubuntu", "aarch64", 24, 4 },
		  "it is for machines of aarch64, not of x86_64" },
	};

	(void)state;
	CASES (c, cases) {
		const struct release *release;
		struct fault why = { 0 };

		assert_int_equal(release_find(c->distribution, c->release, &release, &why), 0);
		assert_int_equal(cloud_judge(&c->facts, release, &why), c->says ? -EINVAL : 0);
		if (c->says)
			assert_string_equal(why.text, c->says);
	}
}

static void test_kernels_for_clouds_go_unless_they_are_wanted(void **state)
{
	static const char status[] =
		"Package: grub-cloud-amd64\nStatus: install ok installed\nVersion: 1\n\n"
		"Package: linux-image-6.1.0-1-amd64\nStatus: install ok installed\n\n"
		"Package: linux-image-6.1.0-1-cloud-amd64\nEssential: no\n"
		"Status: install ok installed\nDescription: x\n Status: none\n\n"
		"Package: linux-image-6.1.0-0-cloud-amd64\n"
		"Status: deinstall ok config-files\n\n"
		"Package: linux-image-cloud-amd64\nStatus: install ok installed\n\n"
		"Package: cloud-init\nStatus: install ok installed\n\n"
		"Package: cloud-initramfs-growroot\nStatus: install ok installed";
	struct args wanted = { 0 }, out = { 0 };

	(void)state;
	args_add(&wanted, "linux-image-amd64");
	args_add(&wanted, "linux-image-cloud-amd64");
	cloud_unwanted(status, &wanted, &out);
	assert_int_equal(out.n, 3);
	assert_string_equal(out.list[0], "grub-cloud-amd64");
	assert_string_equal(out.list[1], "linux-image-6.1.0-1-cloud-amd64");
	assert_string_equal(out.list[2], "cloud-initramfs-growroot");
	args_done(&wanted);
	args_done(&out);
	cloud_unwanted("", &wanted, &out);
	assert_int_equal(out.n, 0);
}

static void test_an_image_is_known_by_its_sum(void **state)
{
	static const struct {
		const char *image, *sum;
		int result;
		const char *says; /* the sum, or a part of the fault */
	} cases[] = {
		{ "base.img", NULL, 0, BASE },
		{ "base.img", BASE, 0, BASE },
		{ "base.img", "AB0F", -EBADMSG, "cluster.yaml:8: sha256: 'base.img' has " BASE },
		{ "none.img", NULL, -ENOENT, "cluster.yaml:7: cloudImage: " },
		{ "https://a/b", "AB0F", 0, "ab0f" },
	};
	struct scratch s = scratch_open();

	(void)state;
	scratch_write(&s, "base.img", 0644, "base");
	CASES (c, cases) {
		struct model m = { .file = (char *)(uintptr_t) "cluster.yaml",
				   .os = { .cloud_image = (char *)(uintptr_t)c->image,
					   .sha256 = (char *)(uintptr_t)c->sum } };
		struct build b = { .model = &m,
				   .folder_path = s.path,
				   .cache = { .fd = s.fd, .path = s.path } };
		char hex[DIGEST_LEN] = "";
		struct fault why = { 0 };

		m.mark.cloud_image.line = 7;
		m.mark.sha256.line = 8;
		assert_int_equal(cloud_sum(&b, hex, &why), c->result);
		if (c->result == 0)
			assert_string_equal(hex, c->says);
		else if (strncmp(why.text, c->says, strlen(c->says)) != 0)
			fail_msg("%s", why.text);
	}
	scratch_close(&s);
}

static void test_settings_of_apt_come_back_and_cloud_init_is_off(void **state)
{
	static const struct {
		const char *path, *text;
	} files[] = {
		{ "etc/apt/apt.conf.d/20hooks", "hooks" },
		{ "etc/apt/apt.conf.d/50both", "of today" },
		{ "etc/apt/apt.conf.d/99mmdebstrap", "options" },
		{ "etc/cloud/cloud-init.disabled", "" },
		{ "etc/cloud/cloud.cfg.d/99-rackseed.cfg",
		  "# Written by rackseed.\nnetwork: {config: disabled}\n" },
	};
	struct scratch s = scratch_open();
	const struct args none = { 0 };
	struct fault why = { 0 };

	(void)state;
	scratch_write(&s, "etc/apt/rackseed-aside/20hooks", 0644, "hooks");
	scratch_write(&s, "etc/apt/rackseed-aside/50both", 0644, "of yesterday");
	scratch_write(&s, "etc/apt/apt.conf.d/50both", 0644, "of today");
	scratch_write(&s, "etc/apt/apt.conf.d/99mmdebstrap", 0644, "options");
	scratch_write(&s, "etc/cloud/cloud.cfg.d/05_logging.cfg", 0644, "x");
	scratch_write(&s, "boot/vmlinuz", 0644, "x");
	if (cloud_settle(s.path, &none, &why) < 0)
		fail_msg("%s", why.text);
	CASES (c, files) {
		struct text got = scratch_read(&s, c->path);

		assert_string_equal(text_str(&got), c->text);
		text_done(&got);
	}
	assert_int_equal(faccessat(s.fd, "etc/apt/rackseed-aside", F_OK, 0), -1);
	scratch_close(&s);
}

/* A shell in a scratch root, which stands in for linux-version: it knows two kernels. */
static void put_kernels(const struct scratch *s)
{
	static const char *const copies[][2] = {
		{ "/bin/dash", "bin/sh" },
		{ "/lib64/ld-linux-x86-64.so.2", "lib64/ld-linux-x86-64.so.2" },
		{ "/lib/x86_64-linux-gnu/libc.so.6", "lib64/libc.so.6" },
	};

	CASES (c, copies) {
		struct text data = { 0 };
		struct fault why = { 0 };

		assert_int_equal(fs_read(AT_FDCWD, (*c)[0], 16 << 20, &data, &why), 0);
		assert_true(fs_write(s->fd, (*c)[1], 0755, data.data, data.len, &why) >= 0);
		text_done(&data);
	}
	assert_int_equal(symlinkat("lib64", s->fd, "lib"), 0);
	assert_int_equal(mkdirat(s->fd, "proc", 0755), 0);
	scratch_write(s, "bin/linux-version", 0755,
		      "#!/bin/sh\n"
		      "[ $1 = list ] && echo 6.1.0-9-amd64 && echo 6.1.0-10-amd64 && exit\n"
		      "[ \"$*\" = 'sort --reverse 6.1.0-9-amd64 6.1.0-10-amd64' ] || exit 1\n"
		      "echo 6.1.0-10-amd64; echo 6.1.0-9-amd64\n");
}

static void test_the_newest_kernel_starts_where_no_other_was_installed(void **state)
{
	static const struct {
		const char *before, *after; /* where the link leads to */
	} cases[] = {
		{ NULL, "vmlinuz-6.1.0-10-amd64" },
		{ "vmlinuz-6.1.0-9-amd64", "vmlinuz-6.1.0-9-amd64" },
	};

	(void)state;
	if (geteuid() != 0)
		skip();
	CASES (c, cases) {
		struct scratch s = scratch_open();
		const struct args none = { 0 };
		struct fault why = { 0 };
		char link[64] = "";

		put_kernels(&s);
		scratch_write(&s, "boot/vmlinuz-6.1.0-9-amd64", 0644, "x");
		scratch_write(&s, "boot/vmlinuz-6.1.0-10-amd64", 0644, "x");
		if (c->before)
			assert_int_equal(symlinkat(c->before, s.fd, "boot/vmlinuz"), 0);
		if (cloud_settle(s.path, &none, &why) < 0)
			fail_msg("%s", why.text);
		assert_true(readlinkat(s.fd, "boot/vmlinuz", link, sizeof(link) - 1) > 0);
		assert_string_equal(link, c->after);
		scratch_close(&s);
	}
}

static void test_an_image_without_cloud_init_gets_none_of_its_files(void **state)
{
	struct scratch s = scratch_open();
	const struct args none = { 0 };
	struct fault why = { 0 };

	(void)state;
	scratch_write(&s, "etc/apt/apt.conf.d/99mmdebstrap", 0644, "options");
	scratch_write(&s, "boot/vmlinuz", 0644, "x");
	assert_int_equal(cloud_settle(s.path, &none, &why), 0);
	assert_int_equal(faccessat(s.fd, "etc/cloud", F_OK, 0), -1);
	scratch_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_image_must_be_what_the_file_says),
		cmocka_unit_test(test_kernels_for_clouds_go_unless_they_are_wanted),
		cmocka_unit_test(test_an_image_is_known_by_its_sum),
		cmocka_unit_test(test_settings_of_apt_come_back_and_cloud_init_is_off),
		cmocka_unit_test(test_the_newest_kernel_starts_where_no_other_was_installed),
		cmocka_unit_test(test_an_image_without_cloud_init_gets_none_of_its_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
