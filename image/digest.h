/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct fault;

/*
 * SHA-256, of files by the host's sha256sum, and the identifiers that are derived from such a sum.
 */

enum { DIGEST_LEN = 65, DIGEST_UUID_LEN = 37 };

int digest_bytes(const char *data, size_t len, char ret_hex[static DIGEST_LEN], struct fault *why)
	__attribute__((nonnull, warn_unused_result));

int digest_file(const char *path, char ret_hex[static DIGEST_LEN], struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * A UUID (RFC 4122 version 8 layout) from a sum and a word: the same key names the same partition
 * on every build, and no two words of one key give the same.
 */
int digest_uuid(const char *hex, const char *word, char ret_uuid[static DIGEST_UUID_LEN],
		struct fault *why) __attribute__((nonnull, warn_unused_result));
