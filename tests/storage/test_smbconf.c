/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <sched.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/net.h"
#include "base/run.h"
#include "storage/server.h"
#include "storage/storage.h"

static const struct storage_export exports[] = {
	{ .name = "sambashare",
	  .path = "/srv/sambashare",
	  .user = "mlops",
	  .owner = "mlops",
	  .group = "mlops" },
	{ .name = "Public.Docs",
	  .path = "/srv/public; docs # [all] = w\xc3\xa4",
	  .guest = true,
	  .read_only = true },
	{ .name = "both",
	  .path = "/data/both",
	  .user = "mlops",
	  .owner = "mlops",
	  .guest = true,
	  .file_mode = 0600,
	  .folder_mode = 0700 },
};

static void render(size_t n_exports, struct text *out)
{
	static const char *const allowed[] = { "192.168.10.40/24", "fd00:10::40/64" };
	struct net_cidr cidrs[COUNT(allowed)];
	const struct storage_server server = { .allowed = cidrs,
					       .n_allowed = COUNT(cidrs),
					       .exports = exports,
					       .n_exports = n_exports };
	size_t i;

	for (i = 0; i < COUNT(allowed); i++)
		assert_int_equal(net_cidr_parse(allowed[i], &cidrs[i]), 0);
	storage_smbconf(&server, out);
	assert_int_equal(text_error(out), 0);
}

static void test_is_as_agreed(void **state)
{
	struct text out = { 0 };

	(void)state;
	render(COUNT(exports), &out);
	assert_golden("storage/smb.conf", text_str(&out));
	text_done(&out);
	render(1, &out);
	assert_golden("storage/smb-no-guests.conf", text_str(&out));
	text_done(&out);
	storage_smbconf(&(struct storage_server){ .workgroup = "LAB" }, &out);
	assert_non_null(strstr(text_str(&out), "\tworkgroup = LAB\n"));
	text_done(&out);
}

static void test_testparm_has_nothing_to_say(void **state)
{
	struct fault why = { 0 };
	struct text out = { 0 };

	(void)state;
	render(COUNT(exports), &out);
	if (storage_server_check(text_str(&out), &why) < 0)
		fail_msg("%s", why.text);
	text_done(&out);
}

/* Samba's own default of a setting may follow from the machine's name. */
static void test_every_name_of_a_node_will_do(void **state)
{
	static const char *const names[] = { "storage", "workgroup", "rackseed", "abcdefghijklmnop",
					     "a-node-of-a-rack-with-a-very-long-name-indeed" };

	(void)state;
	if (unshare(CLONE_NEWUTS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWUTS) < 0)
		skip();
	CASES (name, names) {
		struct fault why = { 0 };
		struct text out = { 0 };

		assert_int_equal(sethostname(*name, strlen(*name)), 0);
		render(1, &out);
		if (storage_server_check(text_str(&out), &why) < 0)
			fail_msg("%s: %s", *name, why.text);
		text_done(&out);
	}
}

static void test_testparm_finds_what_is_wrong(void **state)
{
	static const struct {
		const char *more, *says;
	} cases[] = {
		{ "[global]\n\tserver mim protocol = SMB3\n", "mim protocol" },
		{ "[x\n\tpath = /srv/x\n", "testparm" },
		{ "[global]\n\tserver signing = perhaps\n", "testparm" },
	};
	struct text out = { 0 };

	(void)state;
	CASES (c, cases) {
		struct fault why = { 0 };

		render(1, &out);
		text_add(&out, c->more);
		if (storage_server_check(text_str(&out), &why) >= 0)
			fail_msg("'%s' is let pass", c->more);
		if (!strstr(why.text, c->says))
			fail_msg("%s", why.text);
		text_done(&out);
	}
}

/* What testparm understood of a setting of a section. */
static void ask(const char *conf, const char *section, const char *key, struct text *out)
{
	char section_option[128], key_option[128];
	const char *const argv[] = { "testparm", "-s",	       section_option,
				     key_option, "/dev/stdin", NULL };
	const struct run what = { .argv = argv,
				  .input = conf,
				  .input_len = strlen(conf),
				  .out = out,
				  .timeout_ms = 20000 };
	struct fault why = { 0 };

	snprintf(section_option, sizeof(section_option), "--section-name=%s", section);
	snprintf(key_option, sizeof(key_option), "--parameter-name=%s", key);
	if (run(&what, &why) < 0)
		fail_msg("%s", why.text);
	if (out->len > 0 && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
}

static void test_samba_reads_each_value_as_it_was_meant(void **state)
{
	static const struct {
		const char *section, *key, *value;
	} cases[] = {
		{ "global", "netbios name", "RACKSEED" },
		{ "global", "server min protocol", "SMB3" },
		{ "global", "server signing", "if_required" },
		{ "global", "map to guest", "Bad User" },
		{ "global", "hosts allow", "127.0.0.1 ::1 192.168.10.0/24 fd00:10::/64" },
		{ "sambashare", "path", "/srv/sambashare" },
		{ "sambashare", "valid users", "mlops" },
		{ "sambashare", "guest ok", "No" },
		{ "sambashare", "read only", "No" },
		{ "Public.Docs", "path", "/srv/public; docs # [all] = w\xc3\xa4" },
		{ "Public.Docs", "guest ok", "Yes" },
		{ "Public.Docs", "valid users", "" },
		{ "both", "create mask", "0600" },
		{ "both", "directory mask", "0700" },
	};
	struct text conf = { 0 };

	(void)state;
	render(COUNT(exports), &conf);
	CASES (c, cases) {
		struct text out = { 0 };

		ask(text_str(&conf), c->section, c->key, &out);
		if (strcmp(text_str(&out), c->value) != 0)
			fail_msg("%s of %s: '%s'", c->key, c->section, text_str(&out));
		text_done(&out);
	}
	text_done(&conf);
}

static void test_signatures_are_demanded_where_no_guests_are(void **state)
{
	struct text conf = { 0 }, out = { 0 };

	(void)state;
	render(1, &conf);
	ask(text_str(&conf), "global", "server signing", &out);
	assert_string_equal(text_str(&out), "required");
	text_done(&out);
	text_done(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_as_agreed),
		cmocka_unit_test(test_testparm_has_nothing_to_say),
		cmocka_unit_test(test_testparm_finds_what_is_wrong),
		cmocka_unit_test(test_samba_reads_each_value_as_it_was_meant),
		cmocka_unit_test(test_signatures_are_demanded_where_no_guests_are),
		cmocka_unit_test(test_every_name_of_a_node_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
