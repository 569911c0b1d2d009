/* SPDX-License-Identifier: MIT */
#include "cluster/pki.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/pki_crypto.h"

/* No sign that a shell, YAML, smb.conf or a URL would want quoted. */
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

enum { PASSWORD_LEN = 32 };

/* Whether path leads to below the folder it starts from. */
static bool is_below(const char *path)
{
	const char *part = path;

	if (*path == '/' || *path == '\0')
		return false;
	for (; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
			return false;
	}
	return true;
}

/* ours: a node of the file serves it. Else the password is not for us to choose. */
static int make_password(int folder, const char *path, const char *whose, bool ours,
			 struct text *report, struct fault *why)
{
	scoped(text_wipe) struct text password = { 0 };
	int r = pki_present(folder, "", path, why);

	if (r != 0)
		return r < 0 ? r : 0;
	if (!is_below(path))
		return fault_set(why, ENOENT,
				 "%s (password of '%s') is not there, and lies outside the folder "
				 "of the file: write it yourself, mode 0600", path, whose);
	r = pki_random(PASSWORD_LEN, LETTERS, &password, why);
	if (r == 0)
		r = pki_write_file(folder, path, &password, why);
	if (r < 0)
		return fault_wrap(why, "password of '%s'", whose);
	text_addf(report, "%-32s password of '%s'%s\n", path, whose,
		  ours ? "" : ", made up: no node of ours serves it, so write the real one there");
	return 0;
}

int pki_passwords(const struct model *m, int folder, struct text *report, struct fault *why)
{
	size_t i;
	int r = 0;

	for (i = 0; i < m->n_registries && r == 0; i++) {
		const struct model_registry *g = &m->registries[i];

		if (g->password_file)
			r = make_password(folder, g->password_file, g->host, g->node != NULL,
					  report, why);
	}
	for (i = 0; i < m->n_shares && r == 0; i++) {
		const struct model_share *s = &m->shares[i];

		if (s->password_file)
			r = make_password(folder, s->password_file, s->name, s->node != NULL,
					  report, why);
	}
	if (r == 0 && text_error(report) < 0)
		r = fault_errno(why, ENOMEM, "report");
	return r;
}
