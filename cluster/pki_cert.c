/* SPDX-License-Identifier: MIT */
#include "cluster/pki.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/fault.h"
#include "base/text.h"
#include "cluster/pki_crypto.h"

enum { PEM_MAX = 1 << 20, DATE_LEN = 32 };

DEFINE_DROP(extension, X509_EXTENSION *, X509_EXTENSION_free)
DEFINE_DROP(bignum, BIGNUM *, BN_free)
DEFINE_DROP(store, X509_STORE *, X509_STORE_free)
DEFINE_DROP(context, X509_STORE_CTX *, X509_STORE_CTX_free)

/* In the order in which Go's crypto/x509, which kubeadm uses, writes them. */
static const struct extension {
	int nid;
	enum { CA, CLIENT, SERVER } kind;
	const char *value; /* in the words of openssl's x509v3_config */
} extensions[] = {
	{ NID_key_usage, CA, "critical,digitalSignature,keyEncipherment,keyCertSign" },
	{ NID_key_usage, CLIENT, "critical,digitalSignature,keyEncipherment" },
	{ NID_key_usage, SERVER, "critical,digitalSignature,keyEncipherment" },
	{ NID_ext_key_usage, CLIENT, "clientAuth" },
	{ NID_ext_key_usage, SERVER, "serverAuth" },
	{ NID_basic_constraints, CA, "critical,CA:TRUE" },
	{ NID_basic_constraints, CLIENT, "critical,CA:FALSE" },
	{ NID_basic_constraints, SERVER, "critical,CA:FALSE" },
	{ NID_subject_key_identifier, CA, "hash" },
	{ NID_authority_key_identifier, CLIENT, "keyid:always" },
	{ NID_authority_key_identifier, SERVER, "keyid:always" },
	{ NID_subject_alt_name, CA, "DNS:" }, /* and the common name */
	{ NID_subject_alt_name, SERVER, "" }, /* and the request's names */
};

int pki_read_crt(const char *pem, X509 **ret_crt, struct fault *why)
{
	scoped(drop_bio) BIO *bio = NULL;
	size_t n = strlen(pem);
	X509 *crt;

	bio = n > PEM_MAX ? NULL : BIO_new_mem_buf(pem, (int)n);
	crt = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (!crt)
		return pki_openssl_fault(why, EBADMSG, "not a certificate in PEM");
	*ret_crt = crt;
	return 0;
}

static bool add_name(X509_NAME *name, int nid, const char *value)
{
	return X509_NAME_add_entry_by_NID(name, nid, V_ASN1_PRINTABLESTRING,
					  (const unsigned char *)value, -1, -1, 0) == 1;
}

/* 63 random bits, never 0, as kubeadm draws them. */
static bool set_serial(X509 *crt)
{
	scoped(drop_bignum) BIGNUM *serial = BN_new();

	return serial && BN_rand(serial, 63, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
	       (!BN_is_zero(serial) || BN_add_word(serial, 1)) &&
	       BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(crt));
}

static bool set_period(X509 *crt, const struct pki_request *request, X509 *issuer)
{
	bool began = request->not_before
			     ? ASN1_TIME_set(X509_getm_notBefore(crt), request->not_before) != NULL
			     : X509_set1_notBefore(crt, X509_get0_notBefore(issuer)) == 1;

	return began && ASN1_TIME_set(X509_getm_notAfter(crt), request->not_after) != NULL;
}

static bool add_extension(X509 *crt, X509 *issuer, int nid, const char *value)
{
	scoped(drop_extension) X509_EXTENSION *extension = NULL;
	X509V3_CTX context;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, crt, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	return extension && X509_add_ext(crt, extension, -1) == 1;
}

static bool add_extensions(X509 *crt, X509 *issuer, const struct pki_request *request)
{
	const char *names = request->names ? request->names : request->name;
	const struct extension *e;

	for (e = extensions; e < extensions + COUNT(extensions); e++) {
		scoped(text_done) struct text value = { 0 };

		if (e->kind != (issuer == crt ? CA : request->names ? SERVER : CLIENT))
			continue;
		text_addf(&value, "%s%s", e->value, e->nid == NID_subject_alt_name ? names : "");
		if (text_error(&value) < 0 || !add_extension(crt, issuer, e->nid, text_str(&value)))
			return false;
	}
	return true;
}

static bool fill(X509 *crt, const struct pki_request *request, EVP_PKEY *key, X509 *issuer)
{
	X509_NAME *name = X509_get_subject_name(crt);

	if (!X509_set_version(crt, X509_VERSION_3) || !set_serial(crt) ||
	    !set_period(crt, request, issuer) || !X509_set_pubkey(crt, key))
		return false;
	if (request->organization && !add_name(name, NID_organizationName, request->organization))
		return false;
	return add_name(name, NID_commonName, request->name) &&
	       X509_set_issuer_name(crt, X509_get_subject_name(issuer)) &&
	       add_extensions(crt, issuer, request);
}

static int write_crt(X509 *crt, struct text *out, struct fault *why)
{
	scoped(drop_bio) BIO *bio = BIO_new(BIO_s_mem());
	char *data = NULL;
	long n;

	if (!bio || !PEM_write_bio_X509(bio, crt))
		return pki_openssl_fault(why, EIO, "cannot write a certificate");
	n = BIO_get_mem_data(bio, &data);
	text_add_n(out, data, (size_t)n);
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "certificate") : 0;
}

int pki_issue(const struct pki_request *request, const char *key, struct text *crt,
	      struct fault *why)
{
	scoped(drop_pkey) EVP_PKEY *own = NULL;
	scoped(drop_pkey) EVP_PKEY *signer = NULL;
	scoped(drop_x509) X509 *ca = NULL;
	scoped(drop_x509) X509 *made = X509_new();
	int r = pki_read_key(key, &own, why);

	if (r == 0 && request->ca_key)
		r = pki_read_key(request->ca_key, &signer, why);
	if (r == 0 && request->ca_crt)
		r = pki_read_crt(request->ca_crt, &ca, why);
	if (r < 0)
		return r;
	if (!made || !fill(made, request, own, ca ? ca : made) ||
	    !X509_sign(made, signer ? signer : own, EVP_sha256()))
		return pki_openssl_fault(why, EIO, "cannot make certificate '%s'", request->name);
	return write_crt(made, crt, why);
}

/* Every certificate in the PEM text becomes a trusted one. */
static int fill_store(const char *ca, X509_STORE *store, struct fault *why)
{
	scoped(drop_bio) BIO *bio = NULL;
	size_t n = strlen(ca);
	int n_found = 0;

	bio = n > PEM_MAX ? NULL : BIO_new_mem_buf(ca, (int)n);
	while (bio) {
		scoped(drop_x509) X509 *crt = PEM_read_bio_X509(bio, NULL, NULL, NULL);

		if (!crt)
			break;
		if (X509_STORE_add_cert(store, crt) != 1)
			return pki_openssl_fault(why, ENOMEM, "CA certificate");
		n_found++;
	}
	if (n_found == 0)
		return pki_openssl_fault(why, EBADMSG, "the CA is not a certificate in PEM");
	ERR_clear_error();
	return 0;
}

static int64_t seconds(const ASN1_TIME *t)
{
	struct tm tm = { 0 };

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : INT64_MIN;
}

static const char *date(int64_t t, char buf[static DATE_LEN])
{
	time_t when = (time_t)t;
	struct tm tm = { 0 };

	if (!gmtime_r(&when, &tm) || strftime(buf, DATE_LEN, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(buf, DATE_LEN, "?");
	return buf;
}

/* Turns OpenSSL's verdict on crt into a fault. */
static int refuse(X509_STORE_CTX *context, X509 *crt, int64_t now, struct fault *why)
{
	int error = X509_STORE_CTX_get_error(context);
	const char *whose = X509_STORE_CTX_get_error_depth(context) > 0 ? "its CA" : "it";
	X509 *bad = X509_STORE_CTX_get_current_cert(context);
	char then[DATE_LEN], today[DATE_LEN];

	bad = bad ? bad : crt;
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return fault_set(why, EKEYEXPIRED, "%s expired at %s (the clock says %s)", whose,
				 date(seconds(X509_get0_notAfter(bad)), then), date(now, today));
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return fault_set(why, EKEYEXPIRED, "%s is valid from %s only (the clock says %s)",
				 whose, date(seconds(X509_get0_notBefore(bad)), then),
				 date(now, today));
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return fault_set(why, EKEYREJECTED, "not signed by this cluster's CA");
	default:
		return fault_set(why, EKEYREJECTED, "%s", X509_verify_cert_error_string(error));
	}
}

int pki_verify(const char *crt, const char *ca, int64_t now, struct fault *why)
{
	scoped(drop_store) X509_STORE *store = X509_STORE_new();
	scoped(drop_context) X509_STORE_CTX *context = X509_STORE_CTX_new();
	scoped(drop_x509) X509 *leaf = NULL;
	int r = pki_read_crt(crt, &leaf, why);

	if (r < 0)
		return r;
	if (!store || !context)
		return pki_openssl_fault(why, ENOMEM, "certificate check");
	r = fill_store(ca, store, why);
	if (r < 0)
		return r;
	if (X509_STORE_CTX_init(context, store, leaf, NULL) != 1)
		return pki_openssl_fault(why, ENOMEM, "certificate check");
	X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), (time_t)now);
	r = X509_verify_cert(context) == 1 ? 0 : refuse(context, leaf, now, why);
	ERR_clear_error();
	return r;
}

int pki_check_ca(const char *crt, struct fault *why)
{
	scoped(drop_x509) X509 *x = NULL;
	int r = pki_read_crt(crt, &x, why);

	if (r < 0)
		return r;
	return X509_check_ca(x) > 0 ? 0 : fault_set(why, EKEYREJECTED, "not a CA certificate");
}

static int span(const char *crt, const ASN1_TIME *(*border)(const X509 *), const char *name,
		int64_t *ret_time, struct fault *why)
{
	scoped(drop_x509) X509 *x = NULL;
	int r = pki_read_crt(crt, &x, why);
	int64_t t;

	if (r < 0)
		return r;
	t = seconds(border(x));
	if (t == INT64_MIN)
		return fault_set(why, EBADMSG, "the certificate bears no date of its %s", name);
	*ret_time = t;
	return 0;
}

int pki_not_before(const char *crt, int64_t *ret_time, struct fault *why)
{
	return span(crt, X509_get0_notBefore, "beginning", ret_time, why);
}

int pki_not_after(const char *crt, int64_t *ret_time, struct fault *why)
{
	return span(crt, X509_get0_notAfter, "end", ret_time, why);
}

int pki_keypair(const char *crt, const char *key, struct fault *why)
{
	scoped(drop_x509) X509 *x = NULL;
	scoped(drop_pkey) EVP_PKEY *pkey = NULL;
	int r = pki_read_crt(crt, &x, why);

	if (r == 0)
		r = pki_read_key(key, &pkey, why);
	if (r < 0)
		return r;
	if (X509_check_private_key(x, pkey) == 1)
		return 0;
	ERR_clear_error();
	return fault_set(why, EKEYREJECTED, "the key is not that of the certificate");
}
