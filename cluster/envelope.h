/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct fault;
struct text;

/*
 * Bytes under a passphrase: a CMS message (RFC 5652, the passphrase as its recipient) in DER, as
 * OpenSSL has it. `openssl cms -decrypt -inform DER -pwri_password PASSPHRASE` opens it, too.
 */

/* Adds the message to *out. */
int envelope_seal(const char *data, size_t len, const char *passphrase, struct text *out,
		  struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * Adds what is inside to *out, which the caller wipes. -EKEYREJECTED: it is another passphrase, or
 * the message was changed. -EBADMSG: it is no such message.
 */
int envelope_open(const char *data, size_t len, const char *passphrase, struct text *out,
		  struct fault *why) __attribute__((nonnull, warn_unused_result));
