/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "base/yaml.h"
#include "storage/share.h"

static void test_each_code_has_its_words_and_status(void **state)
{
	int seen[256] = { 0 };
	int code;

	(void)state;
	for (code = 0; code < SHARE_N_CODES; code++) {
		int status = share_code_exit((enum share_code)code);

		assert_non_null(share_code_name((enum share_code)code));
		assert_non_null(share_code_help((enum share_code)code));
		assert_true(code == SHARE_OK ? status == 0 : status >= 10 && status < 126);
		assert_int_equal(seen[status]++, 0);
	}
}

static const struct share_result sample = {
	.share = "//nas.example/archive",
	.address = "192.168.10.9",
	.resolved = true,
	.reached = true,
	.login = true,
	.exists = true,
	.readable = true,
	.writable = 0,
	.free_bytes = 5368709120,
	.total_bytes = UINT64_MAX,
	.code = SHARE_NOT_WRITABLE,
	.reason = "the user \"may not\"\\ write\n\x01 to w\xc3\xa4 \xf0\x9f\x92\xbe",
};

static void test_json_is_read_back_as_it_was(void **state)
{
	int code, writable;

	(void)state;
	for (code = 0; code < SHARE_N_CODES; code++) {
		for (writable = -1; writable <= 1; writable++) {
			struct share_result r = sample, back = { 0 };
			struct fault why = { 0 };
			struct text json = { 0 };

			r.code = (enum share_code)code;
			r.writable = writable;
			r.login = code % 2;
			share_result_json(&r, &json);
			if (share_result_parse(json.data, json.len, &back, &why) < 0)
				fail_msg("%s", why.text);
			assert_string_equal(back.share, r.share);
			assert_string_equal(back.address, r.address);
			assert_string_equal(back.reason, r.reason);
			assert_int_equal(back.code, r.code);
			assert_int_equal(back.writable, r.writable);
			assert_int_equal(back.login, r.login);
			assert_true(back.free_bytes == r.free_bytes &&
				    back.total_bytes == r.total_bytes);
			text_done(&json);
		}
	}
}

static void test_an_answer_for_programs(void **state)
{
	struct text json = { 0 };

	(void)state;
	share_result_json(&sample, &json);
	text_add(&json, "\n");
	assert_golden("storage/share.json", text_str(&json));
	text_done(&json);
}

static void test_words_of_a_server_in_any_encoding(void **state)
{
	static const struct {
		const char *reason, *back;
	} cases[] = {
		{ "f\xfcnf", "f?nf" },
		{ "\xc3", "?" },
		{ "\xed\xa0\x80", "???" },
		{ "\xf5\x80\x80\x80", "????" },
		{ "\xc0\xaf", "??" },
		{ "\xe2\x82", "??" },
		{ "ok \xe2\x82\xac", "ok \xe2\x82\xac" },
		{ "\xf0\x8f\xbf\xbf", "????" },
		{ "\xf4\x90\x80\x80", "????" },
		{ "\xe0\x9f\xbf", "???" },
	};

	(void)state;
	CASES (c, cases) {
		struct share_result r = sample, back;
		struct fault why = { 0 };
		struct text json = { 0 };

		snprintf(r.reason, sizeof(r.reason), "%s", c->reason);
		share_result_json(&r, &json);
		assert_int_equal(share_result_parse(json.data, json.len, &back, &why), 0);
		assert_string_equal(back.reason, c->back);
		text_done(&json);
	}
}

static void test_what_is_no_answer_is_refused(void **state)
{
	static const char *const answers[] = {
		"",
		"{}",
		"[]",
		"null",
		"rackseed-share: no",
		"{\"share\":\"//a/b\"}",
		"{\"share\":",
	};
	struct share_result back = { .writable = 5 };
	struct fault why = { 0 };
	struct text json = { 0 };

	(void)state;
	CASES (answer, answers)
		assert_int_equal(share_result_parse(*answer, strlen(*answer), &back, &why),
				 -EBADMSG);
	/* One value that is none of its kind spoils it. */
	share_result_json(&sample, &json);
	memcpy(strstr(json.data, "not-writable"), "not-wridable", 12);
	assert_int_equal(share_result_parse(json.data, json.len, &back, &why), -EBADMSG);
	memcpy(strstr(json.data, "not-wridable"), "not-writable", 12);
	memcpy(strstr(json.data, "5368709120"), "-368709120", 10);
	assert_int_equal(share_result_parse(json.data, json.len, &back, &why), -EBADMSG);
	assert_int_equal(back.writable, 5);
	text_done(&json);
}

/* What one member becomes, and the whole is no answer any more. */
static void test_each_member_is_looked_at(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "\"//nas.example/archive\"", "null" },
		{ "\"192.168.10.9\"", "[]" },
		{ "\"192.168.10.9\"", "\"1111:1111:1111:1111:1111:1111:255.255.255.255x\"" },
		{ "\"resolved\":true", "\"resolved\":\"maybe\"" },
		{ "\"readable\":true", "\"readable\":null" },
		{ "\"writable\":false", "\"writable\":\"maybe\"" },
		{ "\"writable\":false,", "" },
		{ "5368709120", "\"\"" },
		{ "5368709120", "\"~\"" },
		{ "5368709120", "\"1x\"" },
		{ "5368709120", "null" },
		{ "5368709120", "18446744073709551616" },
		{ "18446744073709551615", "true" },
		{ "\"not-writable\"", "\"writable\"" },
		{ "\"not-writable\"", "null" },
		{ "\"reason\"", "\"raison\"" },
	};

	(void)state;
	CASES (c, cases) {
		struct share_result back = { .writable = 5 };
		struct text json = { 0 }, other = { 0 };
		struct fault why = { 0 };
		const char *at;

		share_result_json(&sample, &json);
		at = strstr(text_str(&json), c->from);
		assert_non_null(at);
		text_add_n(&other, json.data, (size_t)(at - json.data));
		text_add(&other, c->to);
		text_add(&other, at + strlen(c->from));
		if (share_result_parse(text_str(&other), other.len, &back, &why) != -EBADMSG)
			fail_msg("taken: %s", text_str(&other));
		assert_int_equal(back.writable, 5);
		text_done(&json);
		text_done(&other);
	}
}

static void test_a_line_for_a_person(void **state)
{
	struct share_result r = sample;
	struct text out = { 0 };

	(void)state;
	snprintf(r.reason, sizeof(r.reason), "the share is read-only");
	r.total_bytes = 10737418240;
	share_result_print(&r, &out);
	text_add(&out, "\n");
	r = (struct share_result){ .share = "//h/s",
				   .writable = -1,
				   .code = SHARE_SILENT,
				   .reason = "h after 10 s: nothing answers there" };
	share_result_print(&r, &out);
	text_add(&out, "\n");
	r = (struct share_result){ .share = "//h/s",
				   .writable = -1,
				   .readable = true,
				   .free_bytes = 1023,
				   .total_bytes = 1536 };
	share_result_print(&r, &out);
	text_add(&out, "\n");
	r.writable = 1;
	r.total_bytes = UINT64_MAX;
	share_result_print(&r, &out);
	assert_string_equal(text_str(&out),
			    "//nas.example/archive: not-writable: the share is read-only; "
			    "not writable, 5.0 GiB of 10.0 GiB free\n"
			    "//h/s: silent: h after 10 s: nothing answers there\n"
			    "//h/s: ok: 1023 B of 1.5 KiB free\n"
			    "//h/s: ok: writable, 1023 B of 16.0 EiB free");
	text_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_code_has_its_words_and_status),
		cmocka_unit_test(test_json_is_read_back_as_it_was),
		cmocka_unit_test(test_an_answer_for_programs),
		cmocka_unit_test(test_words_of_a_server_in_any_encoding),
		cmocka_unit_test(test_what_is_no_answer_is_refused),
		cmocka_unit_test(test_each_member_is_looked_at),
		cmocka_unit_test(test_a_line_for_a_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
