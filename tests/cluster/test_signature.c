/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_pki.h"

#include "cluster/signature.h"

/* Signatures against openssl(1) as the other side: what it made, we check, and the reverse. */

#define DATA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  w1.qcow2\n"

/* The keys that somebody may bring, as openssl(1) is asked for them and checks what they signed. */
static const struct kind {
	const char *make[6];
	const char *digest; /* NULL: its own */
} kinds[] = {
	{ { "-algorithm", "ed25519" }, NULL },
	{ { "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256" }, "sha256" },
	{ { "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048" }, "sha256" },
};

/* A path in the folder; buf is the caller's. */
static const char *in(const struct folder *f, const char *name, char buf[128])
{
	snprintf(buf, 128, "%s/secrets/%s", f->path, name);
	return buf;
}

static void make_key(const struct folder *f, const struct kind *k, const char *name)
{
	char path[128];
	const char *argv[10] = { "openssl", "genpkey", "-out", in(f, name, path) };
	struct text out = { 0 };
	size_t i;

	for (i = 0; k->make[i]; i++)
		argv[4 + i] = k->make[i];
	openssl(argv, &out);
	text_done(&out);
}

static void make_public(const struct folder *f, const char *key, const char *pub)
{
	char from[128], to[128];
	struct text out = { 0 };

	openssl((const char *[]){ "openssl", "pkey", "-in", in(f, key, from), "-pubout", "-out",
				  in(f, pub, to), NULL },
		&out);
	text_done(&out);
}

/* openssl pkeyutl -sign or -verify with the files key, data and sig of the folder. */
static int pkeyutl(const struct folder *f, const struct kind *k, bool signs, const char *key)
{
	char key_path[128], data[128], sig[128];
	const char *argv[16] = { "openssl",
				 "pkeyutl",
				 signs ? "-sign" : "-verify",
				 "-inkey",
				 in(f, key, key_path),
				 "-rawin",
				 "-in",
				 in(f, "data", data),
				 signs ? "-out" : "-sigfile",
				 in(f, "sig", sig) };
	struct text out = { 0 };
	struct fault why = { 0 };
	size_t n = 10;
	int r;

	if (!signs)
		argv[n++] = "-pubin";
	if (k->digest) {
		argv[n++] = "-digest";
		argv[n++] = k->digest;
	}
	r = run(&(struct run){ .argv = argv, .out = &out }, &why);
	text_done(&out);
	return r;
}

static void test_openssl_checks_what_was_signed(void **state)
{
	(void)state;
	CASES (k, kinds) {
		struct text key = { 0 }, sig = { 0 };
		struct fault why = { 0 };
		struct folder f;

		folder_open(&f);
		make_key(&f, k, "key");
		make_public(&f, "key", "pub");
		folder_read(&f, "key", &key);
		folder_write(&f, "data", DATA);
		assert_int_equal(signature_key_check(text_str(&key), &why), 0);
		assert_int_equal(signature_make(text_str(&key), DATA, strlen(DATA), &sig, &why), 0);
		assert_true(fs_write(f.secrets, "sig", 0600, sig.data, sig.len, &why) >= 0);
		assert_int_equal(pkeyutl(&f, k, false, "pub"), 0);
		folder_write(&f, "data", DATA "\n");
		assert_true(pkeyutl(&f, k, false, "pub") < 0);
		text_done(&sig);
		text_done(&key);
		folder_close(&f);
	}
}

static void test_what_openssl_signed_is_checked(void **state)
{
	(void)state;
	CASES (k, kinds) {
		struct text key = { 0 }, pub = { 0 }, other = { 0 }, sig = { 0 };
		struct fault why = { 0 };
		struct folder f;

		folder_open(&f);
		make_key(&f, k, "key");
		make_key(&f, k, "other");
		make_public(&f, "key", "pub");
		folder_write(&f, "data", DATA);
		assert_int_equal(pkeyutl(&f, k, true, "key"), 0);
		folder_read(&f, "key", &key);
		folder_read(&f, "pub", &pub);
		folder_read(&f, "other", &other);
		folder_read(&f, "sig", &sig);
		assert_int_equal(signature_check(text_str(&pub), DATA, strlen(DATA), &sig, &why),
				 0);
		assert_int_equal(signature_check(text_str(&key), DATA, strlen(DATA), &sig, &why),
				 0);
		assert_int_equal(signature_check(text_str(&other), DATA, strlen(DATA), &sig, &why),
				 -EKEYREJECTED);
		assert_int_equal(
			signature_check(text_str(&pub), DATA, strlen(DATA) - 1, &sig, &why),
			-EKEYREJECTED);
		sig.data[sig.len / 2] ^= 1;
		assert_int_equal(signature_check(text_str(&pub), DATA, strlen(DATA), &sig, &why),
				 -EKEYREJECTED);
		sig.len = 0;
		assert_int_equal(signature_check(text_str(&pub), DATA, strlen(DATA), &sig, &why),
				 -EKEYREJECTED);
		text_done(&sig);
		text_done(&other);
		text_done(&pub);
		text_done(&key);
		folder_close(&f);
	}
}

static void test_ours_gives_the_same_for_the_same(void **state)
{
	struct text report = { 0 }, key = { 0 }, a = { 0 }, b = { 0 };
	struct model m = { .name = (char[]){ "lab" } };
	struct fault why = { 0 };
	struct folder f;

	(void)state;
	folder_open(&f);
	assert_int_equal(pki_create(&m, f.secrets, (int64_t)time(NULL), &report, &why), 0);
	folder_read(&f, "signing.key", &key);
	assert_int_equal(signature_make(text_str(&key), DATA, strlen(DATA), &a, &why), 0);
	assert_int_equal(signature_make(text_str(&key), DATA, strlen(DATA), &b, &why), 0);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	text_done(&a);
	text_done(&b);
	text_done(&key);
	text_done(&report);
	folder_close(&f);
}

/* Found by the fuzzer: one letter of the public half is another; OpenSSL reads it and signs. */
static const char half_damaged[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnGOd48sghdqka33h\n"
	"VamkxkVhQuo5K14jp0YNXs1aP46hRANCAASizsvB27ICSCK1LE3gn922Zk/jTs+2\n"
	"nlDwz5BVxvXpHi2iSW+j6Sq4ENb44cP46uhP4PCxSFkNoo3yGRV5/F46\n"
	"-----END PRIVATE KEY-----\n";

static void test_what_is_no_such_key_is_refused(void **state)
{
	static const struct kind bad[] = {
		{ { "-algorithm", "x25519" }, NULL },
		{ { "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024" }, NULL },
	};
	struct text key = { 0 }, sig = { 0 };
	struct fault why = { 0 };
	struct folder f;

	(void)state;
	folder_open(&f);
	CASES (k, bad) {
		make_key(&f, k, "key");
		folder_read(&f, "key", &key);
		assert_int_equal(signature_key_check(text_str(&key), &why), -EBADMSG);
		assert_int_equal(signature_make(text_str(&key), DATA, strlen(DATA), &sig, &why),
				 -EBADMSG);
		assert_int_equal(signature_check(text_str(&key), DATA, strlen(DATA), &sig, &why),
				 -EBADMSG);
	}
	assert_int_equal(signature_key_check("", &why), -EBADMSG);
	assert_int_equal(signature_key_check(half_damaged, &why), -EBADMSG);
	assert_non_null(strstr(why.text, "public half"));
	assert_int_equal(signature_check("no key", DATA, strlen(DATA), &sig, &why), -EBADMSG);
	assert_int_equal(sig.len, 0);
	make_key(&f, &kinds[0], "key");
	make_public(&f, "key", "pub");
	folder_read(&f, "pub", &key);
	assert_int_equal(signature_key_check(text_str(&key), &why), -EBADMSG);
	text_done(&key);
	folder_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_checks_what_was_signed),
		cmocka_unit_test(test_what_openssl_signed_is_checked),
		cmocka_unit_test(test_ours_gives_the_same_for_the_same),
		cmocka_unit_test(test_what_is_no_such_key_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
