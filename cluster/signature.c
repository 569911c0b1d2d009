/* SPDX-License-Identifier: MIT */
#include "cluster/signature.h"

#include <errno.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/fault.h"
#include "base/text.h"
#include "cluster/pki_crypto.h"

enum { PEM_MAX = 1 << 20, SIGNATURE_MAX = 4096, SECURITY_BITS = 112 };

DEFINE_DROP(digest, EVP_MD_CTX *, EVP_MD_CTX_free)
DEFINE_DROP(key_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)

/* What signs, and the digest that it wants; Ed25519 has its own. */
static const struct {
	const char *type, *digest;
} kinds[] = {
	{ "ED25519", NULL },
	{ "EC", "SHA256" },
	{ "RSA", "SHA256" },
};

/* The digest for the key. -EBADMSG when it is none of the kinds. */
static int find_digest(const EVP_PKEY *key, const char **ret, struct fault *why)
{
	size_t i;

	for (i = 0; i < COUNT(kinds); i++)
		if (EVP_PKEY_is_a(key, kinds[i].type))
			break;
	if (i == COUNT(kinds))
		return fault_set(why, EBADMSG, "a key of another kind than Ed25519, EC and RSA");
	if (EVP_PKEY_get_security_bits(key) < SECURITY_BITS)
		return fault_set(why, EBADMSG, "a key that is too short to be relied on");
	*ret = kinds[i].digest;
	return 0;
}

/* The public half is asked for first: a private key in PEM has another name. */
static int read_either(const char *pem, EVP_PKEY **ret, struct fault *why)
{
	scoped(drop_bio) BIO *bio = NULL;
	size_t n = strlen(pem);

	bio = n > PEM_MAX ? NULL : BIO_new_mem_buf(pem, (int)n);
	*ret = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	ERR_clear_error();
	return *ret ? 0 : pki_read_key(pem, ret, why);
}

/* The file holds both halves; where one was damaged it signs what nobody then takes for signed. */
static int check_halves(EVP_PKEY *key, struct fault *why)
{
	scoped(drop_key_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

	if (!ctx)
		return fault_errno(why, ENOMEM, "signature");
	if (EVP_PKEY_pairwise_check(ctx) == 1)
		return 0;
	ERR_clear_error();
	return fault_set(why, EBADMSG, "its public half does not belong to its private one");
}

int signature_key_check(const char *key, struct fault *why)
{
	scoped(drop_pkey) EVP_PKEY *pkey = NULL;
	const char *digest;
	int r = pki_read_key(key, &pkey, why);

	if (r == 0)
		r = find_digest(pkey, &digest, why);
	return r < 0 ? r : check_halves(pkey, why);
}

int signature_make(const char *key, const char *data, size_t len, struct text *sig,
		   struct fault *why)
{
	scoped(drop_pkey) EVP_PKEY *pkey = NULL;
	scoped(drop_digest) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char bytes[SIGNATURE_MAX];
	size_t n = sizeof(bytes);
	const char *digest = NULL;
	int r = pki_read_key(key, &pkey, why);

	if (r == 0)
		r = find_digest(pkey, &digest, why);
	if (r < 0)
		return r;
	if (!ctx || EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, pkey, NULL) != 1 ||
	    EVP_DigestSign(ctx, bytes, &n, (const unsigned char *)data, len) != 1)
		return pki_openssl_fault(why, EIO, "cannot sign");
	text_add_n(sig, (const char *)bytes, n);
	return text_error(sig) < 0 ? fault_errno(why, ENOMEM, "signature") : 0;
}

int signature_check(const char *pem, const char *data, size_t len, const struct text *sig,
		    struct fault *why)
{
	scoped(drop_pkey) EVP_PKEY *pkey = NULL;
	scoped(drop_digest) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const char *digest = NULL;
	int r = read_either(pem, &pkey, why);

	if (r == 0)
		r = find_digest(pkey, &digest, why);
	if (r < 0)
		return r;
	if (!ctx || EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, pkey, NULL) != 1)
		return pki_openssl_fault(why, EIO, "cannot check a signature");
	r = EVP_DigestVerify(ctx, (const unsigned char *)text_str(sig), sig->len,
			     (const unsigned char *)data, len);
	ERR_clear_error();
	return r == 1 ? 0 : fault_set(why, EKEYREJECTED, "the signature does not fit");
}
