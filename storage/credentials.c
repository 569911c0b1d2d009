/* SPDX-License-Identifier: MIT */
#include "storage/storage.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"

void storage_credentials_user(const char *user, struct text *out)
{
	const char *slash = strchr(user, '\\');

	assert(!storage_user_flaw(user));
	text_addf(out, "username=%s\n", slash ? slash + 1 : user);
	if (slash)
		text_addf(out, "domain=%.*s\n", (int)(slash - user), user);
}

void storage_credentials(const char *user, const char *password, struct text *out)
{
	assert(!storage_password_flaw(password));
	storage_credentials_user(user, out);
	text_addf(out, "password=%s\n", password);
}

static const struct {
	const char *key;
	size_t offset;
} keys[] = {
	{ "username", offsetof(struct storage_credentials, user) },
	{ "user", offsetof(struct storage_credentials, user) },
	{ "password", offsetof(struct storage_credentials, password) },
	{ "pass", offsetof(struct storage_credentials, password) },
	{ "domain", offsetof(struct storage_credentials, domain) },
	{ "dom", offsetof(struct storage_credentials, domain) },
};

/* One line, n bytes. -EINVAL when its value does not fit. */
static int take_line(const char *line, size_t n, struct storage_credentials *found)
{
	const char *equals = memchr(line, '=', n);
	size_t key_len, len, i;

	if (!equals)
		return 0;
	key_len = (size_t)(equals - line);
	len = n - key_len - 1;
	for (i = 0; i < COUNT(keys); i++) {
		char *to = (char *)found + keys[i].offset;

		if (strlen(keys[i].key) != key_len || memcmp(line, keys[i].key, key_len) != 0)
			continue;
		if (len >= sizeof(found->user))
			return -EINVAL;
		memcpy(to, equals + 1, len);
		to[len] = '\0';
	}
	return 0;
}

int storage_credentials_parse(const char *text, struct storage_credentials *ret, struct fault *why)
{
	struct storage_credentials found = { 0 };
	int r = 0;

	while (r == 0 && *text) {
		size_t n = strcspn(text, "\n");
		size_t blanks = strspn(text, " \t");
		size_t end = n > 0 && text[n - 1] == '\r' ? n - 1 : n;

		if (blanks < end)
			r = take_line(text + blanks, end - blanks, &found);
		text += n + (text[n] == '\n');
	}
	if (r < 0)
		r = fault_set(why, EINVAL, "a value is longer than 256 bytes");
	else if (!found.user[0])
		r = fault_set(why, EINVAL, "no username= in it");
	else
		*ret = found;
	explicit_bzero(&found, sizeof(found));
	return r;
}
