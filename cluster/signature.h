/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct fault;
struct text;

/*
 * Signatures that lie in a file of their own, as openssl-pkeyutl(1) makes and checks them with
 * -rawin: Ed25519, or RSA or EC over SHA-256 where somebody brings a key. Keys are PEM.
 */

/* 0 when the text is an unencrypted private key that can sign so; -EBADMSG says why not. */
int signature_key_check(const char *key, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Adds the signature of the bytes, which is no text. With Ed25519 the same in gives the same. */
int signature_make(const char *key, const char *data, size_t len, struct text *sig,
		   struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * 0 when sig is of these bytes and of this key, of which pem is either half. -EKEYREJECTED when it
 * is not: whether bytes or key are others cannot be told. -EBADMSG when pem is no such key.
 */
int signature_check(const char *pem, const char *data, size_t len, const struct text *sig,
		    struct fault *why) __attribute__((nonnull, warn_unused_result));
