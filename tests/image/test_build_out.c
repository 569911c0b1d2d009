/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <time.h>

#include "base/run.h"
#include "cluster/model.h"
#include "cluster/pki.h"
#include "image/build.h"
#include "image/build_out.h"
#include "image/golden.h"
#include "tests/image/scratch.h"

/* What a build says of its folder, with sha256sum(1) and openssl(1) to check it. */

struct setting {
	struct scratch s;
	struct model model;
	struct build build;
	struct build_out out;
};

static void make_secrets(struct setting *t)
{
	struct text report = { 0 };
	struct fault why = { 0 };
	int secrets;

	assert_true(mkdirat(t->s.fd, "secrets", 0700) == 0 || errno == EEXIST);
	secrets = openat(t->s.fd, "secrets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pki_create(&t->model, secrets, (int64_t)time(NULL), &report, &why) < 0)
		fail_msg("%s", why.text);
	close(secrets);
	text_done(&report);
}

/* The next build of the same folder. */
static void reopen(struct setting *t)
{
	struct fault why = { 0 };

	build_out_done(&t->out);
	if (build_out_open(&t->out, &t->build, NULL, &why) < 0 ||
	    build_out_read(&t->out, &t->build, &why) < 0)
		fail_msg("%s", why.text);
}

static void save(struct setting *t)
{
	struct fault why = { 0 };

	if (build_out_save(&t->out, &t->build, &why) < 0)
		fail_msg("%s", why.text);
}

static void add(struct setting *t, const char *name)
{
	struct fault why = { 0 };

	if (sums_add_file(&t->out.sums, t->out.fd, name, NULL, &why) < 0)
		fail_msg("%s", why.text);
}

static void set_up(struct setting *t, bool with_key)
{
	*t = (struct setting){ .s = scratch_open(),
			       .model = { .name = (char *)(uintptr_t) "lab" },
			       .out = BUILD_OUT_EMPTY };
	t->build = (struct build){ .model = &t->model,
				   .folder = t->s.fd,
				   .folder_path = t->s.path };
	progress_init(&t->build.progress, true);
	if (with_key)
		make_secrets(t);
	scratch_write(&t->s, "out/w1.qcow2", 0600, "a disk\n");
	reopen(t);
	add(t, "w1.qcow2");
	save(t);
}

static void tear_down(struct setting *t)
{
	build_out_done(&t->out);
	scratch_close(&t->s);
}

static int tool(const struct setting *t, const char *const *argv)
{
	struct text out = { 0 };
	struct fault why = { 0 };
	char path[256];
	int r = run(&(struct run){ .argv = argv,
				   .out = &out,
				   .dir = scratch_path(&t->s, "out", path) },
		    &why);

	text_done(&out);
	return r;
}

static int sha256sum(const struct setting *t)
{
	return tool(t, (const char *[]){ "sha256sum", "-c", "--strict", "--quiet", SUMS_NAME,
					 NULL });
}

static int openssl(const struct setting *t)
{
	return tool(t, (const char *[]){ "openssl", "pkeyutl", "-verify", "-pubin", "-inkey",
					 "../secrets/signing.pub", "-rawin", "-in", SUMS_NAME,
					 "-sigfile", SUMS_SIGNATURE, NULL });
}

static bool is_there(const struct setting *t, const char *path)
{
	return faccessat(t->s.fd, path, F_OK, 0) == 0;
}

static void test_the_tools_of_others_check_them(void **state)
{
	struct setting t;

	(void)state;
	set_up(&t, true);
	assert_int_equal(sha256sum(&t), 0);
	assert_int_equal(openssl(&t), 0);
	assert_non_null(sums_find(&t.out.sums, "build.json"));
	assert_false(is_there(&t, "out/.unfinished-SHA256SUMS.sig"));
	scratch_write(&t.s, "out/w1.qcow2", 0600, "another\n");
	assert_true(sha256sum(&t) < 0);
	scratch_write(&t.s, "out/SHA256SUMS", 0644, "");
	assert_true(openssl(&t) < 0);
	tear_down(&t);
}

static void test_the_same_is_not_written_again(void **state)
{
	static const char *const names[] = { "out/SHA256SUMS", "out/SHA256SUMS.sig",
					     "out/build.json", "out" };
	struct stat before[4], after;
	struct setting t;
	size_t i;

	(void)state;
	set_up(&t, true);
	for (i = 0; i < 4; i++)
		assert_int_equal(fstatat(t.s.fd, names[i], &before[i], 0), 0);
	reopen(&t);
	save(&t);
	for (i = 0; i < 4; i++) {
		assert_int_equal(fstatat(t.s.fd, names[i], &after, 0), 0);
		assert_int_equal(after.st_ino, before[i].st_ino);
		assert_memory_equal(&after.st_ctim, &before[i].st_ctim, sizeof(after.st_ctim));
	}
	tear_down(&t);
}

static void test_a_disk_that_changed_since_is_not_vouched_for(void **state)
{
	struct setting t;
	struct text before, after;

	(void)state;
	set_up(&t, true);
	before = scratch_read(&t.s, "out/SHA256SUMS");
	scratch_write(&t.s, "out/w1.qcow2", 0600, "a machine ran from it\n");
	reopen(&t);
	save(&t);
	after = scratch_read(&t.s, "out/SHA256SUMS");
	assert_string_equal(text_str(&before), text_str(&after));
	assert_true(sha256sum(&t) < 0);
	add(&t, "w1.qcow2"); /* made anew */
	save(&t);
	assert_int_equal(sha256sum(&t), 0);
	assert_int_equal(openssl(&t), 0);
	text_done(&before);
	text_done(&after);
	tear_down(&t);
}

/* How somebody lays hands on the folder; no line of it is believed then. */
static void change_sums(struct setting *t)
{
	scratch_write(&t->s, "out/SHA256SUMS", 0644,
		      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  "
		      "w1.qcow2\n");
}

static void remove_signature(struct setting *t)
{
	assert_int_equal(unlinkat(t->s.fd, "out/SHA256SUMS.sig", 0), 0);
}

static void damage_sums(struct setting *t)
{
	scratch_write(&t->s, "out/SHA256SUMS", 0644, "what is this\n");
}

static void take_another_key(struct setting *t)
{
	assert_int_equal(unlinkat(t->s.fd, "secrets/signing.key", 0), 0);
	assert_int_equal(unlinkat(t->s.fd, "secrets/signing.pub", 0), 0);
	make_secrets(t);
}

static void test_only_what_the_key_signed_is_believed(void **state)
{
	static void (*const hands[])(struct setting *) = { change_sums, remove_signature,
							   damage_sums, take_another_key };

	(void)state;
	CASES (hand, hands) {
		struct setting t;

		set_up(&t, true);
		(*hand)(&t);
		reopen(&t);
		assert_null(sums_find(&t.out.sums, "w1.qcow2"));
		save(&t);
		assert_int_equal(openssl(&t), 0);
		assert_int_equal(sha256sum(&t), 0);
		tear_down(&t);
	}
}

static void test_a_cut_between_sums_and_signature_loses_nothing(void **state)
{
	struct setting t;

	(void)state;
	set_up(&t, true);
	assert_int_equal(renameat(t.s.fd, "out/SHA256SUMS.sig", t.s.fd,
				  "out/.unfinished-SHA256SUMS.sig"),
			 0);
	scratch_write(&t.s, "out/SHA256SUMS.sig", 0644, "of the sums before");
	reopen(&t);
	assert_non_null(sums_find(&t.out.sums, "w1.qcow2"));
	save(&t);
	assert_int_equal(openssl(&t), 0);
	assert_false(is_there(&t, "out/.unfinished-SHA256SUMS.sig"));
	tear_down(&t);
}

static void test_without_a_key_there_is_no_signature(void **state)
{
	struct setting t;

	(void)state;
	set_up(&t, false);
	assert_false(is_there(&t, "out/SHA256SUMS.sig"));
	assert_int_equal(sha256sum(&t), 0);
	scratch_write(&t.s, "out/SHA256SUMS.sig", 0644, "somebody's");
	reopen(&t);
	assert_non_null(sums_find(&t.out.sums, "w1.qcow2"));
	save(&t);
	assert_false(is_there(&t, "out/SHA256SUMS.sig"));
	tear_down(&t);
}

static void test_a_key_that_is_named_must_be_there(void **state)
{
	struct fault why = { 0 };
	struct setting t;

	(void)state;
	set_up(&t, true);
	t.model.signing.key_file = (char *)(uintptr_t) "secrets/ours.key";
	build_out_done(&t.out);
	assert_int_equal(build_out_open(&t.out, &t.build, NULL, &why), 0);
	assert_int_equal(build_out_read(&t.out, &t.build, &why), -ENOENT);
	assert_non_null(strstr(why.text, "secrets/ours.key"));
	tear_down(&t);
}

static void test_a_file_that_is_gone_has_no_line(void **state)
{
	struct setting t;

	(void)state;
	set_up(&t, true);
	assert_int_equal(unlinkat(t.s.fd, "out/w1.qcow2", 0), 0);
	reopen(&t);
	save(&t);
	assert_null(sums_find(&t.out.sums, "w1.qcow2"));
	assert_int_equal(sha256sum(&t), 0);
	tear_down(&t);
}

static void test_the_golden_disk_is_summed_once_and_as_it_was_made(void **state)
{
	struct golden golden = { 0 };
	struct fault why = { 0 };
	struct setting t;

	(void)state;
	set_up(&t, true);
	scratch_write(&t.s, "golden-0.raw", 0644, "made\n");
	text_addf(&golden.path, "%s/golden-0.raw", t.s.path);
	assert_int_equal(build_out_add_golden(&t.out, &t.build, &golden, &why), 0);
	assert_null(sums_find(&t.out.sums, "golden-0.raw")); /* raw disks need none beside them */
	scratch_write(&t.s, "out/golden-0.raw", 0644, "lies there\n");
	assert_int_equal(build_out_add_golden(&t.out, &t.build, &golden, &why), 0);
	save(&t);
	assert_true(sha256sum(&t) < 0);
	scratch_write(&t.s, "out/golden-0.raw", 0644, "made\n");
	assert_int_equal(sha256sum(&t), 0);
	assert_int_equal(unlinkat(t.s.fd, "golden-0.raw", 0), 0);
	reopen(&t);
	assert_int_equal(build_out_add_golden(&t.out, &t.build, &golden, &why), 0);
	golden_done(&golden);
	tear_down(&t);
}

static void test_a_folder_stays_when_it_was_there_or_has_something(void **state)
{
	static const struct {
		const char *name;
		bool was_there, is_filled, stays;
	} cases[] = {
		{ "new", false, false, false },
		{ "filled", false, true, true },
		{ "older", true, false, true },
	};

	(void)state;
	CASES (c, cases) {
		struct fault why = { 0 };
		struct setting t;
		char path[256];

		set_up(&t, false);
		build_out_done(&t.out);
		if (c->was_there)
			assert_int_equal(mkdirat(t.s.fd, c->name, 0755), 0);
		assert_int_equal(build_out_open(&t.out, &t.build,
						scratch_path(&t.s, c->name, path), &why),
				 0);
		assert_true(is_there(&t, c->name));
		if (c->is_filled)
			assert_int_equal(mkdirat(t.out.fd, "disk", 0755), 0);
		build_out_done(&t.out);
		assert_int_equal(is_there(&t, c->name), c->stays);
		tear_down(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_tools_of_others_check_them),
		cmocka_unit_test(test_the_same_is_not_written_again),
		cmocka_unit_test(test_a_disk_that_changed_since_is_not_vouched_for),
		cmocka_unit_test(test_only_what_the_key_signed_is_believed),
		cmocka_unit_test(test_a_cut_between_sums_and_signature_loses_nothing),
		cmocka_unit_test(test_without_a_key_there_is_no_signature),
		cmocka_unit_test(test_a_key_that_is_named_must_be_there),
		cmocka_unit_test(test_a_file_that_is_gone_has_no_line),
		cmocka_unit_test(test_the_golden_disk_is_summed_once_and_as_it_was_made),
		cmocka_unit_test(test_a_folder_stays_when_it_was_there_or_has_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
