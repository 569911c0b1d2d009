/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "base/macros.h"
#include "firstboot/share_watch.h"
#include "storage/storage.h"

static void test_asks_only_for_what_is_not_in_use(void **state)
{
	static const struct {
		struct share_watch watch;
		enum share_need need;
	} cases[] = {
		{ { .mounted = true, .answers = true, .next_ms = 0 }, SHARE_NOTHING },
		{ { .mounted = true, .answers = true, .full = true }, SHARE_NOTHING },
		{ { .mounted = true, .answers = true, .renew = true }, SHARE_ASK },
		{ { .mounted = true }, SHARE_ASK },
		{ { .mounted = true, .next_ms = 1001 }, SHARE_WAIT },
		{ { .next_ms = 1000 }, SHARE_ASK },
		{ { .next_ms = 1001 }, SHARE_WAIT },
		{ { 0 }, SHARE_ASK },
	};

	(void)state;
	CASES (c, cases) {
		assert_int_equal(share_need(&c->watch, 1000), c->need);
	}
}

static void test_pauses_grow_and_a_refused_login_is_rare(void **state)
{
	int64_t before = 0;
	unsigned i;

	(void)state;
	assert_int_equal(share_delay_ms(1, SHARE_SILENT), 1000);
	for (i = 1; i < 1000; i += i) {
		assert_true(share_delay_ms(i, SHARE_SILENT) >= before);
		assert_true(share_delay_ms(i, SHARE_SILENT) <= 15000);
		assert_true(share_delay_ms(i, SHARE_WRONG_PASSWORD) >= 30000);
		assert_true(share_delay_ms(i, SHARE_WRONG_PASSWORD) <= 300000);
		before = share_delay_ms(i, SHARE_SILENT);
	}
	assert_int_equal(share_delay_ms(4000000000u, SHARE_SILENT), 15000);
}

static void test_reading_is_enough_to_mount(void **state)
{
	int code;

	(void)state;
	for (code = 0; code < SHARE_N_CODES; code++) {
		const struct share_result r = { .readable = true, .code = (enum share_code)code };
		bool may = code == SHARE_OK || code == SHARE_FULL || code == SHARE_NOT_WRITABLE;

		assert_int_equal(share_may_mount(&r), may);
	}
	assert_false(share_may_mount(&(struct share_result){ .code = SHARE_FULL }));
}

#define SINCE 1772366645000000ull
#define MOUNTED "mounted since 2026-03-01 12:04:05 UTC"

static void test_says_why(void **state)
{
	static const struct {
		struct share_watch watch;
		const char *text;
	} cases[] = {
		{ { .mounted = true, .answers = true, .since_us = SINCE }, MOUNTED },
		{ { .mounted = true,
		    .answers = true,
		    .since_us = SINCE,
		    .asked = true,
		    .result = { .code = SHARE_NOT_WRITABLE, .reason = "the share is read-only" } },
		  MOUNTED ", for reading only: the share is read-only" },
		{ { .mounted = true, .answers = true, .full = true, .since_us = SINCE },
		  MOUNTED ", but full: no space is left on the share" },
		{ { .mounted = true,
		    .since_us = SINCE,
		    .asked = true,
		    .result = { .code = SHARE_SILENT, .reason = "nas after 8 s: no answer" } },
		  MOUNTED ", but silent: nas after 8 s: no answer" },
		{ { .mounted = true, .since_us = SINCE }, MOUNTED ", but it does not answer" },
		{ { .asked = true,
		    .result = { .code = SHARE_WRONG_PASSWORD, .reason = "user 'a' is refused" } },
		  "wrong-password: user 'a' is refused" },
		{ { .asked = true, .result = { .code = SHARE_REFUSED } }, "refused" },
		{ { .asked = true, .trouble = "mnt-a.mount did not start" },
		  "mnt-a.mount did not start" },
		{ { 0 }, "not asked for yet" },
	};

	(void)state;
	CASES (c, cases) {
		struct text out = { 0 };

		share_tell(&c->watch, &out);
		assert_string_equal(text_str(&out), c->text);
		assert_int_equal(share_is_fine(&c->watch), c == &cases[0] || c == &cases[1]);
		text_done(&out);
	}
}

static void test_pins_the_address_that_was_found(void **state)
{
	struct storage_mount m = { .name = "a", .where = "/mnt/a" };
	struct text unit = { 0 }, out = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(storage_unc_parse("//NASBOX/a", &m.unc, &why), 0);
	storage_mount_unit(&m, &unit);
	share_drop_in(text_str(&unit), "192.168.10.9", &out);
	assert_golden("storage/address.conf", text_str(&out));
	text_done(&out);
	share_drop_in("[Mount]\nWhat=x\n", "192.168.10.9", &out);
	assert_int_equal(out.len, 0);
	text_done(&unit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asks_only_for_what_is_not_in_use),
		cmocka_unit_test(test_pauses_grow_and_a_refused_login_is_rare),
		cmocka_unit_test(test_reading_is_enough_to_mount),
		cmocka_unit_test(test_says_why),
		cmocka_unit_test(test_pins_the_address_that_was_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
