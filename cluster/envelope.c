/* SPDX-License-Identifier: MIT */
#include "cluster/envelope.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/pki_crypto.h"

DEFINE_DROP(cms, CMS_ContentInfo *, CMS_ContentInfo_free)

/* A guess costs this many rounds of HMAC; a server takes a second for it, once. */
enum { ROUNDS = 600000 };

static int add_passphrase(CMS_ContentInfo *cms, const char *passphrase)
{
	size_t len = strlen(passphrase);
	unsigned char *copy = OPENSSL_memdup(passphrase, len);

	if (!copy)
		return 0;
	/* The message owns the copy from then on. */
	if (CMS_add0_recipient_password(cms, ROUNDS, NID_undef, NID_undef, copy, (ossl_ssize_t)len,
					EVP_aes_256_cbc()))
		return 1;
	OPENSSL_clear_free(copy, len);
	return 0;
}

int envelope_seal(const char *data, size_t len, const char *passphrase, struct text *out,
		  struct fault *why)
{
	const unsigned flags = CMS_BINARY | CMS_PARTIAL;
	scoped(drop_bio) BIO *in = len > INT_MAX ? NULL : BIO_new_mem_buf(data, (int)len);
	scoped(drop_cms) CMS_ContentInfo *cms = NULL;
	unsigned char *der = NULL;
	int n;

	if (!in)
		return pki_openssl_fault(why, EFBIG, "cannot encrypt %zu bytes", len);
	cms = CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), flags);
	if (!cms || !add_passphrase(cms, passphrase) || !CMS_final(cms, in, NULL, flags))
		return pki_openssl_fault(why, EIO, "cannot encrypt");
	n = i2d_CMS_ContentInfo(cms, &der);
	if (n < 0)
		return pki_openssl_fault(why, EIO, "cannot encrypt");
	text_add_n(out, (const char *)der, (size_t)n);
	OPENSSL_free(der);
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "encrypting") : 0;
}

static int take_all(BIO *from, struct text *out, struct fault *why)
{
	char *data = NULL;
	long n = BIO_get_mem_data(from, &data);

	if (n > 0)
		text_add_n(out, data, (size_t)n);
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "decrypting") : 0;
}

int envelope_open(const char *data, size_t len, const char *passphrase, struct text *out,
		  struct fault *why)
{
	const unsigned char *der = (const unsigned char *)data;
	scoped(drop_cms) CMS_ContentInfo *cms =
		len > INT_MAX ? NULL : d2i_CMS_ContentInfo(NULL, &der, (long)len);
	scoped(drop_bio) BIO *plain = BIO_new(BIO_s_secmem());

	if (!plain)
		return pki_openssl_fault(why, ENOMEM, "decrypting");
	if (!cms || OBJ_obj2nid(CMS_get0_type(cms)) != NID_id_smime_ct_authEnvelopedData)
		return pki_openssl_fault(why, EBADMSG, "this is no message under a passphrase");
	/* Its length is given, so OpenSSL does not write to the text. */
	if (!CMS_decrypt_set1_password(cms, (unsigned char *)(uintptr_t)passphrase,
				       (ossl_ssize_t)strlen(passphrase)) ||
	    !CMS_decrypt(cms, NULL, NULL, NULL, plain, CMS_BINARY)) {
		ERR_clear_error();
		return fault_set(why, EKEYREJECTED, "the passphrase is not the right one");
	}
	return take_all(plain, out, why);
}
