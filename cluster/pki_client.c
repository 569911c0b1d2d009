/* SPDX-License-Identifier: MIT */
#include "cluster/pki.h"

#include "base/fault.h"
#include "base/text.h"
#include "cluster/pki_crypto.h"

enum { DAY = 24 * 3600 };

int pki_client(const char *ca_crt, const char *ca_key, const char *name, const char *organization,
	       int64_t now, struct text *ret_crt, struct text *ret_key, struct fault *why)
{
	const struct pki_request request = { .name = name,
					     .organization = organization,
					     .not_after = now + DAY,
					     .ca_crt = ca_crt,
					     .ca_key = ca_key };
	scoped(text_done) struct text crt = { 0 };
	scoped(text_wipe) struct text key = { 0 };
	int r = pki_key_quick(&key, why);

	if (r == 0)
		r = pki_issue(&request, text_str(&key), &crt, why);
	if (r < 0)
		return r;
	*ret_crt = crt;
	*ret_key = key;
	crt = key = (struct text){ 0 };
	return 0;
}
