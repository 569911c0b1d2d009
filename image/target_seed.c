/* SPDX-License-Identifier: MIT */
#include "image/target_probe.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"
#include "cluster/seed.h"

enum { PIECE = 1 << 20, TIMEOUT_MS = 20000 };

static void drop_bytes(char **p)
{
	free(*p);
}

static int write_whole(int fd, const char *data, size_t n)
{
	size_t at = 0;

	while (at < n) {
		ssize_t w = write(fd, data + at, n - at);

		if (w < 0 && errno != EINTR)
			return -errno;
		at += w > 0 ? (size_t)w : 0;
	}
	return 0;
}

/* Copies the partition into memory: it holds secrets, and a disk is never opened twice by name. */
static int copy(target_read_fn *read, const void *from, const struct target_partition *p,
		struct fault *why)
{
	scoped(drop_fd) int fd = memfd_create("seed", MFD_CLOEXEC);
	scoped(drop_bytes) char *piece = malloc(PIECE);
	uint64_t at;
	int r;

	if (fd < 0 || !piece)
		return fault_errno(why, fd < 0 ? errno : ENOMEM, "seed");
	for (at = 0; at < p->length; at += PIECE) {
		size_t n = p->length - at < PIECE ? (size_t)(p->length - at) : PIECE;

		r = read(from, piece, n, p->start + at, why);
		if (r < 0)
			return r;
		if (write_whole(fd, piece, n) < 0)
			return fault_set(why, ENOMEM, "seed: no memory for a copy of it");
	}
	r = fd;
	fd = -1;
	return r;
}

/* mtools read FAT without mounting anything. */
static int read_file(int memory, const char *name, struct text *out, struct fault *why)
{
	char image[64], path[64];
	const char *argv[] = { "mtype", "-i", image, path, NULL };
	const char *env[] = { "MTOOLS_SKIP_CHECK=1", "LC_ALL=C.UTF-8", NULL };
	const struct run mtype = { .argv = argv, .env = env, .out = out, .timeout_ms = TIMEOUT_MS };

	snprintf(image, sizeof(image), "/proc/%d/fd/%d", (int)getpid(), memory);
	snprintf(path, sizeof(path), "::%s", name);
	return run(&mtype, why);
}

/* Takes the one line that is a name of lower-case letters, digits, '-' and '.'. */
static bool take_name(const char *s, size_t n, char *buf, size_t size)
{
	size_t i;

	while (n && isspace((unsigned char)s[n - 1]))
		n--;
	for (i = 0; i < n; i++)
		if (!islower((unsigned char)s[i]) && !isdigit((unsigned char)s[i]) && s[i] != '-' &&
		    s[i] != '.')
			return false;
	if (n == 0 || n >= size)
		return false;
	memcpy(buf, s, n);
	buf[n] = '\0';
	return true;
}

static void take_cluster(const struct text *document, struct target_seed *ret)
{
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints complaints = { 0 };
	struct fault why;

	/* An older document may have keys that are wrong today; its name is all that is asked. */
	if (document_parse("cluster.yaml", text_str(document), document->len, &m, &complaints,
			   &why) == 0 &&
	    m.name)
		take_name(m.name, strlen(m.name), ret->cluster, sizeof(ret->cluster));
}

int target_seed_read(target_read_fn *read, const void *from,
		     const struct target_partition *partition, struct target_seed *ret,
		     struct fault *why)
{
	scoped(drop_fd) int memory = -1;
	scoped(text_done) struct text node = { 0 };
	scoped(text_done) struct text document = { 0 };
	struct target_seed seed = { 0 };
	int r;

	if (partition->length > 4ULL * SEED_BYTES)
		return fault_set(why, EFBIG, "partition '%s' is too large for a seed",
				 partition->name);
	memory = copy(read, from, partition, why);
	if (memory < 0)
		return memory;
	r = read_file(memory, "node", &node, why);
	if (r == 0)
		r = read_file(memory, "cluster.yaml", &document, why);
	if (r < 0)
		return fault_wrap(why, "seed");
	if (!take_name(text_str(&node), node.len, seed.node, sizeof(seed.node)))
		return fault_set(why, EBADMSG, "seed: 'node' holds no name");
	take_cluster(&document, &seed);
	*ret = seed;
	return 0;
}
