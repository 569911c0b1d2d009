/* SPDX-License-Identifier: MIT */
#include "image/target.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/macros.h"
#include "base/text.h"
#include "cluster/disk.h"
#include "cluster/model.h"

/* Each says whether its reason applies and, if so, adds the sentence that a person reads. */

static bool is_strange(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	(void)w;
	text_addf(say, "'%s' is neither a disk nor a file", f->name);
	return f->kind == TARGET_STRANGE;
}

static bool is_partition(const struct target_facts *f, const struct target_want *w,
			 struct text *say)
{
	(void)w;
	text_addf(say, "'%s' is a partition: name the whole disk", f->name);
	return f->kind == TARGET_PARTITION;
}

static bool is_stacked(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	(void)w;
	text_add(say, "it is made of other disks and no firmware would boot from it: name a disk");
	return f->stacked;
}

static bool is_without_medium(const struct target_facts *f, const struct target_want *w,
			      struct text *say)
{
	(void)w;
	text_add(say, "there is no medium in it");
	return f->kind == TARGET_DISK && f->size_bytes == 0;
}

static bool is_read_only(const struct target_facts *f, const struct target_want *w,
			 struct text *say)
{
	(void)w;
	text_add(say, "it is read-only: look for a switch on it, or blockdev --setrw");
	return f->read_only;
}

static bool has_large_sectors(const struct target_facts *f, const struct target_want *w,
			      struct text *say)
{
	(void)w;
	text_addf(say,
		  "its logical sectors have %u bytes and the image's table counts in 512; "
		  "many disks can be set to 512 (nvme format, sg_format)",
		  f->sector_bytes);
	return f->sector_bytes > 512;
}

static bool is_root(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	(void)w;
	text_add(say, "the running system is on it");
	return f->holds_root;
}

static bool is_mounted(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	(void)w;
	text_addf(say, "it is mounted on '%s': umount it first if you are sure", f->mount);
	return f->mount[0] && !f->holds_root;
}

static bool is_swap(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	(void)w;
	text_addf(say, "this machine swaps to '%s' on it: swapoff first if you are sure", f->swap);
	return f->swap[0];
}

static bool member_say(const struct target_facts *f, enum target_member member, const char *what,
		       const char *remedy, struct text *say)
{
	text_addf(say, "it is part of %s (%s): %s", what, f->member[member], remedy);
	return f->member[member][0];
}

static bool is_lvm(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	(void)w;
	return member_say(f, TARGET_LVM, "an LVM volume group",
			  "take it out (vgreduce, pvremove) if you are sure", say);
}

static bool is_raid(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	(void)w;
	return member_say(f, TARGET_RAID, "a RAID array",
			  "stop the array and clear it (mdadm --zero-superblock) if you are sure",
			  say);
}

static bool is_multipath(const struct target_facts *f, const struct target_want *w,
			 struct text *say)
{
	(void)w;
	return member_say(f, TARGET_MULTIPATH, "a multipath device",
			  "one of several ways to the same disk is never written", say);
}

static bool is_crypt(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	(void)w;
	return member_say(f, TARGET_CRYPT, "an open encrypted volume", "close it first", say);
}

static bool is_member(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	(void)w;
	return member_say(f, TARGET_OTHER, "something larger", "take it out first", say);
}

static bool is_explained(const struct target_facts *f)
{
	size_t i;

	for (i = 0; i < TARGET_N_MEMBERS; i++)
		if (f->member[i][0])
			return true;
	return f->holds_root || f->mount[0] || f->swap[0];
}

static bool is_busy(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	(void)w;
	text_add(say, "another program, container or flash holds it open for itself");
	return f->busy && !is_explained(f);
}

static bool is_changed(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	(void)w;
	text_addf(say, "it is not what it was a moment ago: %s", f->changed);
	return f->changed[0];
}

static bool is_too_small(const struct target_facts *f, const struct target_want *w,
			 struct text *say)
{
	char has[TARGET_SIZE_LEN], needs[TARGET_SIZE_LEN];

	text_addf(say, "it has %s (%llu bytes) and the image needs %s (%llu bytes)",
		  target_size(f->size_bytes, has), (unsigned long long)f->size_bytes,
		  target_size(w->image_bytes, needs), (unsigned long long)w->image_bytes);
	return f->size_bytes > 0 && f->size_bytes < w->image_bytes;
}

static bool has_wrong_serial(const struct target_facts *f, const struct target_want *w,
			     struct text *say)
{
	if (!w->disk || !w->disk->serial)
		return false;
	text_addf(say, "the file names serial '%s' for node '%s', and this one %s%s%s",
		  w->disk->serial, w->node, f->serial[0] ? "bears '" : "bears none", f->serial,
		  f->serial[0] ? "'" : "");
	return strcasecmp(f->serial, w->disk->serial) != 0;
}

static bool has_wrong_wwn(const struct target_facts *f, const struct target_want *w,
			  struct text *say)
{
	if (!w->disk || !w->disk->wwn)
		return false;
	text_addf(say, "the file names WWN '%s' for node '%s', and this one %s%s%s", w->disk->wwn,
		  w->node, f->wwn[0] ? "bears '" : "bears none", f->wwn, f->wwn[0] ? "'" : "");
	return !disk_wwn_equal(f->wwn, w->disk->wwn);
}

/* Makers round: "480 GB" has 480,103,981,056 bytes. One percent tells 480 from 500 apart. */
static bool has_wrong_size(const struct target_facts *f, const struct target_want *w,
			   struct text *say)
{
	char has[TARGET_SIZE_LEN], wants[TARGET_SIZE_LEN];
	uint64_t apart;

	if (!w->disk || w->disk->size_bytes == 0)
		return false;
	text_addf(say, "the file names a disk of %s for node '%s', and this one has %s",
		  target_size(w->disk->size_bytes, wants), w->node,
		  target_size(f->size_bytes, has));
	apart = f->size_bytes > w->disk->size_bytes ? f->size_bytes - w->disk->size_bytes
						    : w->disk->size_bytes - f->size_bytes;
	return apart > w->disk->size_bytes / 100;
}

/* One that is told by its size alone may be of the system disk's size: then a number decides. */
static bool is_for_data(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	struct disk disk = { .size_bytes = f->size_bytes };

	if (!w->data || (w->disk && (w->disk->serial || w->disk->wwn)))
		return false; /* the one that is meant has been compared */
	snprintf(disk.serial, sizeof(disk.serial), "%s", f->serial);
	snprintf(disk.wwn, sizeof(disk.wwn), "%s", f->wwn);
	text_addf(say, "the file names it as the disk for data of node '%s'", w->node);
	return disk_is_meant(&disk, w->data);
}

static bool is_ours(const struct target_facts *f, const struct target_want *w)
{
	return f->has_seed && w->node && w->cluster && strcmp(f->seed_cluster, w->cluster) == 0;
}

static bool is_other_node(const struct target_facts *f, const struct target_want *w,
			  struct text *say)
{
	text_addf(say, "it is node '%s' of this cluster, not '%s'", f->seed_node,
		  w->node ? w->node : "");
	return is_ours(f, w) && f->seed_node[0] && strcmp(f->seed_node, w->node) != 0;
}

static bool is_unreadable_node(const struct target_facts *f, const struct target_want *w,
			       struct text *say)
{
	(void)w;
	text_add(say, "it is a node of some cluster, and its seed cannot be read");
	return f->has_seed && !f->seed_node[0];
}

static bool is_this_node(const struct target_facts *f, const struct target_want *w,
			 struct text *say)
{
	text_addf(say, "it is node '%s' already: what the node has gathered on it will be lost",
		  f->seed_node);
	return is_ours(f, w) && strcmp(f->seed_node, w->node) == 0;
}

static bool holds_data(const struct target_facts *f, const struct target_want *w, struct text *say)
{
	if (f->unread || is_ours(f, w) || (f->has_seed && !f->seed_node[0]))
		return false;
	text_add(say, "there is data on it that will be lost: ");
	target_contents(f, say);
	return f->table[0] || f->n_contents || !f->blank;
}

static const struct {
	const char *code;
	enum target_weight weight;
	bool (*find)(const struct target_facts *, const struct target_want *, struct text *);
} rules[] = {
	{ "not-a-disk", TARGET_REFUSED, is_strange },
	{ "partition", TARGET_REFUSED, is_partition },
	{ "stacked", TARGET_REFUSED, is_stacked },
	{ "no-medium", TARGET_REFUSED, is_without_medium },
	{ "holds-root", TARGET_REFUSED, is_root },
	{ "mounted", TARGET_REFUSED, is_mounted },
	{ "swap", TARGET_REFUSED, is_swap },
	{ "lvm", TARGET_REFUSED, is_lvm },
	{ "raid", TARGET_REFUSED, is_raid },
	{ "multipath", TARGET_REFUSED, is_multipath },
	{ "crypt", TARGET_REFUSED, is_crypt },
	{ "member", TARGET_REFUSED, is_member },
	{ "busy", TARGET_REFUSED, is_busy },
	{ "changed", TARGET_REFUSED, is_changed },
	{ "wrong-serial", TARGET_REFUSED, has_wrong_serial },
	{ "wrong-wwn", TARGET_REFUSED, has_wrong_wwn },
	{ "wrong-size", TARGET_REFUSED, has_wrong_size },
	{ "for-data", TARGET_REFUSED, is_for_data },
	{ "read-only", TARGET_REFUSED, is_read_only },
	{ "sector-size", TARGET_REFUSED, has_large_sectors },
	{ "too-small", TARGET_REFUSED, is_too_small },
	{ "other-node", TARGET_ASKS_SERIAL, is_other_node },
	{ "unreadable-node", TARGET_ASKS_SERIAL, is_unreadable_node },
	{ "this-node", TARGET_ASKS, is_this_node },
	{ "holds-data", TARGET_ASKS, holds_data },
};

void target_judge(const struct target_facts *facts, const struct target_want *want,
		  struct target_verdict *ret)
{
	size_t i;

	_Static_assert(COUNT(rules) <= TARGET_MAX_REASONS, "a verdict has room for every reason");
	ret->n = 0;
	for (i = 0; i < COUNT(rules); i++) {
		scoped(text_done) struct text say = { 0 };
		struct target_reason *reason = &ret->reasons[ret->n];

		if (!rules[i].find(facts, want, &say))
			continue;
		reason->code = rules[i].code;
		reason->weight = rules[i].weight;
		snprintf(reason->text, sizeof(reason->text), "%s", text_str(&say));
		ret->n++;
	}
}

int target_weight(const struct target_verdict *verdict)
{
	int gravest = -1;
	size_t i;

	for (i = 0; i < verdict->n; i++)
		if ((int)verdict->reasons[i].weight > gravest)
			gravest = (int)verdict->reasons[i].weight;
	return gravest;
}

static bool is_name(const struct target_facts *f, const char *path, const char *word)
{
	return strcmp(word, f->name) == 0 || strcmp(word, path) == 0 ||
	       (strncmp(word, "/dev/", 5) == 0 && strcmp(word + 5, f->name) == 0);
}

bool target_consents(const struct target_facts *facts, const struct target_verdict *verdict,
		     const char *path, const char *word, bool script)
{
	int weight = target_weight(verdict);
	bool nameless = !facts->serial[0] && !facts->wwn[0];

	if (weight == TARGET_REFUSED || !word[0])
		return false;
	if (weight < 0)
		return true;
	if (facts->serial[0] && strcasecmp(word, facts->serial) == 0)
		return true;
	if (facts->wwn[0] && disk_wwn_equal(word, facts->wwn))
		return true;
	if (!nameless && (script || weight == TARGET_ASKS_SERIAL))
		return false;
	return is_name(facts, path, word);
}
