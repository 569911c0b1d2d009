/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "storage/server.h"
#include "storage/storage.h"
#include "tests/storage/server.h"

/* Samba's own tools, on a password file of the test's. */

static int start(void **state)
{
	static struct server s;
	char path[160];
	const struct storage_export e = { .name = "data", .path = path, .user = SERVER_USER };
	const struct storage_server what = { .exports = &e, .n_exports = 1 };

	if (geteuid() != 0)
		return 0;
	server_init(&s);
	server_path(&s, "data", path);
	server_write_conf(&s, &what, "");
	*state = &s;
	return 0;
}

static int stop(void **state)
{
	if (*state)
		server_done(*state);
	return 0;
}

static void assert_accounts(const struct server *s, const char *names)
{
	struct fault why = { 0 };
	struct text out = { 0 };

	if (storage_server_accounts(s->conf, &out, &why) < 0)
		fail_msg("%s", why.text);
	assert_string_equal(text_str(&out), names);
	text_done(&out);
}

static void test_accounts_come_and_go(void **state)
{
	const struct server *s = *state;
	struct fault why = { 0 };

	if (!s)
		skip();
	assert_accounts(s, "");
	assert_int_equal(storage_server_account(s->conf, "games", "one", &why), 0);
	assert_int_equal(storage_server_account(s->conf, "daemon", "two", &why), 0);
	assert_int_equal(storage_server_account(s->conf, "games", "three", &why), 0);
	assert_int_equal(storage_server_account_remove(s->conf, "game", &why), 0);
	assert_int_equal(storage_server_account_remove(s->conf, "daemon", &why), 0);
	assert_int_equal(storage_server_account_remove(s->conf, "daemon", &why), 0);
	assert_accounts(s, "games\n");
	assert_int_equal(storage_server_account_remove(s->conf, "games", &why), 0);
	assert_accounts(s, "");
}

static void test_what_cannot_be_an_account(void **state)
{
	const struct server *s = *state;
	struct fault why = { 0 };

	if (!s)
		skip();
	assert_true(storage_server_account(s->conf, "no-such-account", "x", &why) < 0);
	assert_non_null(strstr(why.text, "account 'no-such-account'"));
	assert_int_equal(storage_server_account(s->conf, "games", "a\nb", &why), -EINVAL);
	assert_null(strstr(why.text, "a\nb"));
	assert_accounts(s, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accounts_come_and_go),
		cmocka_unit_test(test_what_cannot_be_an_account),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
