/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "base/run.h"
#include "cluster/envelope.h"

static const char secret[] = "token\0abcdef.0123456789abcdef\r\n\n";

static struct text sealed(void)
{
	struct text out = { 0 };
	struct fault why = { 0 };

	if (envelope_seal(secret, sizeof(secret), "correct horse", &out, &why) < 0)
		fail_msg("%s", why.text);
	return out;
}

static void test_what_was_sealed_comes_out_byte_for_byte(void **s)
{
	struct text box = sealed(), plain = { 0 };
	struct fault why = { 0 };

	(void)s;
	assert_null(memmem(box.data, box.len, "abcdef", 6));
	assert_int_equal(envelope_open(box.data, box.len, "correct horse", &plain, &why), 0);
	assert_int_equal(plain.len, sizeof(secret));
	assert_memory_equal(plain.data, secret, sizeof(secret));
	text_wipe(&plain);
	text_done(&box);
}

static void test_another_passphrase_or_a_changed_byte_opens_nothing(void **s)
{
	static const char *const wrong[] = { "", "Correct horse", "correct horse " };
	struct text box = sealed(), plain = { 0 };
	struct fault why = { 0 };

	(void)s;
	CASES (c, wrong) {
		assert_int_equal(envelope_open(box.data, box.len, *c, &plain, &why), -EKEYREJECTED);
		assert_string_equal(why.text, "the passphrase is not the right one");
		assert_int_equal(plain.len, 0);
	}
	/* The end of the message is the tag of the encrypted content. */
	box.data[box.len - 1] ^= 1;
	assert_int_equal(envelope_open(box.data, box.len, "correct horse", &plain, &why),
			 -EKEYREJECTED);
	assert_int_equal(plain.len, 0);
	text_done(&box);
}

static void test_what_is_no_message_is_said_to_be_none(void **s)
{
	static const struct {
		const char *data;
		size_t len;
	} cases[] = { { "", 0 }, { "RACKSEED", 8 }, { "0\x80\x06\x09", 4 } };
	struct text plain = { 0 };
	struct fault why = { 0 };

	(void)s;
	CASES (c, cases)
		assert_int_equal(envelope_open(c->data, c->len, "x", &plain, &why), -EBADMSG);
}

static void test_openssl_opens_it_too(void **s)
{
	const char *const argv[] = { "openssl",	       "cms",		"-decrypt",
				     "-inform",	       "DER",		"-binary",
				     "-pwri_password", "correct horse", NULL };
	struct text box = sealed(), plain = { 0 };
	struct fault why = { 0 };
	int r = run(
		&(struct run){
			.argv = argv, .input = box.data, .input_len = box.len, .out = &plain },
		&why);

	(void)s;
	if (r < 0)
		fail_msg("%s", why.text);
	assert_int_equal(plain.len, sizeof(secret));
	assert_memory_equal(plain.data, secret, sizeof(secret));
	text_wipe(&plain);
	text_done(&box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_sealed_comes_out_byte_for_byte),
		cmocka_unit_test(test_another_passphrase_or_a_changed_byte_opens_nothing),
		cmocka_unit_test(test_what_is_no_message_is_said_to_be_none),
		cmocka_unit_test(test_openssl_opens_it_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
