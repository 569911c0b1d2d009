/* SPDX-License-Identifier: MIT */
#include "image/target_probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <blkid/blkid.h>

#include "base/fault.h"
#include "base/macros.h"
#include "cluster/seed.h"

enum { EDGE = 1 << 20, MAX_SIGNATURES = 32, MAX_PARTITIONS = 128 };

DEFINE_DROP(probe, blkid_probe, blkid_free_probe)

static void drop_bytes(unsigned char **p)
{
	free(*p);
}

static blkid_probe new_probe(int fd, uint64_t start, uint64_t length)
{
	blkid_probe pr = blkid_new_probe();

	if (pr && blkid_probe_set_device(pr, fd, (blkid_loff_t)start, (blkid_loff_t)length) == 0)
		return pr;
	blkid_free_probe(pr);
	return NULL;
}

static void note(struct target_facts *f, unsigned partition, blkid_probe pr)
{
	const char *type = NULL, *label = "";
	struct target_content *c = &f->contents[f->n_contents];
	enum target_member member;
	size_t i;

	if (blkid_probe_lookup_value(pr, "PTTYPE", &type, NULL) == 0 && partition == 0)
		snprintf(f->table, sizeof(f->table), "%s", type);
	if (blkid_probe_lookup_value(pr, "TYPE", &type, NULL) < 0)
		return;
	blkid_probe_lookup_value(pr, "LABEL", &label, NULL);
	member = target_member_of(type);
	if (member != TARGET_N_MEMBERS && !f->member[member][0] && partition)
		snprintf(f->member[member], TARGET_WORD, "partition %u: %.40s", partition, type);
	else if (member != TARGET_N_MEMBERS && !f->member[member][0])
		snprintf(f->member[member], TARGET_WORD, "%.40s", type);
	if (f->n_contents == TARGET_MAX_CONTENTS)
		return;
	for (i = 0; i < f->n_contents; i++)
		if (f->contents[i].partition == partition && strcmp(f->contents[i].type, type) == 0)
			return;
	c->partition = partition;
	snprintf(c->type, sizeof(c->type), "%s", type);
	snprintf(c->label, sizeof(c->label), "%s", label);
	f->n_contents++;
}

/* Every signature at a place, as wipefs(8) would find them: an old one under a new one counts. */
static int look_place(int fd, unsigned partition, uint64_t start, uint64_t length,
		      struct target_facts *f, struct fault *why)
{
	scoped(drop_probe) blkid_probe pr = new_probe(fd, start, length);
	int i;

	if (!pr)
		return fault_set(why, EIO, "libblkid cannot look at it");
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL);
	if (partition == 0)
		blkid_probe_enable_partitions(pr, 1);
	for (i = 0; i < MAX_SIGNATURES && blkid_do_probe(pr) == 0; i++)
		note(f, partition, pr);
	return 0;
}

int target_partitions(int fd, struct target_partition *ret, size_t max, struct fault *why)
{
	scoped(drop_probe) blkid_probe pr = new_probe(fd, 0, 0);
	blkid_partlist list;
	int i, n, found = 0;

	if (!pr)
		return fault_errno(why, errno ? errno : EIO, "libblkid");
	blkid_probe_enable_partitions(pr, 1);
	list = blkid_probe_get_partitions(pr);
	n = list ? blkid_partlist_numof_partitions(list) : 0;
	for (i = 0; i < n && (size_t)found < max; i++) {
		blkid_partition p = blkid_partlist_get_partition(list, i);
		const char *name = blkid_partition_get_name(p);

		if (blkid_partition_is_extended(p))
			continue;
		ret[found].number = (unsigned)blkid_partition_get_partno(p);
		ret[found].start = UINT64_C(512) * (uint64_t)blkid_partition_get_start(p);
		ret[found].length = 512 * (uint64_t)blkid_partition_get_size(p);
		snprintf(ret[found].name, sizeof(ret->name), "%s", name ? name : "");
		found++;
	}
	return found;
}

int target_read_fd(const void *from, void *buf, size_t len, uint64_t offset, struct fault *why)
{
	const int *fd = from;
	size_t at = 0;

	while (at < len) {
		ssize_t n = pread(*fd, (char *)buf + at, len - at, (off_t)(offset + at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fault_errno(why, n < 0 ? errno : EIO, "reading at byte %llu",
					   (unsigned long long)(offset + at));
		at += (size_t)n;
	}
	return 0;
}

/* Whether the place holds nothing: zeros, or what some flash gives after it was discarded. */
static int edge_is_blank(int fd, uint64_t offset, size_t n, bool *ret, struct fault *why)
{
	scoped(drop_bytes) unsigned char *buf = calloc(1, n);
	int r;

	if (!buf)
		return fault_errno(why, ENOMEM, "looking at what is there");
	r = target_read_fd(&fd, buf, n, offset, why);
	if (r < 0)
		return r;
	*ret = (buf[0] == 0x00 || buf[0] == 0xff) && memcmp(buf, buf + 1, n - 1) == 0;
	return 0;
}

static int look_edges(int fd, struct target_facts *f, struct fault *why)
{
	size_t n = f->size_bytes < EDGE ? (size_t)f->size_bytes : EDGE;
	bool first = true, last = true;
	int r;

	if (n >= 2) {
		r = edge_is_blank(fd, 0, n, &first, why);
		if (r == 0)
			r = edge_is_blank(fd, f->size_bytes - n, n, &last, why);
		if (r < 0)
			return r;
	}
	f->blank = first && last;
	return 0;
}

static int look_seed(int fd, const struct target_partition *p, struct target_facts *f,
		     struct fault *why)
{
	struct target_seed seed = { 0 };
	struct fault unread;

	f->has_seed = true;
	/* A seed that cannot be read is a fact, which is judged; only memory is our own trouble. */
	if (target_seed_read(target_read_fd, &fd, p, &seed, &unread) == -ENOMEM)
		return fault_set(why, ENOMEM, "%s", unread.text);
	memcpy(f->seed_node, seed.node, sizeof(f->seed_node));
	memcpy(f->seed_cluster, seed.cluster, sizeof(f->seed_cluster));
	return 0;
}

static void drop_partitions(struct target_partition **p)
{
	free(*p);
}

int target_look_content(int fd, struct target_facts *f, struct fault *why)
{
	scoped(drop_partitions) struct target_partition *parts =
		calloc(MAX_PARTITIONS, sizeof(*parts));
	int i, r, n = 0;

	if (!parts)
		return fault_errno(why, ENOMEM, "looking at what is there");
	r = look_edges(fd, f, why);
	if (r < 0 || f->size_bytes == 0)
		return r;
	r = look_place(fd, 0, 0, f->size_bytes, f, why);
	if (r == 0 && f->table[0])
		n = target_partitions(fd, parts, MAX_PARTITIONS, why);
	for (i = 0; r == 0 && i < n; i++) {
		/* A partition outside the disk (a cut image) is nothing that can be looked at. */
		if (parts[i].start >= f->size_bytes || parts[i].length == 0 ||
		    parts[i].length > f->size_bytes - parts[i].start)
			continue;
		r = look_place(fd, parts[i].number, parts[i].start, parts[i].length, f, why);
		if (r == 0 && strcmp(parts[i].name, SEED_LABEL) == 0)
			r = look_seed(fd, &parts[i], f, why);
	}
	return n < 0 ? n : r;
}
