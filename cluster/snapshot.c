/* SPDX-License-Identifier: MIT */
#include "cluster/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"

DEFINE_DROP(dir, DIR *, closedir)
DEFINE_DROP(digest, EVP_MD_CTX *, EVP_MD_CTX_free)

enum { SUM = 32, PAGE = 512, META_SUMMED = 56, MAX_NAMES = 4096 };

/* bbolt's own page header is 16 bytes, and its second meta page lies one page of the host on. */
enum { PAGE_HEADER = 16, META_SECOND = 4096 };

void snapshot_name(int64_t now, char buf[static SNAPSHOT_NAME_LEN])
{
	time_t t = (time_t)now;
	struct tm tm = { 0 };

	gmtime_r(&t, &tm);
	if (strftime(buf, SNAPSHOT_NAME_LEN, "etcd-%Y%m%dT%H%M%SZ.db", &tm) == 0)
		buf[0] = '\0';
}

int snapshot_time(const char *name, int64_t *ret_time)
{
	struct tm tm = { 0 };
	const char *end = strptime(name, "etcd-%Y%m%dT%H%M%SZ.db", &tm);

	if (!end || *end || strlen(name) != SNAPSHOT_NAME_LEN - 1)
		return -EINVAL;
	*ret_time = timegm(&tm);
	return 0;
}

static uint64_t little(const unsigned char *p, int n)
{
	uint64_t value = 0;

	while (n-- > 0)
		value = value << 8 | p[n];
	return value;
}

/* bbolt/db.go, type meta: magic, version, page size, flags, …, and FNV-1a of what precedes it. */
static bool is_meta(const unsigned char *p)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < META_SUMMED; i++)
		sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
	return little(p, 4) == 0xED0CDAED && little(p + 4, 4) == 2 &&
	       little(p + META_SUMMED, 8) == sum;
}

int snapshot_check_database(int dirfd, const char *path, struct fault *why)
{
	scoped(drop_fd) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	static const off_t places[] = { PAGE_HEADER, META_SECOND + PAGE_HEADER };
	unsigned char meta[META_SUMMED + 8];
	size_t i;

	if (fd < 0)
		return fault_errno(why, errno, "%s", path);
	for (i = 0; i < COUNT(places); i++) {
		ssize_t n = pread(fd, meta, sizeof(meta), places[i]);

		if (n < 0)
			return fault_errno(why, errno, "%s", path);
		if (n == (ssize_t)sizeof(meta) && is_meta(meta))
			return 0;
	}
	return fault_set(why, EBADMSG, "%s: no database of etcd", path);
}

/* The digest of the first len bytes. */
static int digest(int fd, off_t len, unsigned char sum[static SUM])
{
	scoped(drop_digest) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char buf[65536];
	unsigned n_sum = 0;
	off_t at = 0;

	if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	while (at < len) {
		size_t want = len - at < (off_t)sizeof(buf) ? (size_t)(len - at) : sizeof(buf);
		ssize_t n = pread(fd, buf, want, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		if (EVP_DigestUpdate(ctx, buf, (size_t)n) != 1)
			return -EIO;
		at += n;
	}
	return EVP_DigestFinal_ex(ctx, sum, &n_sum) == 1 && n_sum == SUM ? 0 : -EIO;
}

int snapshot_verify(int dirfd, const char *name, struct fault *why)
{
	scoped(drop_fd) int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned char have[SUM], want[SUM];
	struct stat st;
	off_t len;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_errno(why, errno, "%s", name);
	/* As etcd itself tells one with a sum from a bare database. */
	if (!S_ISREG(st.st_mode) || st.st_size <= SUM || st.st_size % PAGE != SUM)
		return fault_set(why, EBADMSG, "%s: cut short, or without its sum", name);
	len = st.st_size - SUM;
	r = digest(fd, len, have);
	if (r == 0 && pread(fd, want, SUM, len) != SUM)
		r = -EIO;
	if (r < 0)
		return fault_errno(why, r, "%s", name);
	if (memcmp(have, want, SUM) != 0)
		return fault_set(why, EBADMSG, "%s: its sum is wrong", name);
	return snapshot_check_database(dirfd, name, why);
}

static int newest_first(const void *a, const void *b)
{
	return strcmp(b, a);
}

typedef char snapshot_names[SNAPSHOT_NAME_LEN];

/* The names of all that are called snapshots, newest first. */
static int list(int dirfd, snapshot_names **ret_names, size_t *ret_n, struct fault *why)
{
	scoped(drop_dir) DIR *dir = NULL;
	snapshot_names *names = calloc(MAX_NAMES, sizeof(*names));
	struct dirent *entry;
	int64_t ignored;
	size_t n = 0;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir || !names) {
		int code = names ? errno : ENOMEM;

		if (fd >= 0 && !dir)
			close(fd);
		free(names);
		return fault_errno(why, code, "snapshots");
	}
	while (n < MAX_NAMES && (entry = readdir(dir)))
		if (snapshot_time(entry->d_name, &ignored) == 0)
			memcpy(names[n++], entry->d_name, SNAPSHOT_NAME_LEN);
	qsort(names, n, sizeof(*names), newest_first);
	*ret_names = names;
	*ret_n = n;
	return 0;
}

int snapshot_latest(int dirfd, char ret_name[static SNAPSHOT_NAME_LEN], struct fault *why)
{
	snapshot_names *names;
	size_t n;
	int r = list(dirfd, &names, &n, why);

	if (r < 0)
		return r;
	if (n > 0)
		memcpy(ret_name, names[0], SNAPSHOT_NAME_LEN);
	free(names);
	return n > 0 ? 0 : fault_set(why, ENOENT, "there is no snapshot");
}

int snapshot_newest(int dirfd, char ret_name[static SNAPSHOT_NAME_LEN], struct fault *why)
{
	snapshot_names *names;
	size_t n, i;
	int unread = 0;
	int r = list(dirfd, &names, &n, why);

	if (r < 0)
		return r;
	r = -ENOENT;
	for (i = 0; i < n && r < 0 && (unread == 0 || unread == -EIO); i++) {
		r = snapshot_verify(dirfd, names[i], why);
		if (r < 0 && r != -EBADMSG && r != -ENOENT)
			unread = r;
	}
	if (r == 0)
		memcpy(ret_name, names[i - 1], SNAPSHOT_NAME_LEN);
	free(names);
	if (r == 0)
		return 0;
	if (unread)
		return fault_errno(why, unread, "snapshots");
	if (n == 0)
		return fault_set(why, ENOENT, "there is no snapshot");
	return fault_set(why, ENOENT, "none of %zu snapshots is whole", n);
}

int snapshot_prune(int dirfd, unsigned keep, struct fault *why)
{
	struct fault ignored = { 0 };
	snapshot_names *names;
	unsigned whole = 0;
	size_t n, i;
	int r = list(dirfd, &names, &n, why);

	if (r < 0)
		return r;
	for (i = 0; r >= 0 && i < n; i++) {
		int verdict = whole < keep ? snapshot_verify(dirfd, names[i], &ignored) : -EBADMSG;

		whole += verdict == 0;
		if (verdict == -EBADMSG && whole > 0)
			r = fs_remove(dirfd, names[i], why);
	}
	free(names);
	return r < 0 ? r : 0;
}
