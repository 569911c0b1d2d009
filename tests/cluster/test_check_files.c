/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"

#define LONG_63 "123456789012345678901234567890123456789012345678901234567890123"
#define LONG_64 LONG_63 "4"

/* A folder of its own for each test. */
struct place {
	char path[64];
	int fd;
};

static void place_done(struct place *p)
{
	struct fault why = { 0 };

	drop_fd(&p->fd);
	assert_true(fs_remove_tree(AT_FDCWD, p->path, &why) >= 0);
}

static struct place make_place(void)
{
	struct place p = { .path = "/tmp/rackseed-test-XXXXXX" };

	assert_non_null(mkdtemp(p.path));
	p.fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p.fd >= 0);
	return p;
}

static void put(const struct place *p, const char *path, mode_t mode, const char *text)
{
	struct fault why = { 0 };

	if (fs_write(p->fd, path, mode, text, strlen(text), &why) < 0)
		fail_msg("%s", why.text);
}

static const char document[] =
	"apiVersion: rackseed/v1\n"
	"cluster: {name: a, kubernetes: {version: 1.20.2}}\n"
	"os: {distribution: debian, release: bookworm, sources: [./debs], cloudImage: base.img}\n"
	"network: {subnet: 10.0.0.0/24}\n"
	"images: [./app.tar, docker.io/library/busybox:1.36]\n"
	"registries: {m:5000: {node: m, user: u, passwordFile: secrets/registry}}\n"
	"shares: {s: {server: //nas/x, mount: /mnt/x, user: u, passwordFile: secrets/nas}}\n"
	"nodes:\n"
	"  m: {role: [control-plane, registry], address: 10.0.0.2, mac: 52:54:00:00:00:02}\n";

static void check_document(const struct place *p, const char *yaml, struct text *out)
{
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	struct fault why = { 0 };
	size_t i;

	text_done(out);
	if (document_parse("cluster.yaml", yaml, strlen(yaml), &m, &c, &why) < 0)
		fail_msg("%s", why.text);
	document_check(&m, &c);
	assert_int_equal(c.n, 0);
	document_check_files(&m, p->fd, &c);
	complaints_sort(&c);
	for (i = 0; i < c.n; i++)
		text_addf(out, "%u:%s ", c.list[i].mark.line, c.list[i].code);
}

/* What is wrong with the files of the place: "LINE:CODE LINE:CODE ". */
static void check(const struct place *p, struct text *out)
{
	check_document(p, document, out);
}

static void put_all(const struct place *p)
{
	put(p, "debs/a_1_all.deb", 0644, "x");
	put(p, "base.img", 0644, "x");
	put(p, "app.tar", 0644, "x");
}

static void test_files_that_are_not_there(void **state)
{
	scoped(place_done) struct place p = make_place();
	scoped(text_done) struct text got = { 0 };

	(void)state;
	check(&p, &got);
	/* Passwords are made by `rackseed secrets`. */
	assert_string_equal(text_str(&got), "3:file-missing 3:file-missing 5:file-missing ");
	put_all(&p);
	check(&p, &got);
	assert_string_equal(text_str(&got), "");
}

static void test_a_source_must_be_a_folder_with_packages(void **state)
{
	scoped(place_done) struct place p = make_place();
	scoped(text_done) struct text got = { 0 };
	struct fault why = { 0 };

	(void)state;
	put_all(&p);
	assert_int_equal(fs_remove_tree(p.fd, "debs", &why), FS_CHANGED);
	put(&p, "debs", 0644, "x");
	check(&p, &got);
	assert_string_equal(text_str(&got), "3:file-missing ");
	assert_int_equal(fs_remove(p.fd, "debs", &why), FS_CHANGED);
	assert_int_equal(mkdirat(p.fd, "debs", 0755), 0);
	check(&p, &got);
	assert_string_equal(text_str(&got), "3:file-missing ");
}

static void test_secrets_must_be_private(void **state)
{
	static const struct {
		mode_t folder, file;
		const char *want;
	} cases[] = {
		{ 0700, 0600, "" },
		{ 0700, 0400, "" },
		{ 0700, 0640, "6:secret-readable " },
		{ 0700, 0604, "6:secret-readable " },
		{ 0700, 0602, "6:secret-readable " },
		{ 0755, 0600, "1:secret-readable " },
		{ 0750, 0644, "1:secret-readable 6:secret-readable " },
	};

	(void)state;
	CASES (c, cases) {
		scoped(place_done) struct place p = make_place();
		scoped(text_done) struct text got = { 0 };

		put_all(&p);
		put(&p, "secrets/registry", c->file, "password");
		assert_int_equal(fchmodat(p.fd, "secrets", c->folder, 0), 0);
		check(&p, &got);
		assert_string_equal(text_str(&got), c->want);
	}
}

static void test_keys_of_the_cluster_must_be_private(void **state)
{
	static const char *const keys[] = {
		"secrets/token",	  "secrets/signing.key", "secrets/admin.key",
		"secrets/pki/ca.key",	  "secrets/pki/sa.key",	 "secrets/pki/front-proxy-ca.key",
		"secrets/pki/etcd/ca.key"
	};

	(void)state;
	CASES (key, keys) {
		scoped(place_done) struct place p = make_place();
		scoped(text_done) struct text got = { 0 };

		put_all(&p);
		put(&p, *key, 0600, "x");
		assert_int_equal(fchmodat(p.fd, "secrets", 0700, 0), 0);
		check(&p, &got);
		assert_string_equal(text_str(&got), "");
		assert_int_equal(fchmodat(p.fd, *key, 0644, 0), 0);
		check(&p, &got);
		assert_string_equal(text_str(&got), "1:secret-readable ");
	}
}

static void test_a_password_must_be_a_file_with_something_in_it(void **state)
{
	scoped(place_done) struct place p = make_place();
	scoped(text_done) struct text got = { 0 };

	(void)state;
	put_all(&p);
	put(&p, "secrets/nas", 0600, "");
	assert_int_equal(fchmodat(p.fd, "secrets", 0700, 0), 0);
	assert_int_equal(mkdirat(p.fd, "secrets/registry", 0700), 0);
	check(&p, &got);
	assert_string_equal(text_str(&got), "6:secret-form 7:secret-form ");
}

static void test_a_password_must_be_one_that_the_nodes_take(void **state)
{
	static const char yaml[] =
		"apiVersion: rackseed/v1\n"
		"cluster: {name: a, kubernetes: {version: 1.20.2}}\n"
		"os: {distribution: debian, release: bookworm}\n"
		"network: {subnet: 10.0.0.0/24}\n"
		"registries: {\"s:5000\": {node: s, user: u, passwordFile: secrets/registry}}\n"
		"shares: {d: {node: s, path: /srv/d, mount: /mnt/d, user: u, passwordFile: "
		"secrets/share}}\n"
		"nodes:\n"
		"  m: {role: control-plane, address: 10.0.0.2, mac: 52:54:00:00:00:02}\n"
		"  s: {role: [registry, storage], address: 10.0.0.3, mac: 52:54:00:00:00:03}\n";
	static const struct {
		const char *registry, *share;
		const char *want;
	} cases[] = {
		{ "word\n", "word\r\n", "" },
		{ "\n", "\r\n", "5:secret-form 6:secret-form " },
		{ "two\nlines", "tw\to", "5:secret-form 6:secret-form " },
		{ LONG_64 "12345678", LONG_64 LONG_63, "" },
		{ LONG_64 "123456789", LONG_64 LONG_64, "5:secret-form 6:secret-form " },
	};

	(void)state;
	CASES (c, cases) {
		scoped(place_done) struct place p = make_place();
		scoped(text_done) struct text got = { 0 };

		put(&p, "secrets/registry", 0600, c->registry);
		put(&p, "secrets/share", 0600, c->share);
		assert_int_equal(fchmodat(p.fd, "secrets", 0700, 0), 0);
		check_document(&p, yaml, &got);
		assert_string_equal(text_str(&got), c->want);
	}
}

static void test_a_zero_byte_is_no_line_end(void **state)
{
	static const char *const tails[] = { "abc\0", "abc\0\n" };

	(void)state;
	CASES (tail, tails) {
		scoped(place_done) struct place p = make_place();
		scoped(text_done) struct text got = { 0 };
		struct fault why = { 0 };

		put_all(&p);
		put(&p, "secrets/registry", 0600, "word");
		assert_true(fs_write(p.fd, "secrets/nas", 0600, *tail, 4, &why) >= 0);
		assert_int_equal(fchmodat(p.fd, "secrets", 0700, 0), 0);
		check(&p, &got);
		assert_string_equal(text_str(&got), "7:secret-form ");
	}
}

static void test_the_key_that_signs_must_be_one(void **state)
{
	static const char yaml[] =
		"apiVersion: rackseed/v1\n"
		"cluster: {name: a, kubernetes: {version: 1.20.2}}\n"
		"os: {distribution: debian, release: bookworm}\n"
		"network: {subnet: 10.0.0.0/24}\n"
		"signing: {keyFile: secrets/ours.key}\n"
		"nodes: {m: {role: control-plane, address: 10.0.0.2, mac: 52:54:00:00:00:02}}\n";
	static const char key[] = "-----BEGIN PRIVATE KEY-----\n"
				  "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"
				  "\n-----END PRIVATE KEY-----\n";
	static const struct {
		const char *key; /* NULL: none */
		mode_t mode;
		const char *want;
	} cases[] = {
		{ key, 0600, "" },
		{ NULL, 0600, "5:file-missing " },
		{ key, 0644, "5:secret-readable " },
		{ "", 0600, "5:secret-form " },
		{ "-----BEGIN PUBLIC KEY-----\n", 0600, "5:secret-form " },
	};

	(void)state;
	CASES (c, cases) {
		scoped(place_done) struct place p = make_place();
		scoped(text_done) struct text got = { 0 };

		if (c->key) {
			put(&p, "secrets/ours.key", c->mode, c->key);
			assert_int_equal(fchmodat(p.fd, "secrets", 0700, 0), 0);
		}
		check_document(&p, yaml, &got);
		assert_string_equal(text_str(&got), c->want);
	}
}

/* ---- document_load ---- */

static int load(const char *path, struct complaints *c, struct fault *why)
{
	scoped(model_done) struct model m = { 0 };
	scoped(text_done) struct text source = { 0 };

	return document_load(AT_FDCWD, path, &m, c, &source, why);
}

static void test_what_cannot_be_read_is_a_fault(void **state)
{
	scoped(place_done) struct place p = make_place();
	static const struct {
		const char *name;
		int code;
	} cases[] = { { "nothing", -ENOENT }, { "fifo", -EINVAL } };
	time_t start = time(NULL);

	(void)state;
	assert_int_equal(mkfifoat(p.fd, "fifo", 0644), 0);
	CASES (c, cases) {
		scoped(complaints_done) struct complaints list = { 0 };
		struct fault why = { 0 };
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", p.path, c->name);
		assert_int_equal(load(path, &list, &why), c->code);
		assert_non_null(strstr(why.text, path));
		assert_int_equal(list.n, 0);
	}
	assert_true(time(NULL) - start < 5);
}

static void test_a_folder_is_a_file_that_is_wrong(void **state)
{
	static const char *const paths[] = { "/", "//", "/tmp", "/tmp/", ".", "tests" };

	(void)state;
	CASES (path, paths) {
		scoped(complaints_done) struct complaints c = { 0 };
		struct fault why = { 0 };

		assert_int_equal(load(*path, &c, &why), 0);
		assert_int_equal(c.n, 1);
		assert_int_equal(c.n_errors, 1);
		assert_string_equal(c.list[0].code, "not-file");
		assert_int_equal(c.list[0].mark.line, 1);
		assert_int_equal(c.list[0].mark.column, 1);
	}
}

static void test_a_file_too_large_is_not_read(void **state)
{
	scoped(place_done) struct place p = make_place();
	scoped(complaints_done) struct complaints c = { 0 };
	struct fault why = { 0 };
	char path[128];
	int fd = openat(p.fd, "large", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 100 << 20), 0);
	drop_fd(&fd);
	snprintf(path, sizeof(path), "%s/large", p.path);
	assert_int_equal(load(path, &c, &why), 0);
	assert_int_equal(c.n, 1);
	assert_string_equal(c.list[0].code, "too-large");
	complaints_done(&c);
	assert_int_equal(load("/dev/zero", &c, &why), 0); /* has no size to be seen beforehand */
	assert_string_equal(c.list[0].code, "too-large");
}

static void test_a_file_is_found_below_a_folder(void **state)
{
	scoped(place_done) struct place p = make_place();
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(text_done) struct text source = { 0 };
	struct fault why = { 0 };

	(void)state;
	put(&p, "sub/cluster.yaml", 0644, document);
	assert_int_equal(document_load(p.fd, "sub/cluster.yaml", &m, &c, &source, &why), 0);
	assert_int_equal(c.n, 0);
	assert_int_equal(m.n_nodes, 1);
	assert_string_equal(text_str(&source), document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_that_are_not_there),
		cmocka_unit_test(test_a_source_must_be_a_folder_with_packages),
		cmocka_unit_test(test_secrets_must_be_private),
		cmocka_unit_test(test_keys_of_the_cluster_must_be_private),
		cmocka_unit_test(test_the_key_that_signs_must_be_one),
		cmocka_unit_test(test_a_password_must_be_a_file_with_something_in_it),
		cmocka_unit_test(test_a_password_must_be_one_that_the_nodes_take),
		cmocka_unit_test(test_a_zero_byte_is_no_line_end),
		cmocka_unit_test(test_what_cannot_be_read_is_a_fault),
		cmocka_unit_test(test_a_folder_is_a_file_that_is_wrong),
		cmocka_unit_test(test_a_file_too_large_is_not_read),
		cmocka_unit_test(test_a_file_is_found_below_a_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
