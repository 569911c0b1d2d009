/* SPDX-License-Identifier: MIT */
#include "cluster/parse.h"

#include <string.h>

#include "base/macros.h"

/* Public keys as in authorized_keys: [OPTIONS] TYPE BASE64 [COMMENT]. */

static const char *const types[] = {
	"ssh-ed25519",
	"ssh-rsa",
	"ecdsa-sha2-nistp256",
	"ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521",
	"sk-ssh-ed25519@openssh.com",
	"sk-ecdsa-sha2-nistp256@openssh.com",
};

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Decodes n characters, padding included, into at most size bytes. Returns how many, or negative.
 */
static long decode(const char *s, size_t n, unsigned char *out, size_t size)
{
	size_t at = 0, i;
	unsigned bits = 0;

	if (n == 0 || n % 4 != 0)
		return -1;
	while (n > 0 && s[n - 1] == '=')
		n--;
	for (i = 0; i < n; i++) {
		const char *digit = strchr(base64, s[i]);

		if (!digit)
			return -1;
		bits = (bits << 6 | (unsigned)(digit - base64)) & 0xffff;
		if (i % 4 == 0)
			continue;
		if (at == size)
			return -1;
		out[at++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	return (long)at;
}

/* The key begins with its own type as a string behind its length (RFC 4253, section 6.6). */
static bool is_blob(const char *type, const char *s, size_t n)
{
	unsigned char blob[4096] = { 0 };
	long len = decode(s, n, blob, sizeof(blob));
	size_t type_len = strlen(type);

	if (len < 4 + (long)type_len + 4 || memcmp(blob, "\0\0", 2) != 0)
		return false;
	if (((size_t)blob[2] << 8 | blob[3]) != type_len || memcmp(blob + 4, type, type_len) != 0)
		return false;
	return strcmp(type, types[0]) != 0 || len == 51;
}

bool parse_is_ssh_key(const char *s)
{
	size_t i;

	if (strpbrk(s, "\r\n"))
		return false;
	while (*s) {
		size_t n = strcspn(s, " \t");
		const char *next = s + n + strspn(s + n, " \t");

		for (i = 0; i < COUNT(types); i++)
			if (n == strlen(types[i]) && strncmp(s, types[i], n) == 0)
				return is_blob(types[i], next, strcspn(next, " \t"));
		s = next;
	}
	return false;
}
