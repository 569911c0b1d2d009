/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <unistd.h>

#include "cluster/model.h"
#include "image/build.h"
#include "image/release.h"
#include "image/rootfs.h"
#include "tests/image/scratch.h"

static void test_follows_mmdebstrap_by_its_words(void **state)
{
	static const struct {
		const char *line;
		unsigned permille;
	} cases[] = {
		{ "I: running apt-get update...", 10 },
		{ "I: installing remaining packages inside the chroot...", 250 },
		{ "I: done", 930 },
		{ "I: something new", 0 },
		{ "", 0 },
	};

	(void)state;
	CASES (c, cases) {
		assert_int_equal(rootfs_permille(c->line), c->permille);
	}
}

static void test_knows_a_remedy_for_what_goes_wrong(void **state)
{
	static const struct {
		const char *line, *part;
	} cases[] = {
		{ "E: Unable to locate package kubeadm", "os.sources" },
		{ "E: Version '1.36.*' for 'kubeadm' was not found", "no such version" },
		{ "E: Unable to locate package nvidia-container-toolkit", "os.sources" },
		{ "E: Unable to locate package vimm", "os.packages" },
		{ "W: GPG error: x: NO_PUBKEY 648ACFD622F3D138", "keyring" },
		{ "The repository 'http://a noble InRelease' is not signed.", "ubuntu-keyring" },
		{ "The repository 'http://a nobel Release' does not have a Release file.",
		  "os.release" },
	};

	(void)state;
	CASES (c, cases) {
		assert_non_null(strstr(rootfs_remedy(c->line), c->part));
	}
	assert_null(rootfs_remedy("E: the sky is falling"));
}

/* A stand-in for mmdebstrap on PATH, and a build that would call it. */
struct setting {
	struct scratch s;
	char *packages[2];
	struct model model;
	struct build build;
	char *path; /* PATH as it was */
};

static const char good[] =
	"#!/bin/sh\n"
	"printf '%s\\n' \"$@\" >\"$TEST_FOLDER/arguments\"\n"
	"echo run >>\"$TEST_FOLDER/runs\"\n"
	"for a in \"$@\"; do case $a in */unfinished-root) root=$a;; esac; done\n"
	"mkdir -p \"$root/boot\" \"$root/proc\" \"$root/usr/bin\" \"$root/lib64\" && cd \"$root\"\n"
	"ln -s usr/bin bin; ln -s lib64 lib\n"
	"cp /bin/dash bin/sh; cp /lib64/ld-linux-x86-64.so.2 lib64/\n"
	"cp /lib/*-linux-gnu/libc.so.6 lib64/\n"
	"printf '#!/bin/sh\\necho \"$@\" >>/in-root\\n' >bin/env; chmod +x bin/env\n"
	"cd boot; : >vmlinuz-1; : >vmlinuz-2; : >initrd.img-1; ln -s vmlinuz-2 vmlinuz\n";
static const char bad[] =
	"#!/bin/sh\n"
	"for a in \"$@\"; do case $a in */unfinished-root) mkdir \"$a\";; "
	"esac; done\n"
	"echo 'I: running apt-get update...' >&2\n"
	"echo 'E: Unable to locate package kubeadm' >&2\n"
	"echo 'E: mmdebstrap failed to run' >&2\nexit 25\n";

static void set_up(struct setting *t, const char *script)
{
	struct fault why = { 0 };
	struct text path = { 0 };

	*t = (struct setting){ .s = scratch_open() };
	scratch_write(&t->s, "bin/mmdebstrap", 0755, script);
	t->path = strdup(getenv("PATH"));
	text_addf(&path, "%s/bin:%s", t->s.path, t->path);
	setenv("PATH", text_str(&path), 1);
	setenv("TEST_FOLDER", t->s.path, 1);
	text_done(&path);
	t->packages[0] = (char *)(uintptr_t) "vim";
	t->model.os.packages = t->packages;
	t->model.os.mirror = (char *)(uintptr_t) "http://mirror.example/debian";
	t->build = (struct build){ .model = &t->model,
				   .folder_path = t->s.path,
				   .cache = { .fd = t->s.fd, .path = t->s.path },
				   .epoch = 1767225600 };
	progress_init(&t->build.progress, true);
	assert_int_equal(release_find(MODEL_DEBIAN, "bookworm", &t->build.release, &why), 0);
}

static void tear_down(struct setting *t)
{
	setenv("PATH", t->path, 1);
	free(t->path);
	scratch_close(&t->s);
}

static void test_makes_a_root_once_and_finds_it_again(void **state)
{
	struct rootfs first = { 0 }, second = { 0 }, other = { 0 };
	struct fault why = { 0 };
	struct text runs, arguments;
	struct setting t;

	(void)state;
	if (geteuid() != 0)
		skip();
	set_up(&t, good);
	if (rootfs_get(&t.build, 0, &first, &why) < 0)
		fail_msg("%s", why.text);
	assert_int_equal(rootfs_get(&t.build, 0, &second, &why), 0);
	assert_string_equal(text_str(&first.path), text_str(&second.path));
	assert_true(first.unpacked);
	assert_false(second.unpacked);
	runs = scratch_read(&t.s, "runs");
	assert_string_equal(text_str(&runs), "run\n");
	arguments = scratch_read(&t.s, "arguments");
	assert_non_null(strstr(text_str(&arguments), "\n--include=linux-image-amd64\n"));
	assert_non_null(strstr(text_str(&arguments),
			       "\n--keyring=/usr/share/keyrings/debian-archive-keyring.gpg\n"));
	assert_non_null(strstr(text_str(&arguments), "\n--include=vim\nbookworm\n"));
	assert_null(strstr(text_str(&arguments), "kubeadm"));
	t.packages[0] = (char *)(uintptr_t) "emacs";
	assert_int_equal(rootfs_get(&t.build, 0, &other, &why), 0);
	assert_string_not_equal(first.key, other.key);
	text_done(&runs);
	text_done(&arguments);
	rootfs_done(&first);
	rootfs_done(&second);
	rootfs_done(&other);
	tear_down(&t);
}

static void test_each_kernel_gets_an_initrd_once(void **state)
{
	struct rootfs rootfs = { 0 };
	struct fault why = { 0 };
	struct text ran;
	struct setting t;
	char link[64] = "";

	(void)state;
	if (geteuid() != 0)
		skip();
	set_up(&t, good);
	if (rootfs_get(&t.build, 0, &rootfs, &why) < 0)
		fail_msg("%s", why.text);
	ran = scratch_read(&t.s, "unfinished-root/in-root");
	assert_string_equal(text_str(&ran),
			    "SOURCE_DATE_EPOCH=1767225600 update-initramfs -c -k 2\n");
	assert_true(readlinkat(t.s.fd, "unfinished-root/boot/initrd.img", link,
			       sizeof(link) - 1) > 0);
	assert_string_equal(link, "initrd.img-2");
	text_done(&ran);
	rootfs_done(&rootfs);
	tear_down(&t);
}

static void test_a_failed_root_is_explained_and_not_kept(void **state)
{
	struct rootfs rootfs = { 0 };
	struct fault why = { 0 };
	struct setting t;

	(void)state;
	if (geteuid() != 0)
		skip();
	set_up(&t, bad);
	assert_int_equal(rootfs_get(&t.build, 0, &rootfs, &why), -EREMOTEIO);
	assert_string_equal(why.text, "root file system: mmdebstrap: Unable to locate package "
				      "kubeadm (name their source under os.sources)");
	scratch_write(&t.s, "bin/mmdebstrap", 0755, good);
	if (rootfs_get(&t.build, 0, &rootfs, &why) < 0)
		fail_msg("%s", why.text);
	rootfs_done(&rootfs);
	tear_down(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows_mmdebstrap_by_its_words),
		cmocka_unit_test(test_knows_a_remedy_for_what_goes_wrong),
		cmocka_unit_test(test_makes_a_root_once_and_finds_it_again),
		cmocka_unit_test(test_each_kernel_gets_an_initrd_once),
		cmocka_unit_test(test_a_failed_root_is_explained_and_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
