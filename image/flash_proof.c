/* SPDX-License-Identifier: MIT */
#include "image/flash_proof.h"

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
#include "image/flash_ring.h"
#include "image/progress.h"
#include "image/sums_file.h"

/* Less than this is summed at once: a qcow2 of a seed, which a machine that ran from it changed. */
enum { AT_ONCE = 64 << 20 };

#define OTHERWISE "; --unsigned flashes it all the same"

const char *flash_vouched_name(enum flash_vouched by)
{
	static const char *const names[] = { [FLASH_BY_NOBODY] = "none",
					     [FLASH_BY_SUMS] = "sums",
					     [FLASH_BY_SIGNATURE] = "signature" };

	return names[by];
}

void flash_proof_done(struct flash_proof *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		file_sum_done(&p->files[i].sum);
		free(p->files[i].path);
	}
	*p = (struct flash_proof){ 0 };
}

static int differs(const struct flash_proof *p, size_t i, struct fault *why)
{
	/* The first is the image itself; those that it stands on are golden disks. */
	if (i > 0)
		return fault_set(why, EBADMSG,
				 "'%s' is not what rackseed build made: its sum in " SUMS_NAME
				 " is another; remove it there and in the cache, and build again",
				 p->files[i].path);
	return fault_set(why, EBADMSG,
			 "'%s' is not what rackseed build made: its sum in " SUMS_NAME
			 " is another; a virtual machine has run from it, or somebody changed it: "
			 "rackseed build --force %s makes it anew",
			 p->files[i].path, p->node);
}

static int judge(const struct flash_proof *p, size_t i, const char *hex, struct fault *why)
{
	return strcmp(hex, p->files[i].want) == 0 ? 0 : differs(p, i, why);
}

/* ---- finding the sums ----------------------------------------------------------------------- */

static int open_folder(const char *image, struct text *path, struct fault *why)
{
	const char *slash = strrchr(image, '/');
	int fd;

	if (slash)
		text_add_n(path, image, slash == image ? 1 : (size_t)(slash - image));
	else
		text_add(path, ".");
	if (text_error(path) < 0)
		return fault_errno(why, ENOMEM, "image");
	fd = open(text_str(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fault_errno(why, errno, "'%s'", text_str(path)) : fd;
}

/* The line of an open file: the file of its name in the folder is that very one. */
static const struct sums_line *find_line(const struct sums *sums, int folder, int fd)
{
	struct stat want, st;
	size_t i;

	if (fstat(fd, &want) < 0)
		return NULL;
	for (i = 0; i < sums->n; i++)
		if (fstatat(folder, sums->lines[i].name, &st, 0) == 0 &&
		    st.st_ino == want.st_ino && st.st_dev == want.st_dev)
			return &sums->lines[i];
	return NULL;
}

/* What /proc says of the file, for one that has no line. */
static int no_line(int fd, const struct flash_claim *claim, const char *folder, struct fault *why)
{
	char self[64], path[512];
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	return fault_set(why, ENOENT,
			 "'%s' is not in '%s/" SUMS_NAME "', so %s does not vouch for it: "
			 "rackseed build --force %s makes it anew" OTHERWISE,
			 path, folder, claim->key->name, claim->node);
}

/* 1: found for all files; 0: nobody has to vouch for them, and nobody does. */
static int find_lines(struct flash_proof *p, const struct flash_source *source,
		      const struct flash_claim *claim, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	scoped(sums_done) struct sums sums = { 0 };
	scoped(drop_fd) int folder = open_folder(claim->image, &path, why);
	int r = folder < 0 ? folder : sums_load(folder, text_str(&path), claim->key, &sums, why);
	size_t i;

	if (r == -ENOENT && !claim->key)
		return 0;
	if (r == -EKEYREJECTED || r == -EBADMSG || (r == -ENOENT && folder >= 0)) {
		const struct fault was = *why;

		return fault_set(why, -r, "%s: rackseed build --force writes it anew" OTHERWISE,
				 was.text);
	}
	if (r < 0)
		return r;
	for (i = 0; i < source->n_fds; i++) {
		const struct sums_line *line = find_line(&sums, folder, source->fds[i]);

		if (!line)
			return claim->key ? no_line(source->fds[i], claim, text_str(&path), why)
					  : 0;
		p->files[i].sum = (struct file_sum){ .fd = -1 };
		p->n = i + 1;
		memcpy(p->files[i].want, line->hex, DIGEST_LEN);
		if (asprintf(&p->files[i].path, "%s/%s", text_str(&path), line->name) < 0) {
			p->files[i].path = NULL;
			return fault_errno(why, ENOMEM, "image");
		}
	}
	return 1;
}

/* ---- the sums ------------------------------------------------------------------------------- */

/* Whether the source takes from the file what comes later in the file the later. */
static bool in_order(const struct flash_source *source, int fd)
{
	uint64_t at = 0;
	size_t i;

	for (i = 0; i < source->n_extents; i++) {
		const struct flash_extent *e = &source->extents[i];

		if (e->fd != fd)
			continue;
		if (e->offset < at)
			return false;
		at = e->offset + e->length;
	}
	return true;
}

static int begin(struct flash_proof *p, size_t i, const struct flash_source *source,
		 const struct flash_claim *claim, struct fault *why)
{
	int fd = source->fds[i];
	char hex[DIGEST_LEN];
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return fault_errno(why, errno, "'%s'", p->files[i].path);
	if (st.st_size >= AT_ONCE && in_order(source, fd))
		return file_sum_begin(&p->files[i].sum, fd, why);
	if (st.st_size >= AT_ONCE)
		progress_phase(claim->progress, (uint64_t)st.st_size, "sum of %s",
			       p->files[i].path);
	r = file_sum(fd, st.st_size >= AT_ONCE ? claim->progress : NULL, hex, why);
	progress_drop(claim->progress);
	return r < 0 ? fault_wrap(why, "'%s'", p->files[i].path) : judge(p, i, hex, why);
}

int flash_proof_open(struct flash_proof *p, const struct flash_source *source,
		     const struct flash_claim *claim, struct fault *why)
{
	scoped(flash_proof_done) struct flash_proof proof = { .node = claim->node };
	size_t i;
	int r = find_lines(&proof, source, claim, why);

	*p = (struct flash_proof){ 0 };
	if (r <= 0)
		return r;
	for (i = 0; i < proof.n; i++) {
		r = begin(&proof, i, source, claim, why);
		if (r < 0)
			return r;
	}
	proof.by = claim->key ? FLASH_BY_SIGNATURE : FLASH_BY_SUMS;
	*p = proof;
	proof = (struct flash_proof){ 0 };
	return 0;
}

static struct file_sum *find_sum(struct flash_proof *p, int fd)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->files[i].sum.fd == fd)
			return &p->files[i].sum;
	return NULL;
}

/* The part of the extent that lies in the piece. */
static int follow_extent(struct flash_proof *p, const struct flash_extent *e,
			 const struct flash_piece *piece, struct fault *why)
{
	struct file_sum *sum = find_sum(p, e->fd);
	uint64_t start = e->start > piece->start ? e->start : piece->start;
	uint64_t end = e->start + e->length, offset = e->offset + (start - e->start);
	int r;

	if (!sum)
		return 0;
	if (end > piece->start + piece->length)
		end = piece->start + piece->length;
	r = file_sum_to(sum, offset, p->stop, why);
	if (r == 0 && sum->at != offset)
		return fault_set(why, EBADMSG, "the image is read out of order");
	return r < 0 ? r : file_sum_take(sum, piece->data + (start - piece->start), end - start,
					 why);
}

int flash_proof_follow(struct flash_proof *p, const struct flash_source *source,
		       const struct flash_piece *piece, struct fault *why)
{
	const struct flash_extent *e = source->extents;
	size_t i;
	int r = 0;

	while (p->next < source->n_extents &&
	       e[p->next].start + e[p->next].length <= piece->start)
		p->next++;
	for (i = p->next; r == 0 && i < source->n_extents &&
			  e[i].start < piece->start + piece->length;
	     i++)
		r = follow_extent(p, &e[i], piece, why);
	return r < 0 ? fault_wrap(why, "image") : 0;
}

int flash_proof_end(struct flash_proof *p, struct fault *why)
{
	char hex[DIGEST_LEN];
	size_t i;

	for (i = 0; i < p->n; i++) {
		struct file_sum *sum = &p->files[i].sum;
		int r = sum->fd < 0 ? 1 : file_sum_end(sum, p->stop, hex, why);

		file_sum_done(sum);
		if (r == 0)
			r = judge(p, i, hex, why);
		if (r < 0)
			return r;
	}
	return 0;
}
