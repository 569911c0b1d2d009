/* SPDX-License-Identifier: MIT */
#include "image/build_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "image/build.h"
#include "image/file_sum.h"
#include "image/golden.h"

#define RECORD "build.json"

enum { MAX_RECORD = 16 << 20 };

void build_out_done(struct build_out *o)
{
	record_done(&o->record);
	sums_done(&o->sums);
	sums_key_done(&o->key);
	drop_fd(&o->fd);
	if (o->is_new && o->path)
		rmdir(o->path);
	free(o->path);
	*o = BUILD_OUT_EMPTY;
}

int build_path_of(int fd, char **ret, struct fault *why)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	*ret = realpath(self, NULL);
	return *ret ? 0 : fault_errno(why, errno, "folder");
}

int build_out_open(struct build_out *o, const struct build *b, const char *given, struct fault *why)
{
	int at = given ? AT_FDCWD : b->folder;
	const char *path = given ? given : "out";

	o->is_new = mkdirat(at, path, 0755) == 0;
	if (!o->is_new && errno != EEXIST)
		return fault_errno(why, errno, "cannot make folder '%s'", path);
	o->fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->fd < 0)
		return fault_errno(why, errno, "'%s'", path);
	return build_path_of(o->fd, &o->path, why);
}

static int read_record(struct build_out *o, struct build *b, struct fault *why)
{
	scoped(text_done) struct text json = { 0 };
	int r = fs_read(o->fd, RECORD, MAX_RECORD, &json, why);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = record_parse(text_str(&json), json.len, &o->record, why);
	if (r == -EBADMSG) {
		progress_note(&b->progress, "%s/" RECORD ": %s: not used", o->path, why->text);
		return 0;
	}
	return r;
}

static int read_sums(struct build_out *o, struct build *b, struct fault *why)
{
	int r = sums_key_read(b->folder, b->model, true, &o->key, why);

	if (r < 0)
		return r;
	o->is_signed = r == 1;
	if (!o->is_signed)
		progress_note(&b->progress,
			      SUMS_NAME " will not be signed: rackseed secrets makes a key for it");
	r = sums_load(o->fd, o->path, o->is_signed ? &o->key : NULL, &o->sums, why);
	if (r == -EKEYREJECTED || r == -EBADMSG)
		progress_note(&b->progress, "%s: not used", why->text);
	else if (r < 0 && r != -ENOENT)
		return r;
	sums_keep(&o->sums, o->fd);
	return 0;
}

int build_out_read(struct build_out *o, struct build *b, struct fault *why)
{
	int r = read_record(o, b, why);

	return r < 0 ? r : read_sums(o, b, why);
}

int build_out_add_golden(struct build_out *o, struct build *b, const struct golden *golden,
			 struct fault *why)
{
	const char *path = text_str(&golden->path), *name = strrchr(path, '/') + 1;
	scoped(drop_fd) int fd = -1;
	char hex[DIGEST_LEN];
	struct stat st;
	int r;

	if (sums_find(&o->sums, name) || faccessat(o->fd, name, F_OK, 0) < 0)
		return 0;
	/* The cache's, of which the folder's is a link or a copy: as it was made. */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(why, errno, "%s", path);
	if (fstat(fd, &st) < 0)
		return fault_errno(why, errno, "%s", path);
	progress_phase(&b->progress, (uint64_t)st.st_size, "sum of the golden disk");
	r = file_sum(fd, &b->progress, hex, why);
	if (r < 0)
		return fault_wrap(why, "%s", path);
	progress_end(&b->progress);
	return sums_put(&o->sums, name, hex) < 0 ? fault_errno(why, ENOMEM, SUMS_NAME) : 0;
}

int build_out_save_sums(struct build_out *o, struct fault *why)
{
	return sums_save(&o->sums, o->fd, o->path, o->is_signed ? &o->key : NULL, why);
}

static time_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* A disk counts as there when the record has it, so its sum must lie there before. */
int build_out_save(struct build_out *o, const struct build *b, struct fault *why)
{
	scoped(text_done) struct text json = { 0 };
	int r;

	record_keep(&o->record, b->model);
	record_render(&o->record, &json);
	if (text_error(&json) < 0)
		return fault_errno(why, ENOMEM, RECORD);
	r = sums_add_bytes(&o->sums, RECORD, &json, why);
	if (r == 0)
		r = build_out_save_sums(o, why);
	if (r < 0)
		return r;
	r = fs_write(o->fd, RECORD, 0644, text_str(&json), json.len, why);
	o->saved_s = now_s();
	return r < 0 ? fault_wrap(why, "%s", o->path) : 0;
}

int build_out_save_lately(struct build_out *o, const struct build *b, struct fault *why)
{
	return now_s() == o->saved_s ? 0 : build_out_save(o, b, why);
}
