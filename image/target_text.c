/* SPDX-License-Identifier: MIT */
#include "image/target.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/macros.h"
#include "base/text.h"

char *target_size(uint64_t bytes, char buf[static TARGET_SIZE_LEN])
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	uint64_t whole = bytes, tenth = 0;
	size_t unit = 0;

	for (; whole >= 1024 && unit + 1 < COUNT(units); unit++) {
		tenth = (whole & 1023) * 10 / 1024;
		whole >>= 10;
	}
	if (unit == 0 || tenth == 0)
		snprintf(buf, TARGET_SIZE_LEN, "%llu %s", (unsigned long long)whole, units[unit]);
	else
		snprintf(buf, TARGET_SIZE_LEN, "%llu.%llu %s", (unsigned long long)whole,
			 (unsigned long long)tenth, units[unit]);
	return buf;
}

enum target_member target_member_of(const char *type)
{
	static const struct {
		const char *type;
		enum target_member member;
	} kinds[] = {
		{ "LVM1_member", TARGET_LVM },
		{ "LVM2_member", TARGET_LVM },
		{ "LVM2_snapshot_cow", TARGET_LVM },
		{ "mpath_member", TARGET_MULTIPATH },
		{ "zfs_member", TARGET_OTHER },
		{ "bcache", TARGET_OTHER },
		{ "drbd", TARGET_OTHER },
		{ "drbdmanage_control_volume", TARGET_OTHER },
		{ "ceph_bluestore", TARGET_OTHER },
		{ "VMFS_volume_member", TARGET_OTHER },
		{ "stratis", TARGET_OTHER },
		{ "vdo", TARGET_OTHER },
		{ "DM_verity_hash", TARGET_OTHER },
	};
	const char *end = strrchr(type, '_');
	size_t i;

	for (i = 0; i < COUNT(kinds); i++)
		if (strcmp(type, kinds[i].type) == 0)
			return kinds[i].member;
	/* linux_raid_member, ddf_raid_member, isw_raid_member, …: a dozen makers. */
	return end && strcmp(end, "_member") == 0 ? TARGET_RAID : TARGET_N_MEMBERS;
}

/* A label comes from a stranger's disk: nothing in it may steer a terminal. */
static void add_label(struct text *out, const char *label)
{
	text_add(out, " '");
	for (; *label; label++)
		text_add_n(out, iscntrl((unsigned char)*label) ? "?" : label, 1);
	text_add(out, "'");
}

void target_contents(const struct target_facts *f, struct text *out)
{
	size_t start = out->len, i;

	if (f->unread)
		return;
	if (f->has_seed) {
		text_add(out, f->seed_node[0] ? "node" : "a node that cannot be read");
		if (f->seed_node[0])
			add_label(out, f->seed_node);
		if (f->seed_cluster[0]) {
			text_add(out, " of cluster");
			add_label(out, f->seed_cluster);
		}
		return;
	}
	text_add(out, f->table);
	for (i = 0; i < f->n_contents; i++) {
		text_add(out, out->len > start ? "; " : "");
		if (f->contents[i].partition)
			text_addf(out, "%u ", f->contents[i].partition);
		text_add(out, f->contents[i].type);
		if (f->contents[i].label[0])
			add_label(out, f->contents[i].label);
	}
	if (out->len == start)
		text_add(out, f->blank ? "empty" : "bytes of no known kind");
}

static bool same_contents(const struct target_facts *a, const struct target_facts *b)
{
	size_t i;

	if (a->n_contents != b->n_contents || strcmp(a->table, b->table) != 0 ||
	    a->blank != b->blank || a->has_seed != b->has_seed)
		return false;
	for (i = 0; i < a->n_contents; i++)
		if (a->contents[i].partition != b->contents[i].partition ||
		    strcmp(a->contents[i].type, b->contents[i].type) != 0 ||
		    strcmp(a->contents[i].label, b->contents[i].label) != 0)
			return false;
	return strcmp(a->seed_node, b->seed_node) == 0 &&
	       strcmp(a->seed_cluster, b->seed_cluster) == 0;
}

void target_compare(const struct target_facts *before, struct target_facts *now)
{
	const struct {
		const char *what;
		bool same;
	} parts[] = {
		{ "another device", before->major == now->major && before->minor == now->minor },
		{ "another medium (the kernel counted it anew)", before->diskseq == now->diskseq },
		{ "another serial", strcmp(before->serial, now->serial) == 0 },
		{ "another WWN", strcmp(before->wwn, now->wwn) == 0 },
		{ "another size", before->size_bytes == now->size_bytes },
		{ "other things on it", same_contents(before, now) },
	};
	size_t i;

	for (i = 0; i < COUNT(parts) && !now->changed[0]; i++)
		if (!parts[i].same)
			snprintf(now->changed, sizeof(now->changed), "%s", parts[i].what);
}
