/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model_disk;
struct text;

/*
 * A disk that somebody wants to have written: what was found out about it, and whether that may be.
 * Facts are gathered by target_probe.h; everything here is pure.
 */

enum target_kind {
	TARGET_DISK,
	TARGET_FILE, /* a regular file: an empty one is grown to the image's size */
	TARGET_PARTITION,
	TARGET_STRANGE, /* a folder, a terminal, … */
	TARGET_N_KINDS,
};

enum target_member { /* of what a disk, or a partition of it, is a part */
		     TARGET_LVM,
		     TARGET_RAID,
		     TARGET_MULTIPATH,
		     TARGET_CRYPT,
		     TARGET_OTHER,
		     TARGET_N_MEMBERS,
};

enum { TARGET_MAX_CONTENTS = 32, TARGET_WORD = 128 };

struct target_content {
	unsigned partition; /* 0: the disk as a whole */
	char type[32];	    /* in libblkid's words: "ext4", "LVM2_member" */
	char label[64];	    /* or "" */
};

struct target_facts {
	char name[TARGET_WORD]; /* "sda"; of a file the last part of its path */
	enum target_kind kind;
	unsigned major, minor;
	uint64_t size_bytes, diskseq; /* diskseq 0: the kernel tells none */
	unsigned sector_bytes;	      /* logical; 0: no block device */
	bool read_only, removable, rotational;
	bool busy;    /* O_EXCL was refused */
	bool stacked; /* made of other disks */
	bool holds_root;
	char mount[TARGET_WORD]; /* where it, a partition or what is on them is mounted, or "" */
	char swap[TARGET_WORD];	 /* the swap area on it, or "" */
	char member[TARGET_N_MEMBERS][TARGET_WORD]; /* how that is known, or "" */
	char model[TARGET_WORD], serial[TARGET_WORD], wwn[TARGET_WORD], transport[16]; /* or "" */
	char table[16]; /* "gpt", "dos", or "" */
	struct target_content contents[TARGET_MAX_CONTENTS];
	size_t n_contents;
	bool unread;				/* what is on it was not looked at */
	bool blank;				/* first and last MiB hold nothing */
	bool has_seed;				/* a partition of the name RACKSEED */
	char seed_node[254], seed_cluster[254]; /* "": the seed could not be read */
	char changed[TARGET_WORD];		/* what is not as it was at the first look, or "" */
};

struct target_want {
	const char *node, *cluster;    /* node NULL: for no node yet, the disk alone is judged */
	const struct model_disk *disk; /* or NULL */
	const struct model_disk *data; /* the node's disk for what it serves, or NULL */
	uint64_t image_bytes;	       /* 0: not known */
};

enum target_weight {
	TARGET_ASKS,	    /* its name or serial must be typed */
	TARGET_ASKS_SERIAL, /* its serial must be typed; its name where it bears none */
	TARGET_REFUSED,	    /* never */
};

struct target_reason {
	const char *code; /* stable, such as "mounted"; static storage */
	enum target_weight weight;
	char text[512];
};

enum { TARGET_MAX_REASONS = 32 };

struct target_verdict {
	struct target_reason reasons[TARGET_MAX_REASONS]; /* the gravest ones first */
	size_t n;
};

/* Every reason against writing want to the disk; none: it may be written. */
void target_judge(const struct target_facts *facts, const struct target_want *want,
		  struct target_verdict *ret) __attribute__((nonnull));

/* The weight of the gravest reason, or -1: there is none. */
int target_weight(const struct target_verdict *verdict) __attribute__((nonnull));

/*
 * Whether word is what must be typed before the data on it is lost. A script (--yes-wipe) gives
 * the serial or WWN, since names change from boot to boot; the name only of what bears neither.
 */
bool target_consents(const struct target_facts *facts, const struct target_verdict *verdict,
		     const char *path, const char *word, bool script) __attribute__((nonnull));

/* Sets now->changed when it is not the same disk with the same things on it as before. */
void target_compare(const struct target_facts *before, struct target_facts *now)
	__attribute__((nonnull));

/* "gpt; 1 vfat 'ESP'; 4 ext4 'root'", "node 'w1' of cluster 'lab'", "empty", or nothing. */
void target_contents(const struct target_facts *facts, struct text *out) __attribute__((nonnull));

/* The member that a type in libblkid's words stands for, or TARGET_N_MEMBERS. */
enum target_member target_member_of(const char *type) __attribute__((nonnull));

/* "447.1 GiB". */
enum { TARGET_SIZE_LEN = 24 };
char *target_size(uint64_t bytes, char buf[static TARGET_SIZE_LEN]);
