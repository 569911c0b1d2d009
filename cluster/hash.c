/* SPDX-License-Identifier: MIT */
#include "cluster/hash.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/fault.h"

struct hash {
	EVP_MD_CTX *ctx;
};

void hash_free(struct hash *h)
{
	if (h)
		EVP_MD_CTX_free(h->ctx);
	free(h);
}

int hash_new(struct hash **ret, struct fault *why)
{
	struct hash *h = calloc(1, sizeof(*h));

	if (h)
		h->ctx = EVP_MD_CTX_new();
	if (h && h->ctx && EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) == 1) {
		*ret = h;
		return 0;
	}
	hash_free(h);
	return fault_errno(why, ENOMEM, "SHA-256");
}

int hash_add(struct hash *h, const void *data, size_t n, struct fault *why)
{
	return EVP_DigestUpdate(h->ctx, data, n) == 1 ? 0 : fault_set(why, EIO, "SHA-256 failed");
}

int hash_end(struct hash *h, char ret_hex[static SEED_DIGEST], struct fault *why)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	size_t i;

	if (EVP_DigestFinal_ex(h->ctx, md, &n) != 1 || 2 * n + 1 != SEED_DIGEST)
		return fault_set(why, EIO, "SHA-256 failed");
	for (i = 0; i < n; i++) {
		ret_hex[2 * i] = digits[md[i] >> 4];
		ret_hex[2 * i + 1] = digits[md[i] & 15];
	}
	ret_hex[SEED_DIGEST - 1] = '\0';
	return 0;
}
