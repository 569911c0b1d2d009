/* SPDX-License-Identifier: MIT */
#include "tests/memory.h"

#include "storage/share.h"
#include "storage/storage.h"

/* What is rendered and read of shares, with each allocation refused in turn. */

static int render_a_server(size_t row, struct text *out)
{
	static const struct storage_export exports[] = {
		{ .name = "a", .path = "/srv/a", .user = "u", .owner = "u", .group = "u" },
		{ .name = "b", .path = "/srv/b", .guest = true },
	};
	struct net_cidr allowed;
	const struct storage_server s = {
		.allowed = &allowed, .n_allowed = 1, .exports = exports, .n_exports = 2
	};

	(void)row;
	assert_int_equal(net_cidr_parse("10.0.0.0/8", &allowed), 0);
	storage_smbconf(&s, out);
	return 0;
}

static int render_a_mount(size_t row, struct text *out)
{
	struct storage_mount m = { .name = "a", .where = "/mnt/a", .credentials = "/etc/a" };
	struct fault why = { 0 };
	int r;

	(void)row;
	assert_int_equal(storage_unc_parse("//nas:1/a/b c", &m.unc, &why), 0);
	storage_mount_unit(&m, out);
	r = storage_mount_unit_name("/mnt/a-b", out, &why);
	storage_credentials("LAB\\u", "p w", out);
	return r;
}

static int tell_of_a_share(size_t row, struct text *out)
{
	const struct share_result share = {
		.share = "//nas/a", .readable = true, .code = SHARE_FULL, .reason = "f\xfc ll"
	};
	struct share_result again = { 0 };
	struct text json = { 0 };
	struct fault why = { 0 };
	int r;

	(void)row;
	share_result_json(&share, &json);
	r = text_error(&json);
	if (r == 0)
		r = share_result_parse(text_str(&json), json.len, &again, &why);
	if (r == 0)
		share_result_print(&again, out);
	text_done(&json);
	return r;
}

static void test_what_lacks_something_says_so(void **state)
{
	static memory_maker *const makers[] = { render_a_server, render_a_mount, tell_of_a_share };

	(void)state;
	CASES (m, makers) {
		assert_refusals_are_told(*m, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_lacks_something_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
