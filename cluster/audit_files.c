/* SPDX-License-Identifier: MIT */
#include "cluster/audit_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macros.h"

enum { FILE_MAX = 32 << 20 };

void audit_inherit(struct audit_work *w, const struct text *t)
{
	if (text_error(t) < 0)
		w->error = text_error(t);
}

bool audit_read(struct audit_work *w, const char *path, struct text *out)
{
	int r = w->tree->read(w->tree->data, path, FILE_MAX, out);

	audit_inherit(w, out);
	return r == 0 && text_error(out) == 0;
}

void audit_lines(const char *s, bool (*line)(void *to, const char *s, size_t n), void *to)
{
	while (*s) {
		size_t n = strcspn(s, "\n");

		if (!line(to, s, n))
			return;
		s += n + (s[n] == '\n');
	}
}

/* ---- which files ---- */

struct each {
	struct audit_work *w;
	const char *folder, *end;
	void (*found)(void *to, const char *path, const struct audit_stat *st);
	void *to;
	size_t n;
};

static void each_entry(void *to, const char *name, const struct audit_stat *st)
{
	struct each *e = to;
	size_t n = strlen(name), m = strlen(e->end);
	scoped(text_done) struct text path = { 0 };

	if (n < m || strcmp(name + n - m, e->end) != 0 || !S_ISREG(st->mode))
		return;
	text_addf(&path, "%s/%s", e->folder, name);
	audit_inherit(e->w, &path);
	e->found(e->to, text_str(&path), st);
	e->n++;
}

size_t audit_each(struct audit_work *w, const char *pattern,
		  void (*found)(void *to, const char *path, const struct audit_stat *st), void *to)
{
	const char *star = strstr(pattern, "/*");
	scoped(text_done) struct text folder = { 0 };
	struct each e = { .w = w, .found = found, .to = to };
	struct audit_stat st;

	if (!star) {
		if (w->tree->stat(w->tree->data, pattern, &st) < 0)
			return 0;
		found(to, pattern, &st);
		return 1;
	}
	text_add_n(&folder, pattern, (size_t)(star - pattern));
	audit_inherit(w, &folder);
	e.folder = text_str(&folder);
	e.end = star + 2;
	(void)w->tree->list(w->tree->data, e.folder, each_entry, &e);
	return e.n;
}

/* where: patterns with spaces between. */
static size_t each_of(struct audit_work *w, const char *where,
		      void (*found)(void *to, const char *path, const struct audit_stat *st),
		      void *to)
{
	size_t n = 0;

	for (; *where; where += strspn(where, " ")) {
		scoped(text_done) struct text pattern = { 0 };
		size_t len = strcspn(where, " ");

		text_add_n(&pattern, where, len);
		audit_inherit(w, &pattern);
		n += audit_each(w, text_str(&pattern), found, to);
		where += len;
	}
	return n;
}

struct finding {
	struct audit_work *w;
	const struct audit_row *row;
	struct text *seen;
	size_t n_bad;
};

static enum audit_outcome conclude(const struct finding *f, size_t n)
{
	if (n == 0)
		text_addf(f->seen, "%s: not there", f->row->where);
	else if (f->n_bad == 0)
		text_addf(f->seen, "%zu file%s as %s", n, n == 1 ? "" : "s",
			  n == 1 ? "it must be" : "they must be");
	if (f->n_bad)
		return AUDIT_FAIL;
	return n ? AUDIT_PASS : AUDIT_LATER;
}

/* ---- modes ---- */

static void see_mode(void *to, const char *path, const struct audit_stat *st)
{
	struct finding *f = to;

	if ((st->mode & 07777 & ~f->row->mode) == 0)
		return;
	text_addf(f->seen, "%s%s has mode %04o", f->n_bad++ ? "; " : "", path, st->mode & 07777);
}

AUDIT_CHECK(audit_mode)
{
	struct finding f = { .w = w, .row = row, .seen = seen };

	return conclude(&f, each_of(w, row->where, see_mode, &f));
}

/* ---- owners ---- */

long audit_id(const char *file, const char *name)
{
	size_t n = strlen(name);
	const char *line, *id;

	for (line = file; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, name, n) != 0 || line[n] != ':')
			continue;
		id = strchr(line + n + 1, ':');
		return id && id[1] >= '0' && id[1] <= '9' ? strtol(id + 1, NULL, 10) : -1;
	}
	return -1;
}

static void see_owner(void *to, const char *path, const struct audit_stat *st)
{
	struct finding *f = to;
	const char *colon = strchr(f->row->key, ':');
	scoped(text_done) struct text user = { 0 };
	long uid, gid;

	text_add_n(&user, f->row->key, (size_t)(colon - f->row->key));
	audit_inherit(f->w, &user);
	uid = audit_id(text_str(&f->w->passwd), text_str(&user));
	gid = audit_id(text_str(&f->w->group), colon + 1);
	if (uid >= 0 && gid >= 0 && st->uid == (uid_t)uid && st->gid == (gid_t)gid)
		return;
	text_addf(f->seen, "%s%s belongs to %u:%u, not to %s", f->n_bad++ ? "; " : "", path,
		  st->uid, st->gid, f->row->key);
}

AUDIT_CHECK(audit_owner)
{
	struct finding f = { .w = w, .row = row, .seen = seen };

	return conclude(&f, each_of(w, row->where, see_owner, &f));
}
