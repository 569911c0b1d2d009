/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_pki.h"

#include <ftw.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* What `rackseed secrets` makes, read back with OpenSSL, and what it leaves alone. */

static const struct model plain = { .name = (char[]){ "lab" } };

static const char *const files[] = {
	"pki/ca.crt",		  "pki/ca.key",		    "pki/etcd/ca.crt", "pki/etcd/ca.key",
	"pki/front-proxy-ca.crt", "pki/front-proxy-ca.key", "pki/sa.pub",      "pki/sa.key",
	"admin.crt",		  "admin.key",		    "token",	       "signing.pub",
	"signing.key",
};

static void create(const struct folder *f, const struct model *m, struct text *report)
{
	struct fault why = { 0 };

	if (pki_create(m, f->secrets, (int64_t)time(NULL), report, &why) < 0)
		fail_msg("%s", why.text);
}

/* One folder with everything in it, for the tests that only look. */
static int setup(void **state)
{
	static struct folder shared;
	struct text report = { 0 };

	folder_open(&shared);
	create(&shared, &plain, &report);
	text_done(&report);
	*state = &shared;
	return 0;
}

static int teardown(void **state)
{
	folder_close(*state);
	return 0;
}

static X509 *read_crt(const struct folder *f, const char *path)
{
	struct text pem = { 0 };
	BIO *bio;
	X509 *crt;

	folder_read(f, path, &pem);
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	crt = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_non_null(crt);
	BIO_free(bio);
	text_done(&pem);
	return crt;
}

static int lasts_days(const X509 *crt)
{
	int days, seconds;

	assert_int_equal(ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(crt)), 1);
	return days + (seconds > 43200);
}

static const struct {
	const char *path, *cn;
} authorities[] = {
	{ "pki/ca.crt", "kubernetes" },
	{ "pki/etcd/ca.crt", "etcd-ca" },
	{ "pki/front-proxy-ca.crt", "front-proxy-ca" },
};

static void test_authorities_are_what_kubeadm_makes(void **state)
{
	CASES(a, authorities)
	{
		X509 *crt = read_crt(*state, a->path);
		const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(crt);
		char name[256];

		X509_NAME_oneline(X509_get_subject_name(crt), name, sizeof(name));
		assert_string_equal(name + strlen("/CN="), a->cn);
		assert_int_equal(X509_NAME_cmp(X509_get_subject_name(crt),
					       X509_get_issuer_name(crt)), 0);
		assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(crt)), 1);
		assert_int_equal(X509_get_version(crt), X509_VERSION_3);
		assert_int_equal(X509_get_signature_nid(crt), NID_sha256WithRSAEncryption);
		assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(crt)), 2048);
		assert_int_equal(X509_get_key_usage(crt), KU_DIGITAL_SIGNATURE |
				 KU_KEY_ENCIPHERMENT | KU_KEY_CERT_SIGN);
		assert_int_equal(X509_get_extended_key_usage(crt), UINT32_MAX);
		assert_true(X509_get_extension_flags(crt) & EXFLAG_CA);
		assert_int_equal(X509_get_pathlen(crt), -1);
		assert_non_null(id);
		assert_int_equal(ASN1_STRING_length(id), 20);
		assert_null(X509_get0_authority_key_id(crt));
		assert_int_equal(X509_check_host(crt, a->cn, 0, 0, NULL), 1);
		assert_int_equal(lasts_days(crt), 3650);
		assert_true(X509_cmp_current_time(X509_get0_notBefore(crt)) < 0);
		assert_int_equal(X509_get_ext_count(crt), 4);
		X509_free(crt);
	}
}

/* The same through the program that people look with, so that names and criticality are seen. */
static void test_openssl_shows_the_extensions_in_kubeadms_words(void **state)
{
	const struct folder *f = *state;
	struct text out = { 0 };
	char path[128];

	static const char *const lines[] = {
		"Signature Algorithm: sha256WithRSAEncryption",
		"Issuer: CN = etcd-ca",
		"Subject: CN = etcd-ca",
		"Public-Key: (2048 bit)",
		("X509v3 Key Usage: critical\n"
		 "                Digital Signature, Key Encipherment, Certificate Sign\n"),
		"X509v3 Basic Constraints: critical\n                CA:TRUE\n",
		"X509v3 Subject Key Identifier: \n",
		"X509v3 Subject Alternative Name: \n                DNS:etcd-ca\n",
	};

	snprintf(path, sizeof(path), "%s/secrets/pki/etcd/ca.crt", f->path);
	openssl((const char *[]){ "openssl", "x509", "-noout", "-text", "-in", path, NULL }, &out);
	CASES(line, lines)
	if (!strstr(text_str(&out), *line))
		fail_msg("no '%s' in:\n%s", *line, text_str(&out));
	text_done(&out);
	openssl((const char *[]){ "openssl", "asn1parse", "-in", path, NULL }, &out);
	assert_non_null(strstr(text_str(&out), "PRINTABLESTRING   :etcd-ca"));
	assert_null(strstr(text_str(&out), "UTF8STRING"));
	text_done(&out);
}

static void test_admin_is_a_client_of_the_cluster_ca(void **state)
{
	const struct folder *f = *state;
	X509 *crt = read_crt(f, "admin.crt");
	struct text out = { 0 };
	char name[256], path[128], ca[128];

	X509_NAME_oneline(X509_get_subject_name(crt), name, sizeof(name));
	assert_string_equal(name, "/O=system:masters/CN=kubernetes-admin");
	assert_int_equal(X509_get_extended_key_usage(crt), XKU_SSL_CLIENT);
	assert_int_equal(X509_get_key_usage(crt), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_false(X509_get_extension_flags(crt) & EXFLAG_CA);
	assert_non_null(X509_get0_authority_key_id(crt));
	assert_int_equal(lasts_days(crt), 365);
	X509_free(crt);
	snprintf(path, sizeof(path), "%s/secrets/admin.crt", f->path);
	snprintf(ca, sizeof(ca), "%s/secrets/pki/ca.crt", f->path);
	openssl((const char *[]){ "openssl", "verify", "-x509_strict", "-purpose", "sslclient",
				  "-CAfile", ca, path, NULL }, &out);
	assert_non_null(strstr(text_str(&out), ": OK"));
	text_done(&out);
}

static const struct {
	const char *path, *first;
} pems[] = {
	{ "pki/ca.key", "-----BEGIN RSA PRIVATE KEY-----\n" },
	{ "pki/etcd/ca.key", "-----BEGIN RSA PRIVATE KEY-----\n" },
	{ "pki/front-proxy-ca.key", "-----BEGIN RSA PRIVATE KEY-----\n" },
	{ "pki/sa.key", "-----BEGIN RSA PRIVATE KEY-----\n" },
	{ "pki/sa.pub", "-----BEGIN PUBLIC KEY-----\n" },
	{ "admin.key", "-----BEGIN RSA PRIVATE KEY-----\n" },
	{ "signing.key", "-----BEGIN PRIVATE KEY-----\n" },
	{ "signing.pub", "-----BEGIN PUBLIC KEY-----\n" },
	{ "pki/ca.crt", "-----BEGIN CERTIFICATE-----\n" },
};

static void test_pem_blocks_are_named_as_kubeadm_names_them(void **state)
{
	struct text pem = { 0 };

	CASES(p, pems)
	{
		folder_read(*state, p->path, &pem);
		assert_int_equal(strncmp(text_str(&pem), p->first, strlen(p->first)), 0);
	}
	text_done(&pem);
}

static void test_no_two_authorities_share_a_key_or_serial(void **state)
{
	X509 *a = read_crt(*state, "pki/ca.crt");
	X509 *b = read_crt(*state, "pki/etcd/ca.crt");

	assert_int_not_equal(EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)), 1);
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(a),
					      X509_get0_serialNumber(b)), 0);
	assert_int_equal(ASN1_STRING_type(X509_get0_serialNumber(a)), V_ASN1_INTEGER);
	X509_free(a);
	X509_free(b);
}

static int n_seen;

static int see_mode(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	mode_t want = type == FTW_D ? 0700 : 0600;

	(void)ftw;
	n_seen++;
	if ((st->st_mode & 07777) != want)
		fail_msg("%s has mode %04o", path, st->st_mode & 07777);
	return 0;
}

static void test_modes_do_not_depend_on_the_umask(void **state)
{
	static const mode_t masks[] = { 0, 077, 0177 };

	(void)state;
	CASES(mask, masks)
	{
		struct text report = { 0 };
		struct folder f;
		char path[128];
		mode_t old;

		folder_open(&f);
		old = umask(*mask);
		create(&f, &plain, &report);
		umask(old);
		snprintf(path, sizeof(path), "%s/secrets", f.path);
		n_seen = 0;
		assert_int_equal(nftw(path, see_mode, 8, FTW_PHYS), 0);
		assert_int_equal(n_seen, COUNT(files) + 3); /* and three folders */
		text_done(&report);
		folder_close(&f);
	}
}

static void test_report_names_each_file_once(void **state)
{
	struct text report = { 0 };
	struct folder f;
	size_t n_lines = 0;
	const char *p;

	(void)state;
	folder_open(&f);
	create(&f, &plain, &report);
	CASES(file, files)
	{
		char word[64];

		snprintf(word, sizeof(word), "secrets/%s ", *file);
		p = strstr(text_str(&report), word);
		assert_non_null(p);
		assert_null(strstr(p + 1, word));
	}
	for (p = text_str(&report); *p; p++)
		n_lines += *p == '\n';
	assert_int_equal(n_lines, COUNT(files));
	assert_null(strstr(text_str(&report), "PRIVATE"));
	text_done(&report);
	folder_close(&f);
}

static void test_a_key_that_the_document_names_is_not_made(void **state)
{
	struct model m = { .name = (char[]){ "lab" },
			   .signing.key_file = (char[]){ "secrets/ours.key" } };
	struct text report = { 0 };
	struct folder f;

	(void)state;
	folder_open(&f);
	create(&f, &m, &report);
	assert_non_null(strstr(text_str(&report), "secrets/pki/sa.key"));
	assert_null(strstr(text_str(&report), "signing"));
	text_done(&report);
	folder_close(&f);
}

static void test_second_run_writes_nothing(void **state)
{
	const struct folder *f = *state;
	struct stat before[COUNT(files) + 2], after;
	struct text report = { 0 };
	size_t i;

	for (i = 0; i < COUNT(files); i++)
		assert_int_equal(fstatat(f->secrets, files[i], &before[i], 0), 0);
	assert_int_equal(fstatat(f->secrets, "pki", &before[i], 0), 0);
	assert_int_equal(fstatat(f->secrets, ".", &before[i + 1], 0), 0);
	create(f, &plain, &report);
	assert_int_equal(report.len, 0);
	for (i = 0; i < COUNT(files) + 2; i++) {
		const char *name = i < COUNT(files) ? files[i] : i == COUNT(files) ? "pki" : ".";

		assert_int_equal(fstatat(f->secrets, name, &after, 0), 0);
		assert_int_equal(after.st_ino, before[i].st_ino);
		assert_memory_equal(&after.st_mtim, &before[i].st_mtim, sizeof(after.st_mtim));
		assert_memory_equal(&after.st_ctim, &before[i].st_ctim, sizeof(after.st_ctim));
	}
}

static void test_only_what_is_missing_is_made(void **state)
{
	const struct folder *f = *state;
	struct text report = { 0 }, before = { 0 }, after = { 0 };
	struct fault why = { 0 };

	folder_read(f, "pki/ca.key", &before);
	assert_true(fs_remove(f->secrets, "pki/sa.key", &why) == FS_CHANGED);
	assert_true(fs_remove(f->secrets, "pki/sa.pub", &why) == FS_CHANGED);
	assert_true(fs_remove(f->secrets, "token", &why) == FS_CHANGED);
	create(f, &plain, &report);
	assert_non_null(strstr(text_str(&report), "secrets/pki/sa.key"));
	assert_non_null(strstr(text_str(&report), "secrets/token"));
	assert_null(strstr(text_str(&report), "ca."));
	folder_read(f, "pki/ca.key", &after);
	assert_string_equal(text_str(&before), text_str(&after));
	text_done(&report);
	text_done(&before);
	text_done(&after);
}

/* Puts each kind of damage there, sees the fault, and puts the file back. */
static const struct damage {
	const char *path;
	const char *content; /* NULL: removed; "=PATH": the bytes of another file */
	mode_t mode;
	int code;
	const char *says[3];
} damages[] = {
	{ "pki/ca.key", NULL, 0600, ENOKEY,
	  { "secrets/pki/ca.crt is there without secrets/pki/ca.key", "cluster CA",
	    "remove secrets/pki/ca.crt" } },
	{ "pki/ca.crt", NULL, 0600, ENOKEY,
	  { "secrets/pki/ca.key is there without secrets/pki/ca.crt" } },
	{ "pki/etcd/ca.key", NULL, 0600, ENOKEY, { "secrets/pki/etcd/ca.crt is there without" } },
	{ "pki/front-proxy-ca.crt", NULL, 0600, ENOKEY,
	  { "without secrets/pki/front-proxy-ca.crt" } },
	{ "pki/sa.pub", NULL, 0600, ENOKEY, { "secrets/pki/sa.key is there without" } },
	{ "admin.key", NULL, 0600, ENOKEY, { "secrets/admin.crt is there without" } },
	{ "pki/ca.key", "=pki/etcd/ca.key", 0600, EKEYREJECTED,
	  { "secrets/pki/ca.crt and secrets/pki/ca.key", "not that of the certificate",
	    "remove both" } },
	{ "signing.key", NULL, 0600, ENOKEY,
	  { "secrets/signing.pub is there without secrets/signing.key", "signature of images" } },
	{ "signing.key", "=pki/sa.key", 0600, EKEYREJECTED,
	  { "secrets/signing.pub and secrets/signing.key", "remove both" } },
	{ "pki/sa.pub", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", 0600,
	  EBADMSG, { "secrets/pki/sa.pub", "not a public key in PEM" } },
	{ "pki/sa.key", "=pki/ca.key", 0600, EKEYREJECTED, { "not the public half" } },
	{ "pki/ca.crt", "", 0600, EBADMSG, { "not a certificate in PEM" } },
	{ "pki/ca.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
			"-----END ENCRYPTED PRIVATE KEY-----\n", 0600, EBADMSG,
	  { "not an unencrypted private key" } },
	{ "admin.crt", "=pki/ca.crt", 0600, EKEYREJECTED, { "secrets/admin.crt" } },
	{ "token", "abcdef.0123456789ABCDEF\n", 0600, EBADMSG,
	  { "secrets/token is no bootstrap token" } },
	{ "token", "abcdef.0123456789abcdef", 0640, EPERM,
	  { "secrets/token is open to others (mode 0640)", "chmod 600 secrets/token" } },
	{ "pki/ca.key", "=pki/ca.key", 0604, EPERM, { "chmod 600 secrets/pki/ca.key" } },
};

static void test_damage_is_a_fault_that_names_file_and_remedy(void **state)
{
	const struct folder *f = *state;
	struct text saved = { 0 }, other = { 0 }, report = { 0 };
	struct fault why = { 0 };

	CASES(d, damages)
	{
		folder_read(f, d->path, &saved);
		assert_true(fs_remove(f->secrets, d->path, &why) == FS_CHANGED);
		if (d->content && d->content[0] == '=') {
			if (strcmp(d->content + 1, d->path) != 0)
				folder_read(f, d->content + 1, &other);
			folder_write(f, d->path, strcmp(d->content + 1, d->path) != 0
							 ? text_str(&other) : text_str(&saved));
		} else if (d->content) {
			folder_write(f, d->path, d->content);
		}
		if (d->content)
			assert_int_equal(fchmodat(f->secrets, d->path, d->mode, 0), 0);
		if (pki_create(&plain, f->secrets, (int64_t)time(NULL), &report, &why) != -d->code)
			fail_msg("%s: %s", d->path, why.text);
		CASES(words, d->says)
		if (*words && !strstr(why.text, *words))
			fail_msg("no '%s' in: %s", *words, why.text);
		assert_int_equal(report.len, 0); /* and nothing was made */
		folder_write(f, d->path, text_str(&saved));
		assert_int_equal(fchmodat(f->secrets, d->path, 0600, 0), 0);
	}
	text_done(&saved);
	text_done(&other);
}

static void test_wide_folders_are_refused(void **state)
{
	static const struct {
		const char *path, *says;
	} folders[] = {
		{ ".", "chmod 700 secrets/'" },
		{ "pki", "chmod 700 secrets/pki'" },
		{ "pki/etcd", "chmod 700 secrets/pki/etcd'" },
	};
	const struct folder *f = *state;
	struct text report = { 0 };
	struct fault why = { 0 };

	CASES(c, folders)
	{
		assert_int_equal(fchmodat(f->secrets, c->path, 0750, 0), 0);
		assert_int_equal(pki_create(&plain, f->secrets, (int64_t)time(NULL), &report, &why),
				 -EPERM);
		assert_non_null(strstr(why.text, c->says));
		assert_int_equal(fchmodat(f->secrets, c->path, 0700, 0), 0);
	}
	create(f, &plain, &report);
}

static void test_expired_authority_is_told(void **state)
{
	const struct folder *f = *state;
	struct text report = { 0 };
	struct fault why = { 0 };
	int64_t later = (int64_t)time(NULL) + INT64_C(3660) * 86400;

	assert_int_equal(pki_create(&plain, f->secrets, later, &report, &why), -EKEYEXPIRED);
	assert_non_null(strstr(why.text, "secrets/pki/ca.crt"));
	assert_non_null(strstr(why.text, "expired at"));
}

static void test_static_token_makes_no_file(void **state)
{
	struct model m = { .token = (char[]){ "abcdef.0123456789abcdef" } };
	struct text report = { 0 }, token = { 0 };
	struct fault why = { 0 };
	struct folder f;
	struct stat st;

	(void)state;
	folder_open(&f);
	create(&f, &m, &report);
	assert_int_equal(fstatat(f.secrets, "token", &st, 0), -1);
	assert_int_equal(pki_token(&m, f.secrets, &token, &why), 0);
	assert_string_equal(text_str(&token), m.token);
	text_done(&report);
	text_done(&token);
	folder_close(&f);
}

static void test_token_has_its_form(void **state)
{
	struct text token = { 0 };
	struct fault why = { 0 };

	assert_int_equal(pki_token(&plain, ((struct folder *)*state)->secrets, &token, &why), 0);
	assert_int_equal(token.len, 23);
	assert_int_equal(strspn(text_str(&token), "abcdefghijklmnopqrstuvwxyz0123456789"), 6);
	assert_int_equal(token.data[6], '.');
	text_done(&token);
}

static void test_run_beside_another_is_refused(void **state)
{
	const struct folder *f = *state;
	struct text report = { 0 };
	struct fault why = { 0 };
	int other = openat(f->fd, "secrets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(flock(other, LOCK_EX), 0);
	assert_true(pki_create(&plain, f->secrets, (int64_t)time(NULL), &report, &why) < 0);
	assert_non_null(strstr(why.text, "another rackseed"));
	close(other);
	create(f, &plain, &report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authorities_are_what_kubeadm_makes),
		cmocka_unit_test(test_openssl_shows_the_extensions_in_kubeadms_words),
		cmocka_unit_test(test_admin_is_a_client_of_the_cluster_ca),
		cmocka_unit_test(test_pem_blocks_are_named_as_kubeadm_names_them),
		cmocka_unit_test(test_no_two_authorities_share_a_key_or_serial),
		cmocka_unit_test(test_modes_do_not_depend_on_the_umask),
		cmocka_unit_test(test_report_names_each_file_once),
		cmocka_unit_test(test_a_key_that_the_document_names_is_not_made),
		cmocka_unit_test(test_second_run_writes_nothing),
		cmocka_unit_test(test_only_what_is_missing_is_made),
		cmocka_unit_test(test_damage_is_a_fault_that_names_file_and_remedy),
		cmocka_unit_test(test_wide_folders_are_refused),
		cmocka_unit_test(test_expired_authority_is_told),
		cmocka_unit_test(test_static_token_makes_no_file),
		cmocka_unit_test(test_token_has_its_form),
		cmocka_unit_test(test_run_beside_another_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
