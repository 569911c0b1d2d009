/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macros.h"
#include "cluster/audit_parts.h"

/* The whole tree, for what no single path tells. */

enum { DEPTH_MAX = 40 };

/* Of another file system when the node runs, or what pods and people have put there. */
static const char *const others[] = {
	"/proc",
	"/sys",
	"/dev",
	"/run",
	"/srv",
	"/mnt",
	"/media",
	"/home",
	"/var/lib/containerd",
	"/var/lib/kubelet/pods",
	"/lost+found",
};

/* What Debian and Ubuntu install with these bits; all else has come from elsewhere. */
static const char *const known[] = {
	"sudo",
	"su",
	"mount",
	"umount",
	"passwd",
	"chsh",
	"chfn",
	"gpasswd",
	"newgrp",
	"expiry",
	"chage",
	"unix_chkpwd",
	"pam_extrausers_chkpwd",
	"ssh-keysign",
	"ssh-agent",
	"dbus-daemon-launch-helper",
	"mount.cifs",
	"fusermount3",
	"pkexec",
	"polkit-agent-helper-1",
	"wall",
	"write",
	"dotlockfile",
	"crontab",
	"mount.nfs",
	"utempter",
	"bwrap",
	"ntfs-3g",
	"snap-confine",
};

struct folder {
	struct audit_work *w;
	const char *path;
	char **below; /* its folders */
};

static bool is_other(const char *path)
{
	size_t i;

	for (i = 0; i < COUNT(others); i++)
		if (strcmp(others[i], path) == 0)
			return true;
	return false;
}

static bool is_known(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	size_t i;

	/* A program that is known lies where programs lie, and not in somebody's folder. */
	if (strncmp(path, "/usr/", 5) != 0)
		return false;
	for (i = 0; i < COUNT(known); i++)
		if (strcmp(known[i], name) == 0)
			return true;
	return false;
}

static void note(struct text *out, const char *path)
{
	text_addf(out, "%s%s", out->len ? "; " : "", path);
}

static void see(void *to, const char *name, const struct audit_stat *st)
{
	struct folder *f = to;
	struct audit_work *w = f->w;
	scoped(text_done) struct text path = { 0 };
	bool sticky = S_ISDIR(st->mode) && (st->mode & S_ISVTX);

	text_addf(&path, "%s/%s", strcmp(f->path, "/") == 0 ? "" : f->path, name);
	audit_inherit(w, &path);
	if (text_error(&path) < 0 || is_other(text_str(&path)) || S_ISLNK(st->mode))
		return;
	if ((st->mode & S_IWOTH) && !sticky && (S_ISREG(st->mode) || S_ISDIR(st->mode)))
		note(&w->writable, text_str(&path));
	if (S_ISREG(st->mode) && (st->mode & (S_ISUID | S_ISGID)) && (st->mode & 0111)) {
		audit_add(w, &w->audit->setuid, text_str(&path));
		if (!is_known(text_str(&path)))
			note(&w->strange, text_str(&path));
	}
	if (S_ISDIR(st->mode))
		audit_add(w, &f->below, text_str(&path));
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MAX */
static void walk(struct audit_work *w, const char *path, unsigned depth)
{
	struct folder f = { .w = w, .path = path };
	char **s;

	(void)w->tree->list(w->tree->data, path, see, &f);
	for (s = f.below; s && *s; s++) {
		if (depth < DEPTH_MAX)
			walk(w, *s, depth + 1);
		free(*s);
	}
	free(f.below);
}

void audit_walk(struct audit_work *w)
{
	walk(w, "/", 0);
	audit_inherit(w, &w->writable);
	audit_inherit(w, &w->strange);
}

static enum audit_outcome conclude(const struct text *found, const char *none, struct text *seen)
{
	text_add(seen, found->len ? text_str(found) : none);
	return found->len ? AUDIT_FAIL : AUDIT_PASS;
}

AUDIT_CHECK(audit_writable)
{
	(void)row;
	return conclude(&w->writable, "nothing but sticky folders", seen);
}

AUDIT_CHECK(audit_setuid)
{
	(void)row;
	return conclude(&w->strange, "the distribution's own alone", seen);
}
