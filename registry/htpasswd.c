/* SPDX-License-Identifier: MIT */
#include "registry/server.h"

#include <errno.h>
#include <string.h>

#include <crypt.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"

/*
 * bcrypt is reckoned at every request of every client, and the passwords that rackseed makes cannot
 * be guessed: 2^8 rounds take some 15 ms.
 */
enum { ROUNDS_LOG2 = 8, BCRYPT_MAX = 72 };

/* The hash behind "user:" up to the line's end, or NULL. */
static const char *find_user(const char *file, const char *user, size_t *ret_len)
{
	size_t n = strlen(user);

	for (; *file; file += strcspn(file, "\n"), file += *file == '\n') {
		if (strncmp(file, user, n) != 0 || file[n] != ':')
			continue;
		*ret_len = strcspn(file + n + 1, "\n");
		return file + n + 1;
	}
	return NULL;
}

bool registry_htpasswd_holds(const char *file, const char *user, const char *password)
{
	scoped(text_done) struct text hash = { 0 };
	struct crypt_data data = { 0 };
	size_t n = 0;
	const char *at = find_user(file, user, &n);
	const char *again;
	bool holds;

	if (!at)
		return false;
	text_add_n(&hash, at, n);
	if (text_error(&hash) < 0)
		return false;
	again = crypt_rn(password, text_str(&hash), &data, sizeof(data));
	holds = again && strcmp(again, text_str(&hash)) == 0;
	explicit_bzero(&data, sizeof(data));
	return holds;
}

const char *registry_password_flaw(const char *password)
{
	if (!*password)
		return "is empty";
	if (strchr(password, '\n') || strchr(password, '\r'))
		return "holds a line break";
	if (strlen(password) > BCRYPT_MAX)
		return "is longer than the 72 bytes that bcrypt looks at";
	return NULL;
}

int registry_htpasswd_add(const char *user, const char *password, struct text *out,
			  struct fault *why)
{
	struct crypt_data data = { 0 };
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *flaw = registry_password_flaw(password);
	const char *hash;

	if (flaw)
		return fault_set(why, EINVAL, "the password of '%s' %s", user, flaw);
	/* "$2y$" is the name that every htpasswd knows; the entropy is the kernel's. */
	if (!crypt_gensalt_rn("$2y$", ROUNDS_LOG2, NULL, 0, setting, sizeof(setting)))
		return fault_errno(why, errno, "no salt for bcrypt");
	hash = crypt_rn(password, setting, &data, sizeof(data));
	if (!hash)
		return fault_errno(why, errno, "bcrypt");
	text_addf(out, "%s:%s\n", user, hash);
	explicit_bzero(&data, sizeof(data));
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "users of the registry") : 0;
}
