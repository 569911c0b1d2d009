/* SPDX-License-Identifier: MIT */
#include "image/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "cluster/seed.h"

static int sum(const struct run *what, char ret_hex[static DIGEST_LEN], struct fault *why)
{
	scoped(text_done) struct text out = { 0 };
	struct run with = *what;
	const char *hex;
	int r;

	with.out = &out;
	with.timeout_ms = 30 * 60 * 1000;
	r = run(&with, why);
	if (r < 0)
		return r;
	hex = text_str(&out);
	/* A file name with odd characters makes the line begin with a backslash. */
	hex += *hex == '\\';
	if (strspn(hex, "0123456789abcdef") != DIGEST_LEN - 1)
		return fault_set(why, EBADMSG, "sha256sum: unexpected output '%.80s'", hex);
	memcpy(ret_hex, hex, DIGEST_LEN - 1);
	ret_hex[DIGEST_LEN - 1] = '\0';
	return 0;
}

int digest_bytes(const char *data, size_t len, char ret_hex[static DIGEST_LEN], struct fault *why)
{
	_Static_assert((int)DIGEST_LEN == (int)SEED_DIGEST, "the same text");
	return seed_digest(data, len, ret_hex, why);
}

int digest_file(const char *path, char ret_hex[static DIGEST_LEN], struct fault *why)
{
	const char *const argv[] = { "sha256sum", "--", path, NULL };

	return sum(&(struct run){ .argv = argv }, ret_hex, why);
}

int digest_uuid(const char *hex, const char *word, char ret_uuid[static DIGEST_UUID_LEN],
		struct fault *why)
{
	scoped(text_done) struct text both = { 0 };
	char sum_hex[DIGEST_LEN];
	int r;

	text_addf(&both, "%s %s\n", hex, word);
	r = digest_bytes(text_str(&both), both.len, sum_hex, why);
	if (r < 0)
		return r;
	snprintf(ret_uuid, DIGEST_UUID_LEN, "%.8s-%.4s-8%.3s-a%.3s-%.12s", sum_hex, sum_hex + 8,
		 sum_hex + 13, sum_hex + 17, sum_hex + 20);
	return 0;
}
