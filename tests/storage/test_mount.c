/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/run.h"
#include "storage/storage.h"

static void parse_unc(const char *s, struct storage_unc *unc)
{
	struct fault why = { 0 };

	if (storage_unc_parse(s, unc, &why) < 0)
		fail_msg("%s", why.text);
}

static const struct {
	const char *golden, *unc;
	struct storage_mount mount;
} units[] = {
	{ "storage/plain.mount",
	  "//192.168.10.40/sambashare",
	  { .name = "sambashare",
	    .where = "/mnt/sambashare",
	    .credentials = "/etc/rackseed/shares/sambashare.cred" } },
	{ "storage/all.mount",
	  "//NASBOX:1445/a b$/year 2024/x",
	  { .name = "archive",
	    .where = "/mnt/a-b c/w\xc3\xa4",
	    .address = "192.168.10.9",
	    .credentials = "/etc/rackseed/shares/archive.cred",
	    .uid = 1000,
	    .gid = 1001,
	    .file_mode = 0640,
	    .folder_mode = 0750,
	    .seal = true,
	    .read_only = true } },
	{ "storage/guest.mount", "//[fd00::9]:445/open", { .name = "open", .where = "/mnt/open" } },
};

static void test_is_as_agreed(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(units); i++) {
		struct storage_mount m = units[i].mount;
		struct text out = { 0 };

		parse_unc(units[i].unc, &m.unc);
		storage_mount_unit(&m, &out);
		assert_int_equal(text_error(&out), 0);
		assert_golden(units[i].golden, text_str(&out));
		text_done(&out);
	}
}

static void unit_name(const char *where, struct text *out)
{
	struct fault why = { 0 };

	if (storage_mount_unit_name(where, out, &why) < 0)
		fail_msg("%s", why.text);
}

/* systemd reads the units as its own, under the names that we gave them. */
static void test_systemd_accepts_the_units(void **state)
{
	char dir[] = "/tmp/rackseed-units-XXXXXX";
	struct fault why = { 0 };
	scoped(drop_fd) int fd = -1;
	scoped(drop_fd) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; i < COUNT(units); i++) {
		struct storage_mount m = units[i].mount;
		struct text out = { 0 }, name = { 0 }, path = { 0 };
		const char *argv[] = { "systemd-analyze",	"verify", "--man=no",
				       "--recursive-errors=no", NULL,	  NULL };
		const struct run what = { .argv = argv, .timeout_ms = 60000 };

		parse_unc(units[i].unc, &m.unc);
		storage_mount_unit(&m, &out);
		unit_name(m.where, &name);
		assert_true(fs_write(fd, text_str(&name), 0644, out.data, out.len, &why) >= 0);
		text_addf(&path, "%s/%s", dir, text_str(&name));
		argv[4] = text_str(&path);
		if (run(&what, &why) < 0)
			fail_msg("%s: %s", text_str(&path), why.text);
		text_done(&out);
		text_done(&name);
		text_done(&path);
	}
	assert_true(fs_remove_tree(root, dir, &why) >= 0);
}

static void gather(const char *line, void *data)
{
	text_add(data, line);
	text_add(data, "\n");
}

/* The value of "Key=" of the unit. */
static void value_of(const char *unit, const char *key, struct text *out)
{
	const char *at = strstr(unit, key);

	assert_non_null(at);
	at += strlen(key);
	text_add_n(out, at, strcspn(at, "\n"));
}

/* mount.cifs reads our options and credentials, and would hand the kernel this; it asks nobody. */
static void test_mount_cifs_understands_them(void **state)
{
	static const char *const wanted[] = {
		"ip=127.0.0.1",
		"unc=\\\\NASBOX\\a b$",
		"prefixpath=year 2024/x",
		"vers=3",
		"sign",
		"user=hans",
		"domain=CORP",
		"uid=7",
		"gid=8",
		"file_mode=0777",
		"port=1445",
	};
	char dir[] = "/srv/rackseed-mount-XXXXXX", cred[64];
	struct storage_mount m = { .name = "x",
				   .where = dir,
				   .address = "127.0.0.1",
				   .credentials = cred,
				   .uid = 7,
				   .gid = 8 };
	struct text unit = { 0 }, what = { 0 }, options = { 0 }, says = { 0 }, credentials = { 0 };
	const char *argv[] = { "mount.cifs", "-f", "-v", NULL, dir, "-o", NULL, NULL };
	const struct run fake = {
		.argv = argv, .timeout_ms = 20000, .out = &says, .line = gather, .data = &says
	};
	scoped(drop_fd) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fault why = { 0 };

	(void)state;
	if (geteuid() != 0 || access("/sbin/mount.cifs", X_OK) != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	snprintf(cred, sizeof(cred), "%s/cred", dir);
	storage_credentials("CORP\\hans", " a,b\"%U\\ ", &credentials);
	assert_true(fs_write(root, cred, 0600, credentials.data, credentials.len, &why) >= 0);
	parse_unc("//NASBOX:1445/a b$/year 2024/x", &m.unc);
	storage_mount_unit(&m, &unit);
	value_of(text_str(&unit), "What=", &what);
	value_of(text_str(&unit), "Options=", &options);
	argv[3] = text_str(&what);
	argv[6] = text_str(&options);
	if (run(&fake, &why) < 0)
		fail_msg("%s", why.text);
	CASES (word, wanted)
		if (!strstr(text_str(&says), *word))
			fail_msg("no %s in: %s", *word, text_str(&says));
	assert_null(strstr(text_str(&says), "a,b"));
	text_done(&unit);
	text_done(&what);
	text_done(&options);
	text_done(&says);
	text_done(&credentials);
	assert_true(fs_remove_tree(root, dir, &why) >= 0);
}

static void test_names_are_those_of_systemd_escape(void **state)
{
	static const char *const paths[] = {
		"/mnt/sambashare", "/mnt/a-b",		"/.hidden/.x", "/mnt/a b",
		"/mnt/w\xc3\xa4",  "/mnt/a:b_c.d@e~f+", "/data/[x]",   "/mnt/...",
		"/1/2/3",	   "/mnt/;#=,'",	"/-/--",       "/mnt/$HOME*",
		"/opt/a/b-c/d"
	};

	(void)state;
	CASES (path, paths) {
		const char *const argv[] = {
			"systemd-escape", "--path", "--suffix=mount", "--", *path, NULL
		};
		struct text ours = { 0 }, theirs = { 0 };
		const struct run what = { .argv = argv, .out = &theirs, .timeout_ms = 10000 };
		struct fault why = { 0 };

		unit_name(*path, &ours);
		if (run(&what, &why) < 0)
			fail_msg("%s", why.text);
		text_add(&ours, "\n");
		assert_string_equal(text_str(&ours), text_str(&theirs));
		text_done(&ours);
		text_done(&theirs);
	}
}

static void test_names_that_cannot_be(void **state)
{
	char path[200] = "/mnt/";
	struct fault why = { 0 };
	struct text out = { 0 };

	(void)state;
	assert_int_equal(storage_mount_unit_name("/etc", &out, &why), -EINVAL);
	assert_non_null(strstr(why.text, "'/etc'"));
	assert_int_equal(storage_mount_unit_name("mnt", &out, &why), -EINVAL);
	memset(path + 5, '-', 62);
	assert_int_equal(storage_mount_unit_name(path, &out, &why), -ENAMETOOLONG);
	assert_int_equal(out.len, 0);
	memset(path + 5, '\0', 62);
	memset(path + 5, '-', 61);
	assert_int_equal(storage_mount_unit_name(path, &out, &why), 0);
	assert_true(out.len <= 255);
	text_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_as_agreed),
		cmocka_unit_test(test_systemd_accepts_the_units),
		cmocka_unit_test(test_mount_cifs_understands_them),
		cmocka_unit_test(test_names_are_those_of_systemd_escape),
		cmocka_unit_test(test_names_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
