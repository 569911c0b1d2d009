/* SPDX-License-Identifier: MIT */
#include "storage/server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "storage/storage.h"

enum { LIMIT_MS = 30000 };

/* testparm exits 0 for what it merely does not know; for us that is a fault all the same. */
static const char *const bad_words[] = { "Unknown parameter", "Ignoring", "ERROR", "WARNING",
					 "Error loading" };

static void watch(const char *line, void *data)
{
	struct text *bad = data;
	size_t i;

	for (i = 0; bad->len == 0 && i < COUNT(bad_words); i++)
		if (strstr(line, bad_words[i]))
			text_add(bad, line);
}

int storage_server_check(const char *text, struct fault *why)
{
	static const char *const argv[] = { "testparm", "-s", "/dev/stdin", NULL };
	scoped(text_done) struct text bad = { 0 };
	const struct run what = { .argv = argv,
				  .input = text,
				  .input_len = strlen(text),
				  .timeout_ms = LIMIT_MS,
				  .line = watch,
				  .data = &bad };
	int r = run(&what, why);

	if (bad.len > 0)
		return fault_set(why, EINVAL, "smb.conf: testparm: %s", text_str(&bad));
	return r < 0 ? fault_wrap(why, "smb.conf") : 0;
}

/* Up to three words, behind the option that names conf when there is one. */
static int samba_tool(const char *const words[4], const char *conf, const char *conf_option,
		      const struct text *input, struct text *out, struct fault *why)
{
	const char *argv[8];
	struct run what = { .argv = argv, .out = out, .timeout_ms = LIMIT_MS };
	size_t n = 0;
	size_t i;

	argv[n++] = words[0];
	if (conf) {
		argv[n++] = conf_option;
		argv[n++] = conf;
	}
	for (i = 1; i < 4 && words[i]; i++)
		argv[n++] = words[i];
	argv[n] = NULL;
	if (input) {
		what.input = input->data;
		what.input_len = input->len;
	}
	return run(&what, why);
}

int storage_server_account(const char *conf, const char *user, const char *password,
			   struct fault *why)
{
	/* -L: the local file, -s: the password comes twice on stdin, -a: add it when missing */
	const char *const words[4] = { "smbpasswd", "-Lsa", user, NULL };
	scoped(text_wipe) struct text input = { 0 };
	const char *flaw = storage_password_flaw(password);
	int r;

	assert(!storage_value_flaw(user) && user[0] != '-');
	if (flaw)
		return fault_set(why, EINVAL, "password of '%s' %s", user, flaw);
	text_addf(&input, "%s\n%s\n", password, password);
	if (text_error(&input) < 0)
		return fault_errno(why, ENOMEM, "password of '%s'", user);
	r = samba_tool(words, conf, "-c", &input, NULL, why);
	return r < 0 ? fault_wrap(why, "account '%s'", user) : 0;
}

int storage_server_accounts(const char *conf, struct text *out, struct fault *why)
{
	const char *const words[4] = { "pdbedit", "-L", NULL, NULL };
	scoped(text_done) struct text list = { 0 };
	const char *line;
	int r = samba_tool(words, conf, "-s", NULL, &list, why);

	if (r < 0)
		return fault_wrap(why, "accounts of Samba");
	/* name:uid:full name */
	for (line = text_str(&list); *line; line += strcspn(line, "\n") + 1) {
		text_add_n(out, line, strcspn(line, ":\n"));
		text_add(out, "\n");
		if (!line[strcspn(line, "\n")])
			break;
	}
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "accounts of Samba") : 0;
}

int storage_server_account_remove(const char *conf, const char *user, struct fault *why)
{
	const char *const words[4] = { "smbpasswd", "-Lx", user, NULL };
	scoped(text_done) struct text names = { 0 };
	scoped(text_done) struct text wanted = { 0 };
	int r = storage_server_accounts(conf, &names, why);

	if (r < 0)
		return r;
	/* Framed by line breaks on both sides, so that no name is found within another. */
	text_addf(&wanted, "\n%s", text_str(&names));
	text_done(&names);
	text_addf(&names, "\n%s\n", user);
	if (text_error(&wanted) < 0 || text_error(&names) < 0)
		return fault_errno(why, ENOMEM, "account '%s'", user);
	if (!strstr(text_str(&wanted), text_str(&names)))
		return 0;
	r = samba_tool(words, conf, "-c", NULL, NULL, why);
	return r < 0 ? fault_wrap(why, "account '%s'", user) : 0;
}
