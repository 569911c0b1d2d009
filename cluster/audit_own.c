/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "cluster/audit_parts.h"
#include "cluster/seed.h"

/* rackseed's own rules: accounts, secrets, swap and the firewall. */

#define SECRETS "secrets/"

/* ---- swap ---- */

/* The third field of a line of fstab. */
static bool is_swap(const char *line, size_t n)
{
	const char *end = line + n;
	unsigned field = 0;

	while (line < end) {
		size_t blank = strspn(line, " \t"), len;

		line += blank;
		if (line >= end || *line == '#')
			return false;
		len = strcspn(line, " \t\n");
		if (++field == 3)
			return len == 4 && memcmp(line, "swap", 4) == 0;
		line += len;
	}
	return false;
}

static bool see_fstab(void *to, const char *line, size_t n)
{
	struct text *seen = to;

	if (is_swap(line, n))
		text_addf(seen, "%s/etc/fstab: %.*s", seen->len ? "; " : "", (int)n, line);
	return true;
}

static void see_file(void *to, const char *path, const struct audit_stat *st)
{
	struct text *seen = to;

	(void)st;
	text_addf(seen, "%s%s is there", seen->len ? "; " : "", path);
}

AUDIT_CHECK(audit_swap)
{
	static const char *const strangers[] = { "/swap.img", "/swapfile",
						 "/etc/systemd/system/*.swap",
						 "/usr/lib/systemd/system/*.swap" };
	scoped(text_done) struct text fstab = { 0 };
	size_t i;

	(void)row;
	audit_read(w, "/etc/fstab", &fstab);
	audit_lines(text_str(&fstab), see_fstab, seen);
	for (i = 0; i < COUNT(strangers); i++)
		audit_each(w, strangers[i], see_file, seen);
	if (seen->len)
		return AUDIT_FAIL;
	text_add(seen, "no swap in fstab, no swap files, no swap units");
	return AUDIT_PASS;
}

/* ---- secrets ---- */

static bool is_among(const char *const *paths, const char *path)
{
	for (; *paths; paths++)
		if (strcmp(*paths, path) == 0)
			return true;
	return false;
}

/* What the seed holds against the one table that says what the node may hold. */
AUDIT_CHECK(audit_seed_secrets)
{
	struct fault why = { 0 };
	const char **allowed = NULL;
	size_t i, n = 0;

	(void)row;
	if (!w->seed) {
		text_add(seen, "there is no seed");
		return AUDIT_LATER;
	}
	if (seed_secrets(w->m, w->node, &allowed, &why) < 0) {
		if (why.code == ENOMEM)
			w->error = -ENOMEM;
		text_add(seen, why.text);
		return AUDIT_FAIL;
	}
	for (i = 0; i < w->seed->n; i++) {
		const char *path = w->seed->files[i].path;

		if (strncmp(path, SECRETS, strlen(SECRETS)) != 0)
			continue;
		n++;
		if (!is_among(allowed, path + strlen(SECRETS)))
			text_addf(seen, "%s%s is not for this node", seen->len ? "; " : "", path);
	}
	free(allowed);
	if (seen->len)
		return AUDIT_FAIL;
	text_addf(seen, "%zu secrets, all of them for this node", n);
	return AUDIT_PASS;
}

/* Keys that make a cluster: on control planes alone. */
AUDIT_CHECK(audit_no_foreign_keys)
{
	static const char *const keys[] = { "/etc/kubernetes/pki/ca.key",
					    "/etc/kubernetes/pki/sa.key",
					    "/etc/kubernetes/pki/front-proxy-ca.key",
					    "/etc/kubernetes/pki/etcd/ca.key",
					    "/etc/kubernetes/admin.conf",
					    "/etc/kubernetes/super-admin.conf" };
	size_t i;

	(void)row;
	for (i = 0; i < COUNT(keys) && !(w->roles & MODEL_CONTROL_PLANE); i++)
		audit_each(w, keys[i], see_file, seen);
	if (seen->len)
		return AUDIT_FAIL;
	text_add(seen, w->roles & MODEL_CONTROL_PLANE ? "a control plane holds them"
						      : "no key of the cluster is here");
	return AUDIT_PASS;
}

/* ---- accounts ---- */

/* The n-th field, counted from 0, of a line with colons; NULL when it has fewer. */
static const char *field_of(const char *line, size_t len, unsigned n, size_t *ret_len)
{
	const char *end = line + len, *next;

	for (; n > 0; n--) {
		next = memchr(line, ':', (size_t)(end - line));
		if (!next)
			return NULL;
		line = next + 1;
	}
	next = memchr(line, ':', (size_t)(end - line));
	*ret_len = (size_t)((next ? next : end) - line);
	return line;
}

static bool see_shadow(void *to, const char *line, size_t n)
{
	struct text *seen = to;
	size_t name, len;
	const char *word = field_of(line, n, 1, &len);

	field_of(line, n, 0, &name);
	if (name && (!word || len == 0 || !strchr("!*", *word)))
		text_addf(seen, "%s%.*s %s", seen->len ? "; " : "", (int)name, line,
			  word && len == 0 ? "needs no password" : "has a password");
	return true;
}

AUDIT_CHECK(audit_passwords)
{
	scoped(text_done) struct text shadow = { 0 };

	if (!audit_read(w, row->where, &shadow)) {
		text_addf(seen, "%s cannot be read", row->where);
		return AUDIT_FAIL;
	}
	audit_lines(text_str(&shadow), see_shadow, seen);
	if (seen->len)
		return AUDIT_FAIL;
	text_add(seen, "no account has a password, and none does without");
	return AUDIT_PASS;
}

static bool see_passwd(void *to, const char *line, size_t n)
{
	struct text *seen = to;
	size_t name, len;
	const char *uid = field_of(line, n, 2, &len);

	field_of(line, n, 0, &name);
	if (uid && len > 0 && strspn(uid, "0") >= len && !(name == 4 && !memcmp(line, "root", 4)))
		text_addf(seen, "%s%.*s is root too", seen->len ? "; " : "", (int)name, line);
	return true;
}

AUDIT_CHECK(audit_one_root)
{
	(void)row;
	audit_lines(text_str(&w->passwd), see_passwd, seen);
	if (seen->len)
		return AUDIT_FAIL;
	text_add(seen, "root alone has the number 0");
	return AUDIT_PASS;
}

/* ---- firewall ---- */

AUDIT_CHECK(audit_firewall)
{
	scoped(text_done) struct text rules = { 0 };
	struct audit_stat st;

	if (w->tree->stat(w->tree->data, row->where, &st) == -ENOENT) {
		text_addf(seen, "%s: not there", row->where);
		return AUDIT_LATER;
	}
	if (audit_read(w, row->where, &rules) &&
	    strstr(text_str(&rules), "type filter hook input priority 0; policy drop;")) {
		text_add(seen, "what is not named is dropped");
		return AUDIT_PASS;
	}
	text_addf(seen, "%s: drops nothing by itself", row->where);
	return AUDIT_FAIL;
}

AUDIT_CHECK(audit_link)
{
	scoped(text_done) struct text target = { 0 };
	int r = w->tree->link(w->tree->data, row->where, &target);
	bool good = r == 0 && strcmp(text_str(&target), row->value) == 0;

	audit_inherit(w, &target);
	text_addf(seen, "%s %s%s", row->where, r == 0 ? "leads to " : "is no link",
		  text_str(&target));
	return good ? AUDIT_PASS : AUDIT_FAIL;
}
