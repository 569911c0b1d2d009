/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/pki.h"
#include "cluster/signature.h"
#include "cluster/whole.h"

/* Any bytes as PEM: a certificate, its authority, a key, a key to sign with. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(text_done) struct text pem = { 0 };
	scoped(text_done) struct text sig = { 0 };
	struct fault why = { 0 };
	int64_t end = 0;
	const char *s;

	text_add_n(&pem, (const char *)data, size);
	s = text_str(&pem);
	/* What has no whole block is nothing that OpenSSL would take for a pair. */
	if (pki_keypair(s, s, &why) == 0 && !strstr(s, "-----END "))
		__builtin_trap();
	if (pki_verify(s, s, 0, &why) == 0 && pki_not_after(s, &end, &why) < 0)
		__builtin_trap();
	(void)whole_pem(s);
	(void)whole_object(s, strlen(s), "Config");
	/* With a key that is taken one can sign, and its signature is taken. */
	if (signature_key_check(s, &why) == 0 && (signature_make(s, "x", 1, &sig, &why) < 0 ||
						  signature_check(s, "x", 1, &sig, &why) < 0))
		__builtin_trap();
	return 0;
}
