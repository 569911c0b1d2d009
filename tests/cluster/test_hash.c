/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "cluster/hash.h"

/* FIPS 180-2, appendix B, and what sha256sum(1) says of nothing. */
static const struct {
	const char *pieces[4];
	const char *hex;
} cases[] = {
	{ { "" }, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ { "abc" }, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ { "a", "", "bc" }, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ { "abcdbcdecdefdefgefghfghi", "ghijhijkijkljklmklmnlmnomnopnopq" },
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void test_pieces_are_summed_as_one(void **state)
{
	(void)state;
	CASES (c, cases) {
		struct fault why = { 0 };
		struct hash *h = NULL;
		char hex[SEED_DIGEST];
		size_t i;

		assert_int_equal(hash_new(&h, &why), 0);
		for (i = 0; i < 4 && c->pieces[i]; i++)
			assert_int_equal(hash_add(h, c->pieces[i], strlen(c->pieces[i]), &why), 0);
		assert_int_equal(hash_end(h, hex, &why), 0);
		assert_string_equal(hex, c->hex);
		hash_free(h);
	}
	hash_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_are_summed_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
