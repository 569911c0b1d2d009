/* SPDX-License-Identifier: MIT */
#include "image/sums_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "cluster/model.h"
#include "cluster/signature.h"
#include "image/file_sum.h"
#include "image/progress.h"

/* The signature of sums that are about to take their place. */
#define PENDING ".unfinished-" SUMS_SIGNATURE

enum { MAX_KEY = 1 << 20, MAX_SUMS = 4 << 20, MAX_SIGNATURE = 1 << 16, LARGE = 64 << 20 };

void sums_key_done(struct sums_key *k)
{
	text_wipe(&k->pem);
	k->name = NULL;
}

int sums_key_read(int folder, const struct model *m, bool signs, struct sums_key *ret,
		  struct fault *why)
{
	const char *const names[] = { m->signing.key_file, "secrets/signing.pub",
				      "secrets/signing.key" };
	size_t i, first = m->signing.key_file ? 0 : signs ? 2 : 1;
	size_t end = m->signing.key_file ? 1 : COUNT(names);

	for (i = first; i < end; i++) {
		scoped(text_wipe) struct text pem = { 0 };
		int r = fs_read(folder, names[i], MAX_KEY, &pem, why);

		if (r < 0 && (r != -ENOENT || m->signing.key_file))
			return fault_wrap(why, "the key for " SUMS_NAME);
		if (r < 0)
			continue;
		*ret = (struct sums_key){ .pem = pem, .name = names[i] };
		pem = (struct text){ 0 };
		return 1;
	}
	return 0;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* One of the two: the sums may have come into their place just before a cut, the signature not. */
static int check_signature(int folder, const char *path, const struct sums_key *key,
			   const struct text *data, struct fault *why)
{
	static const char *const names[] = { SUMS_SIGNATURE, PENDING };
	bool any = false;
	size_t i;

	for (i = 0; i < COUNT(names); i++) {
		scoped(text_done) struct text sig = { 0 };
		int r = fs_read(folder, names[i], MAX_SIGNATURE, &sig, why);

		if (r == -ENOENT)
			continue;
		if (r == 0)
			r = signature_check(text_str(&key->pem), text_str(data), data->len, &sig,
					    why);
		if (r == 0 || (r != -EKEYREJECTED && r != -EFBIG))
			return r < 0 ? fault_wrap(why, "%s", key->name) : 0;
		any = true;
	}
	return any ? fault_set(why, EKEYREJECTED,
			       "'%s/" SUMS_SIGNATURE "' is not what %s says of '%s/" SUMS_NAME
			       "': one of the two was changed, or another key has signed",
			       path, key->name, path)
		   : fault_set(why, EKEYREJECTED,
			       "'%s/" SUMS_SIGNATURE "' is not there, and %s is to vouch for the "
			       "images",
			       path, key->name);
}

int sums_load(int folder, const char *path, const struct sums_key *key, struct sums *ret,
	      struct fault *why)
{
	scoped(text_done) struct text data = { 0 };
	int r = fs_read(folder, SUMS_NAME, MAX_SUMS, &data, why);

	if (r == -ENOENT)
		return fault_set(why, ENOENT, "'%s/" SUMS_NAME "' is not there", path);
	if (r < 0)
		return fault_wrap(why, "%s", path);
	r = key ? check_signature(folder, path, key, &data, why) : 0;
	if (r < 0)
		return r;
	r = sums_parse(text_str(&data), data.len, ret, why);
	return r < 0 ? fault_wrap(why, "'%s/" SUMS_NAME "'", path) : 0;
}

/* ---- writing -------------------------------------------------------------------------------- */

static bool is_signed(int folder, const struct sums_key *key, const struct text *data)
{
	scoped(text_done) struct text sig = { 0 };
	struct fault ignored = { 0 };

	return fs_read(folder, SUMS_SIGNATURE, MAX_SIGNATURE, &sig, &ignored) == 0 &&
	       signature_check(text_str(&key->pem), text_str(data), data->len, &sig, &ignored) == 0;
}

static int save_signed(int folder, const struct sums_key *key, const struct text *data,
		       struct fault *why)
{
	scoped(text_done) struct text sig = { 0 };
	int r = signature_make(text_str(&key->pem), text_str(data), data->len, &sig, why);

	if (r < 0)
		return fault_wrap(why, "%s", key->name);
	r = fs_write(folder, PENDING, 0644, text_str(&sig), sig.len, why);
	if (r >= 0)
		r = fs_write(folder, SUMS_NAME, 0644, text_str(data), data->len, why);
	if (r < 0)
		return r;
	if (renameat(folder, PENDING, folder, SUMS_SIGNATURE) < 0 || fsync(folder) < 0)
		return fault_errno(why, errno, SUMS_SIGNATURE);
	return 0;
}

int sums_save(const struct sums *s, int folder, const char *path, const struct sums_key *key,
	      struct fault *why)
{
	scoped(text_done) struct text data = { 0 };
	int r;

	sums_render(s, &data);
	if (text_error(&data) < 0)
		return fault_errno(why, ENOMEM, SUMS_NAME);
	if (key && !is_signed(folder, key, &data)) {
		r = save_signed(folder, key, &data, why);
	} else {
		r = key ? 0 : fs_remove(folder, SUMS_SIGNATURE, why);
		if (r >= 0)
			r = fs_remove(folder, PENDING, why);
		if (r >= 0)
			r = fs_write(folder, SUMS_NAME, 0644, text_str(&data), data.len, why);
	}
	return r < 0 ? fault_wrap(why, "%s", path) : 0;
}

/* ---- its lines ------------------------------------------------------------------------------ */

int sums_add_file(struct sums *s, int folder, const char *name, struct progress *progress,
		  struct fault *why)
{
	scoped(drop_fd) int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char hex[DIGEST_LEN];
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_errno(why, errno, "%s", name);
	progress = st.st_size < LARGE ? NULL : progress;
	if (progress)
		progress_phase(progress, (uint64_t)st.st_size, "sum of %s", name);
	r = file_sum(fd, progress, hex, why);
	if (r < 0)
		return fault_wrap(why, "%s", name);
	if (progress)
		progress_end(progress);
	return sums_put(s, name, hex) < 0 ? fault_errno(why, ENOMEM, SUMS_NAME) : 0;
}

int sums_add_bytes(struct sums *s, const char *name, const struct text *data, struct fault *why)
{
	char hex[DIGEST_LEN];
	int r = digest_bytes(text_str(data), data->len, hex, why);

	if (r < 0)
		return r;
	return sums_put(s, name, hex) < 0 ? fault_errno(why, ENOMEM, SUMS_NAME) : 0;
}

void sums_keep(struct sums *s, int folder)
{
	size_t i = s->n;

	while (i-- > 0)
		if (faccessat(folder, s->lines[i].name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno == ENOENT)
			sums_drop(s, s->lines[i].name);
}
