/* SPDX-License-Identifier: MIT */
#include "image/live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/plan.h"
#include "storage/share.h"
#include "storage/storage.h"

DEFINE_DROP(string, char *, free)

enum { PASSWORD_FILE_MAX = 4096, LIMIT_S = 10 };

/* The probe's program: beside this one, or with what goes onto nodes. */
static int find_program(struct text *out, struct fault *why)
{
	static const char *const places[] = {
		"rackseed-share",
		"node/usr/lib/rackseed/rackseed-share",
		"../lib/rackseed/node/usr/lib/rackseed/rackseed-share",
	};
	scoped(drop_string) char *exe = realpath("/proc/self/exe", NULL);
	size_t i;

	for (i = 0; exe && i < COUNT(places); i++) {
		text_done(out);
		text_addf(out, "%.*s/%s", (int)(strrchr(exe, '/') - exe), exe, places[i]);
		if (text_error(out) == 0 && access(text_str(out), X_OK) == 0)
			return 0;
	}
	return fault_set(why, ENOENT, "rackseed-share is not beside this program: install it");
}

/* Credentials in a folder of our own, which nobody else can look into. */
struct scratch {
	char dir[32], path[48];
};

static void scratch_done(struct scratch *s)
{
	if (!s->dir[0])
		return;
	unlink(s->path);
	rmdir(s->dir);
}

/* Room in memory where there is some: a password must not stay on a disk. */
static int scratch_make(struct scratch *s, struct fault *why)
{
	static const char *const places[] = { "/dev/shm", "/tmp" };
	size_t i;

	for (i = 0; i < COUNT(places); i++) {
		char dir[sizeof(s->dir)];

		snprintf(dir, sizeof(dir), "%s/rackseed-live-XXXXXX", places[i]);
		if (!mkdtemp(dir))
			continue;
		memcpy(s->dir, dir, sizeof(dir));
		snprintf(s->path, sizeof(s->path), "%.31s/login", s->dir);
		return 0;
	}
	return fault_errno(why, errno, "no folder can be made in /tmp");
}

static int write_login(const struct model_share *s, int folder, const char *path, struct fault *why)
{
	scoped(text_wipe) struct text file = { 0 };
	scoped(text_wipe) struct text password = { 0 };
	scoped(text_wipe) struct text login = { 0 };
	const char *flaw;
	int r = fs_read(folder, s->password_file, PASSWORD_FILE_MAX, &file, why);

	if (r == -ENOENT)
		return fault_set(why, ENOENT, "%s is not there (rackseed secrets makes it)",
				 s->password_file);
	if (r < 0)
		return r;
	text_add_n(&password, text_str(&file), strcspn(text_str(&file), "\r\n"));
	flaw = storage_password_flaw(text_str(&password));
	if (flaw)
		return fault_set(why, EBADMSG, "%s %s", s->password_file, flaw);
	storage_credentials(s->user, text_str(&password), &login);
	if (text_error(&login) < 0)
		return fault_errno(why, ENOMEM, "share '%s'", s->name);
	r = fs_write(AT_FDCWD, path, 0600, text_str(&login), login.len, why);
	return r < 0 ? r : 0;
}

/* What keeps us from asking is the share's answer: the others are asked all the same. */
static void ask(const struct model *m, const struct model_share *s, int folder, const char *program,
		struct share_result *ret)
{
	scoped(scratch_done) struct scratch scratch = { 0 };
	scoped(text_done) struct text address = { 0 };
	struct share_request request = { .timeout_s = LIMIT_S, .write = true };
	struct fault why = { 0 };
	int r = 0;

	plan_share_address(m, s, &address);
	request.share = text_str(&address);
	*ret = (struct share_result){ .writable = -1, .code = SHARE_FAILED };
	snprintf(ret->share, sizeof(ret->share), "%s", request.share);
	if (s->user) {
		r = scratch_make(&scratch, &why);
		if (r == 0)
			r = write_login(s, folder, scratch.path, &why);
		request.credentials = scratch.path;
	}
	if (r == 0)
		r = share_probe(program, &request, ret, &why);
	if (r < 0)
		snprintf(ret->reason, sizeof(ret->reason), "%.500s", why.text);
}

static void show(const struct model_share *s, const struct share_result *result, bool json,
		 struct text *out)
{
	if (json) {
		text_add(out, "\n ");
		share_result_json(result, out);
		return;
	}
	text_addf(out, "share '%s': ", s->name);
	share_result_print(result, out);
	text_add(out, "\n");
}

int live_shares(const struct model *m, int folder, bool json, struct text *out, struct fault *why)
{
	scoped(text_done) struct text program = { 0 };
	int outcome = LIVE_GOOD;
	size_t i;
	int r = find_program(&program, why);

	text_add(out, json ? "[" : "");
	for (i = 0; i < m->n_shares && r == 0; i++) {
		struct share_result result;

		ask(m, &m->shares[i], folder, text_str(&program), &result);
		text_add(out, json && i ? "," : "");
		show(&m->shares[i], &result, json, out);
		if (result.code != SHARE_OK)
			outcome = LIVE_BAD;
	}
	text_add(out, !json ? "" : m->n_shares ? "\n]" : "]");
	if (r == 0 && text_error(out) < 0)
		r = fault_errno(why, ENOMEM, "shares");
	return r < 0 ? r : outcome;
}
