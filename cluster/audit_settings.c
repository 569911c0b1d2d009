/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/macros.h"
#include "cluster/audit_parts.h"

/* What sshd, the kernel and apt were told: in files of which the order matters. */

enum { NAMES_MAX = 256 };

/* The paths of a folder's .conf files, in the order of their names. */
struct names {
	char *list[NAMES_MAX];
	size_t n;
	struct audit_work *w;
};

static void names_done(struct names *names)
{
	while (names->n > 0)
		free(names->list[--names->n]);
}

static void add_name(void *to, const char *path, const struct audit_stat *st)
{
	struct names *names = to;

	(void)st;
	if (names->n == NAMES_MAX)
		return;
	names->list[names->n] = strdup(path);
	if (names->list[names->n])
		names->n++;
	else
		names->w->error = -ENOMEM;
}

static const char *base_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int compare(const void *a, const void *b)
{
	return strcmp(base_of(*(char *const *)a), base_of(*(char *const *)b));
}

static void collect(struct audit_work *w, const char *pattern, struct names *names)
{
	names->w = w;
	audit_each(w, pattern, add_name, names);
	if (names->n > 1)
		qsort(names->list, names->n, sizeof(names->list[0]), compare);
}

/* A key with its value, as some line of a file says. */
struct setting {
	const char *key;
	const char *separators; /* between key and value */
	bool first;		/* the first one counts, and not the last */
	bool found;
	struct text value;
};

static bool see_setting(void *to, const char *line, size_t n)
{
	struct setting *s = to;
	size_t len = strlen(s->key), blank = strspn(line, " \t-");
	const char *value, *end = line + n;

	if (s->first && strncasecmp(line + blank, "match ", 6) == 0)
		return false; /* what follows is for some alone */
	if (blank + len >= n || strncasecmp(line + blank, s->key, len) != 0 ||
	    !strchr(s->separators, line[blank + len]))
		return true;
	value = line + blank + len;
	value += strspn(value, s->separators);
	while (end > value && strchr(" \t\r", end[-1]))
		end--;
	text_done(&s->value);
	text_add_n(&s->value, value, end > value ? (size_t)(end - value) : 0);
	s->found = true;
	return !s->first;
}

static void look_in(struct audit_work *w, const char *path, struct setting *s)
{
	scoped(text_done) struct text file = { 0 };

	if (audit_read(w, path, &file))
		audit_lines(text_str(&file), see_setting, s);
}

/* Debian's sshd_config includes the folder before it says anything itself. */
AUDIT_CHECK(audit_sshd)
{
	struct setting s = { .key = row->key, .separators = " \t=", .first = true };
	scoped(names_done) struct names names = { 0 };
	enum audit_outcome outcome;
	size_t i;

	collect(w, "/etc/ssh/sshd_config.d/*.conf", &names);
	for (i = 0; i < names.n && !s.found; i++)
		look_in(w, names.list[i], &s);
	if (!s.found)
		look_in(w, "/etc/ssh/sshd_config", &s);
	outcome = audit_value(row, s.found ? text_str(&s.value) : NULL, seen);
	audit_inherit(w, &s.value);
	text_done(&s.value);
	return outcome;
}

/* A file below /etc hides one of the same name; then the last name counts, as sysctl.d(5) says. */
static bool is_hidden(const struct names *all, size_t i)
{
	size_t k;

	for (k = 0; k < all->n; k++)
		if (k != i && strcmp(base_of(all->list[k]), base_of(all->list[i])) == 0 &&
		    strncmp(all->list[k], "/etc/", 5) == 0)
			return true;
	return false;
}

AUDIT_CHECK(audit_sysctl)
{
	struct setting s = { .key = row->key, .separators = " \t=" };
	scoped(names_done) struct names names = { 0 };
	enum audit_outcome outcome;
	size_t i;

	collect(w, "/usr/lib/sysctl.d/*.conf", &names);
	collect(w, "/etc/sysctl.d/*.conf", &names);
	for (i = 0; i < names.n; i++)
		if (!is_hidden(&names, i))
			look_in(w, names.list[i], &s);
	outcome = audit_value(row, s.found ? text_str(&s.value) : NULL, seen);
	audit_inherit(w, &s.value);
	text_done(&s.value);
	return outcome;
}

/* A file says a line, word for word. */
AUDIT_CHECK(audit_line)
{
	scoped(text_done) struct text file = { 0 };

	if (!audit_read(w, row->where, &file)) {
		text_addf(seen, "%s: not there", row->where);
		return AUDIT_FAIL;
	}
	if (!strstr(text_str(&file), row->value)) {
		text_addf(seen, "%s does not say '%s'", row->where, row->value);
		return AUDIT_FAIL;
	}
	text_addf(seen, "%s: %s", row->where, row->value);
	return AUDIT_PASS;
}

/* ---- packages ---- */

/* The paragraph of a package in dpkg's status, up to the empty line; NULL when there is none. */
static const char *paragraph(struct audit_work *w, const char *name, size_t *ret_len)
{
	scoped(text_done) struct text key = { 0 };
	const char *at = text_str(&w->dpkg), *end;

	text_addf(&key, "Package: %s\n", name);
	audit_inherit(w, &key);
	for (; (at = strstr(at, text_str(&key))); at++)
		if (at == text_str(&w->dpkg) || at[-1] == '\n')
			break;
	if (!at)
		return NULL;
	end = strstr(at, "\n\n");
	*ret_len = end ? (size_t)(end - at) : strlen(at);
	return at;
}

static bool has_status(struct audit_work *w, const char *name, const char *status)
{
	size_t n = 0;
	const char *at = paragraph(w, name, &n);

	return at && memmem(at, n, status, strlen(status));
}

AUDIT_CHECK(audit_package)
{
	bool good = has_status(w, row->value, "\nStatus: install ok installed") ||
		    has_status(w, row->value, "\nStatus: hold ok installed");

	text_addf(seen, "%s is %sinstalled", row->value, good ? "" : "not ");
	return good ? AUDIT_PASS : AUDIT_FAIL;
}

AUDIT_CHECK(audit_held)
{
	static const char *const names[] = { "kubeadm", "kubelet", "kubectl", "containerd" };
	size_t i;

	(void)row;
	for (i = 0; i < COUNT(names); i++)
		if (!has_status(w, names[i], "\nStatus: hold ok installed"))
			text_addf(seen, "%s%s", seen->len ? ", " : "", names[i]);
	if (seen->len) {
		text_add(seen, " would be upgraded with the rest");
		return AUDIT_FAIL;
	}
	text_add(seen, "kubeadm, kubelet, kubectl and containerd are held");
	return AUDIT_PASS;
}

struct packages {
	struct audit_work *w;
	struct text name;
	bool installed;
};

static bool see_status(void *to, const char *line, size_t n)
{
	static const char package[] = "Package: ", status[] = "Status: ", version[] = "Version: ";
	struct packages *p = to;
	const size_t k = strlen(package), s = strlen(status), v = strlen(version);

	if (n > k && strncmp(line, package, k) == 0) {
		text_done(&p->name);
		text_add_n(&p->name, line + k, n - k);
	} else if (n > s && strncmp(line, status, s) == 0) {
		p->installed = memmem(line, n, " ok installed", 13) != NULL;
	} else if (n > v && strncmp(line, version, v) == 0 && p->installed) {
		text_addf(&p->name, " %.*s", (int)(n - v), line + v);
		audit_inherit(p->w, &p->name);
		audit_add(p->w, &p->w->audit->packages, text_str(&p->name));
	}
	return true;
}

void audit_find_packages(struct audit_work *w)
{
	struct packages p = { .w = w };

	audit_lines(text_str(&w->dpkg), see_status, &p);
	text_done(&p.name);
}
