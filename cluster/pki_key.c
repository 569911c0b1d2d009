/* SPDX-License-Identifier: MIT */
#include "cluster/pki_crypto.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "base/fault.h"
#include "base/text.h"

enum { KEY_BITS = 2048, PEM_MAX = 1 << 20 };

int pki_openssl_fault(struct fault *why, int code, const char *format, ...)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = error ? ERR_reason_error_string(error) : NULL;
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	ERR_clear_error();
	return fault_set(why, code, "%s%s%s", text, reason ? ": " : "", reason ? reason : "");
}

/* Moves what was written to a memory BIO behind out; the BIO's own copy is overwritten. */
static int take_bio(BIO *bio, struct text *out, struct fault *why)
{
	char *data = NULL;
	long n = BIO_get_mem_data(bio, &data);

	if (n <= 0)
		return pki_openssl_fault(why, ENOMEM, "no PEM was written");
	text_add_n(out, data, (size_t)n);
	OPENSSL_cleanse(data, (size_t)n);
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "PEM") : 0;
}

/* "RSA PRIVATE KEY", not "PRIVATE KEY": what kubeadm writes, at every version. */
static int write_key(EVP_PKEY *pkey, struct text *key, struct fault *why)
{
	scoped(drop_bio) BIO *bio = BIO_new(BIO_s_secmem());

	if (!pkey || !bio)
		return pki_openssl_fault(why, EIO, "cannot make a key");
	if (!PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL))
		return pki_openssl_fault(why, EIO, "cannot write a key");
	return take_bio(bio, key, why);
}

int pki_key_new(struct text *key, struct fault *why)
{
	scoped(drop_pkey) EVP_PKEY *pkey = EVP_RSA_gen(KEY_BITS);

	return write_key(pkey, key, why);
}

int pki_key_quick(struct text *key, struct fault *why)
{
	scoped(drop_pkey) EVP_PKEY *pkey = EVP_EC_gen("P-256");

	return write_key(pkey, key, why);
}

int pki_key_signing(struct text *key, struct fault *why)
{
	scoped(drop_pkey) EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	scoped(drop_bio) BIO *bio = BIO_new(BIO_s_secmem());

	if (!pkey || !bio)
		return pki_openssl_fault(why, EIO, "cannot make an Ed25519 key");
	if (!PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL))
		return pki_openssl_fault(why, EIO, "cannot write an Ed25519 key");
	return take_bio(bio, key, why);
}

/* OpenSSL would ask on the terminal for a passphrase; an encrypted key is a fault instead. */
static int no_passphrase(char *buf, int size, int rwflag, void *data)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)data;
	return -1;
}

int pki_read_key(const char *pem, EVP_PKEY **ret_key, struct fault *why)
{
	scoped(drop_bio) BIO *bio = NULL;
	size_t n = strlen(pem);
	EVP_PKEY *pkey;

	bio = n > PEM_MAX ? NULL : BIO_new_mem_buf(pem, (int)n);
	pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	if (!pkey)
		return pki_openssl_fault(why, EBADMSG, "not an unencrypted private key in PEM");
	*ret_key = pkey;
	return 0;
}

int pki_key_public(const char *key, struct text *pub, struct fault *why)
{
	scoped(drop_pkey) EVP_PKEY *pkey = NULL;
	scoped(drop_bio) BIO *bio = BIO_new(BIO_s_mem());
	int r = pki_read_key(key, &pkey, why);

	if (r < 0)
		return r;
	if (!bio || !PEM_write_bio_PUBKEY(bio, pkey))
		return pki_openssl_fault(why, EIO, "cannot write a public key");
	return take_bio(bio, pub, why);
}

int pki_key_matches(const char *pub, const char *key, struct fault *why)
{
	scoped(drop_pkey) EVP_PKEY *private = NULL;
	scoped(drop_pkey) EVP_PKEY *public = NULL;
	scoped(drop_bio) BIO *bio = NULL;
	size_t n = strlen(pub);
	int r = pki_read_key(key, &private, why);

	if (r < 0)
		return r;
	bio = n > PEM_MAX ? NULL : BIO_new_mem_buf(pub, (int)n);
	public = bio ? PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL) : NULL;
	if (!public)
		return pki_openssl_fault(why, EBADMSG, "not a public key in PEM");
	if (EVP_PKEY_eq(public, private) == 1)
		return 0;
	return pki_openssl_fault(why, EKEYREJECTED, "not the public half of its key");
}

int pki_random(size_t n, const char *alphabet, struct text *out, struct fault *why)
{
	size_t n_letters = strlen(alphabet);
	/* Bytes from this on would favour the alphabet's first letters: they are drawn again. */
	size_t limit = 256 - 256 % n_letters;
	unsigned char byte;
	int r = 0;

	while (n > 0 && r == 0) {
		if (RAND_priv_bytes(&byte, 1) != 1) {
			r = pki_openssl_fault(why, EIO, "no random bytes");
		} else if (byte < limit) {
			text_add_n(out, &alphabet[byte % n_letters], 1);
			n--;
		}
	}
	OPENSSL_cleanse(&byte, sizeof(byte));
	if (r == 0 && text_error(out) < 0)
		r = fault_errno(why, ENOMEM, "random text");
	return r;
}

void pki_base64(const char *data, size_t len, struct text *out)
{
	unsigned char quad[8];

	while (len > 0) {
		size_t n = len < 3 ? len : 3;

		EVP_EncodeBlock(quad, (const unsigned char *)data, (int)n);
		text_add_n(out, (const char *)quad, 4);
		data += n;
		len -= n;
	}
	OPENSSL_cleanse(quad, sizeof(quad));
}
