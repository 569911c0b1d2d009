/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "storage/storage.h"

/* Which texts the formats can hold: flaw.c, unc.c and credentials.c. */

struct flaw_case {
	const char *text;
	const char *flaw; /* words of it, or NULL: fine */
};

static void check_flaws(const char *(*flaw)(const char *), const struct flaw_case *cases, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const char *got = flaw(cases[i].text);

		if (!got != !cases[i].flaw || (got && !strstr(got, cases[i].flaw)))
			fail_msg("'%s': %s", cases[i].text, got ? got : "fine");
	}
}

#define CHECK_FLAWS(flaw, cases) check_flaws(flaw, cases, sizeof(cases) / sizeof((cases)[0]))

static void test_names_of_shares(void **state)
{
	static const struct flaw_case cases[] = {
		{ "sambashare", NULL },
		{ "Share_1.old-x", NULL },
		{ "", "empty" },
		{ "GLOBAL", "keeps for itself" },
		{ "homes", "keeps for itself" },
		{ "ipc", "keeps for itself" },
		{ "ipc$", "letters, digits" },
		{ ".hidden", "begins with" },
		{ "-x", "begins with" },
		{ "..", "begins with" },
		{ "a]b", "letters, digits" },
		{ "a b", "letters, digits" },
		{ "a\nb", "letters, digits" },
		{ "a/b", "letters, digits" },
		{ "w\xc3\xa4", "letters, digits" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "a",
		  "80" },
	};

	(void)state;
	CHECK_FLAWS(storage_name_flaw, cases);
}

static void test_values_of_smb_conf(void **state)
{
	static const struct flaw_case cases[] = {
		{ "WORKGROUP", NULL }, { "a; b # c = [d]", NULL }, { "w\xc3\xa4ldchen", NULL },
		{ "", "empty" },       { "a\nb", "control" },	   { "a\rb", "control" },
		{ "a\tb", "control" }, { " a", "blank" },	   { "a ", "blank" },
		{ "%U", "'%'" },       { "a\\", "backslash" },	   { "\"a\"", "double quote" },
		{ "a\x7f", "control" },
	};

	(void)state;
	CHECK_FLAWS(storage_value_flaw, cases);
}

static void test_folders(void **state)
{
	static const struct flaw_case cases[] = {
		{ "/srv/sambashare", NULL },
		{ "/mnt/a b", NULL },
		{ "/mnt/...", NULL },
		{ "/usrlocal", NULL },
		{ "/var/library", NULL },
		{ "/var/www", NULL },
		{ "/home/ops/share", NULL },
		{ "/data", NULL },
		{ "srv/x", "begin with '/'" },
		{ "/", "whole file system" },
		{ "/srv/", "ends with '/'" },
		{ "//srv", "empty" },
		{ "/srv//x", "empty" },
		{ "/srv/./x", "'.'" },
		{ "/srv/../etc", "'..'" },
		{ "/srv/..", "'..'" },
		{ "/etc", "system needs" },
		{ "/etc/kubernetes/x", "system needs" },
		{ "/usr/local/share", "system needs" },
		{ "/var/lib", "system needs" },
		{ "/var", "system needs" },
		{ "/var/lib/kubelet/pods", "system needs" },
		{ "/var/lib/etcd", "system needs" },
		{ "/var/lib/private", "system needs" },
		{ "/var/lib/shares", "system needs" },
		{ "/snap", "system needs" },
		{ "/opt/cni/bin", "system needs" },
		{ "/mnt", "one below it" },
		{ "/home", "one below it" },
		{ "/srv/%h", "'%'" },
		{ "/srv/a\nb", "control" },
		{ "/srv/a\\b", "backslash" },
	};
	char longest[202];

	(void)state;
	CHECK_FLAWS(storage_path_flaw, cases);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "/srv/", 5);
	longest[201] = '\0';
	assert_non_null(strstr(storage_path_flaw(longest), "longer than 200"));
	longest[200] = '\0';
	assert_null(storage_path_flaw(longest));
}

static void test_users(void **state)
{
	static const struct flaw_case cases[] = {
		{ "reader", NULL },
		{ "Hans Huber", NULL },
		{ "hans@corp.example", NULL },
		{ "CORP\\hans", NULL },
		{ "", "empty" },
		{ "CORP\\", "DOMAIN" },
		{ "\\hans", "DOMAIN" },
		{ "A\\B\\c", "DOMAIN" },
		{ "a,b", "character that no user" },
		{ "CORP\\a%b", "character that no user" },
		{ "CORP\\a\nb", "control" },
		{ "CORP\\a ", "blank" },
		{ "CORP\\a\x7f", "control" },
		{ " CORP\\a", "blank" },
		{ "a%b", "'%'" },
	};
	char longest[106];

	(void)state;
	CHECK_FLAWS(storage_user_flaw, cases);
	memset(longest, 'x', sizeof(longest));
	longest[105] = '\0';
	assert_non_null(strstr(storage_user_flaw(longest), "longer than 104"));
	longest[104] = '\0';
	assert_null(storage_user_flaw(longest));
}

static void test_accounts_and_passwords(void **state)
{
	static const struct flaw_case accounts[] = {
		{ "mlops", NULL },	   { "_x-1_", NULL },
		{ "", "1 to 31" },	   { "root", "root" },
		{ "Mlops", "lower-case" }, { "1st", "begin" },
		{ "-a", "begin" },	   { "a b", "hold" },
		{ "a@b", "hold" },	   { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1 to 31" },
	};
	static const char *const system[] = { "root", "daemon", "sync", "_apt",
					      "nobody", "sshd", "sudo", "disk" };
	static const struct flaw_case passwords[] = {
		{ "a", NULL },
		{ " \"%U\\ #;,= ", NULL },
		{ "", "empty" },
		{ "a\nb", "line break" },
		{ "a\rb", "line break" },
	};
	char longest[129];

	(void)state;
	CHECK_FLAWS(storage_account_flaw, accounts);
	CASES (name, system) {
		if (!storage_account_is_system(*name))
			fail_msg("%s is nobody's", *name);
	}
	assert_false(storage_account_is_system("mlops"));
	assert_false(storage_account_is_system("ubuntu"));
	CHECK_FLAWS(storage_password_flaw, passwords);
	memset(longest, 'x', sizeof(longest));
	longest[128] = '\0';
	assert_non_null(storage_password_flaw(longest));
	longest[127] = '\0';
	assert_null(storage_password_flaw(longest));
}

static void test_paths_within(void **state)
{
	(void)state;
	assert_true(storage_path_within("/mnt/a", "/mnt/a"));
	assert_true(storage_path_within("/mnt/a/b", "/mnt/a"));
	assert_true(storage_path_within("/mnt", "/"));
	assert_false(storage_path_within("/mnt/ab", "/mnt/a"));
	assert_false(storage_path_within("/mnt", "/mnt/a"));
}

static void test_addresses_of_shares(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
		const char *share, *path;
	} good[] = {
		{ "//nas.example/archive", "nas.example", 0, "archive", "" },
		{ "//NAS_1/a b$", "NAS_1", 0, "a b$", "" },
		{ "//192.168.10.9:1445/x/y/z w", "192.168.10.9", 1445, "x", "y/z w" },
		{ "//[fd00::9]/x", "fd00::9", 0, "x", "" },
		{ "//[::1]:65535/x", "::1", 65535, "x", "" },
	};
	static const struct flaw_case bad[] = {
		{ "", "begin with '//'" },
		{ "\\\\nas\\x", "begin with '//'" },
		{ "nas/x", "begin with '//'" },
		{ "smb://nas/x", "begin with '//'" },
		{ "///x", "host" },
		{ "//nas", "share is missing" },
		{ "//nas/", "share is missing" },
		{ "//nas//x", "share is missing" },
		{ "//na s/x", "host" },
		{ "//user@nas/x", "host" },
		{ "//-nas/x", "host" },
		{ "//192.168.10.500/x", "host" },
		{ "//192.168.010.050/x", "host" },
		{ "//nas.7/x", "host" },
		{ "//10:445/x", "host" },
		{ "//nas:0/x", "host" },
		{ "//nas:65536/x", "host" },
		{ "//nas:/x", "host" },
		{ "//nas:1x/x", "host" },
		{ "//fd00::9/x", "host" },
		{ "//[fd00::9/x", "host" },
		{ "//[nas]/x", "host" },
		{ "//[::1]x/x", "host" },
		{ "//nas/a,b", "character" },
		{ "//nas/a%b", "character" },
		{ "//nas/.", "begins with '.'" },
		{ "//nas/x/..", "'..'" },
		{ "//nas/x/", NULL },
		{ "//nas/x//y", "empty" },
		{ "//nas/x/y/", "empty" },
		{ "//nas/x\ny", "control" },
		{ "//nas/x\x7f", "control" },
		{ "//nas:100000/x", "host" },
		{ "//nas:70000/x", "host" },
		{ "//[fd00::9]:/x", "host" },
		{ "//nas/ x", "blank" },
		{ "//nas/x ", "blank" },
		{ "//nas/x/y:z", "folder's name holds a character" },
		{ "//nas/x/y ", "folder's name ends with a blank" },
		{ "//nas/x/./y", "'.'" },
		{ "//nas/x/../y", "'..'" },
		{ "//nas/x/.y", NULL },
		{ "//nas/x/..y/z", NULL },
	};
	/* What is longer than its place: host, host in brackets, share, folder. */
	static const struct {
		const char *front, *behind, *flaw;
		size_t n, most;
	} tall[] = {
		{ "//", "/x", "host", 300, 255 },
		{ "//[fd00:", "]/x", "host", 300, 0 },
		{ "//nas/", "", "longer than 80", 81, 80 },
		{ "//nas/x/", "", "too long", 512, 511 },
	};
	struct storage_unc unc;
	struct fault why = { 0 };

	(void)state;
	CASES (c, good) {
		if (storage_unc_parse(c->text, &unc, &why) < 0)
			fail_msg("%s", why.text);
		assert_string_equal(unc.host, c->host);
		assert_int_equal(unc.port, c->port);
		assert_string_equal(unc.share, c->share);
		assert_string_equal(unc.path, c->path);
	}
	CASES (c, bad) {
		int r = storage_unc_parse(c->text, &unc, &why);

		if (r != (c->flaw ? -EINVAL : 0) || (c->flaw && !strstr(why.text, c->flaw)))
			fail_msg("%s: %d %s", c->text, r, why.text);
	}
	CASES (c, tall) {
		size_t n;

		for (n = c->n; n > 0; n = n == c->n ? c->most : 0) {
			struct text t = { 0 };
			size_t i;
			int r;

			text_add(&t, c->front);
			for (i = 0; i < n; i++)
				text_add(&t, "a");
			text_add(&t, c->behind);
			r = storage_unc_parse(text_str(&t), &unc, &why);
			assert_int_equal(r, n == c->n ? -EINVAL : 0);
			if (r < 0)
				assert_non_null(strstr(why.text, c->flaw));
			text_done(&t);
		}
	}
}

static void test_credentials_are_read_back(void **state)
{
	static const struct {
		const char *user, *password, *text, *back_user, *domain;
	} cases[] = {
		{ "reader", "pw", "username=reader\npassword=pw\n", "reader", "" },
		{ "CORP\\h", " \"%U\\ #;,= ", "username=h\ndomain=CORP\npassword= \"%U\\ #;,= \n",
		  "h", "CORP" },
	};

	(void)state;
	CASES (c, cases) {
		struct storage_credentials back;
		struct fault why = { 0 };
		struct text out = { 0 };

		storage_credentials(c->user, c->password, &out);
		assert_string_equal(text_str(&out), c->text);
		assert_int_equal(storage_credentials_parse(text_str(&out), &back, &why), 0);
		assert_string_equal(back.user, c->back_user);
		assert_string_equal(back.password, c->password);
		assert_string_equal(back.domain, c->domain);
		text_done(&out);
	}
}

static void test_credentials_written_by_hand(void **state)
{
	static const char text[] = "# mine\r\n  user=a=b\r\npass=\n\ndom=D\nother=1\nlast";
	struct storage_credentials back = { .user = "kept" };
	struct fault why = { 0 };
	char longest[600];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	memcpy(longest, "username=", 9);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(storage_credentials_parse(longest, &back, &why), -EINVAL);
	assert_int_equal(storage_credentials_parse("password=x\n", &back, &why), -EINVAL);
	assert_non_null(strstr(why.text, "username="));
	assert_string_equal(back.user, "kept");
	assert_int_equal(storage_credentials_parse(text, &back, &why), 0);
	assert_string_equal(back.user, "a=b");
	assert_string_equal(back.password, "");
	assert_string_equal(back.domain, "D");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_shares),
		cmocka_unit_test(test_values_of_smb_conf),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_accounts_and_passwords),
		cmocka_unit_test(test_paths_within),
		cmocka_unit_test(test_addresses_of_shares),
		cmocka_unit_test(test_credentials_are_read_back),
		cmocka_unit_test(test_credentials_written_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
