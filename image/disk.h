/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "image/digest.h"

struct fault;
struct text;

/*
 * The partition table. The places of all but root's end are the same on every disk, so that a node
 * can be stamped without looking.
 */
enum {
	DISK_SECTOR = 512,
	DISK_ESP_OFFSET = 1 << 20,
	DISK_ESP_SIZE = 64 << 20,
	DISK_BIOS_OFFSET = DISK_ESP_OFFSET + DISK_ESP_SIZE,
	DISK_BIOS_SIZE = 1 << 20,
	DISK_SEED_OFFSET = DISK_BIOS_OFFSET + DISK_BIOS_SIZE,
	DISK_SEED_SIZE = 16 << 20, /* SEED_BYTES of cluster/seed.h */
	DISK_ROOT_OFFSET = DISK_SEED_OFFSET + DISK_SEED_SIZE,
	DISK_TAIL = 1 << 20, /* for the second copy of the table */
	DISK_ROOT_NUMBER = 4,
};

struct disk_ids { /* UUIDs, derived from the key of the golden image */
	char disk[DIGEST_UUID_LEN];
	char esp[DIGEST_UUID_LEN], bios[DIGEST_UUID_LEN], seed[DIGEST_UUID_LEN];
	char root[DIGEST_UUID_LEN];				   /* of the partition */
	char root_fs[DIGEST_UUID_LEN], hash_seed[DIGEST_UUID_LEN]; /* of its file system */
};

int disk_ids(const char *key, struct disk_ids *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Writes the table to an image file that has its final size. */
int disk_partition(const char *path, const struct disk_ids *ids, uint64_t root_size,
		   struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * What the table of that image is on a disk of so many bytes: the first DISK_HEAD of them and the
 * last DISK_BACKUP, each added to its text.
 */
enum { DISK_HEAD = 34 * DISK_SECTOR, DISK_BACKUP = 33 * DISK_SECTOR };
int disk_table(const char *image, uint64_t bytes, struct text *head, struct text *tail,
	       struct fault *why) __attribute__((nonnull, warn_unused_result));

/* A partition behind the root of such an image that was made longer; disk and root get new UUIDs.
 */
struct disk_added {
	const char *disk, *root, *part; /* UUIDs */
	uint64_t offset, size;
};
int disk_add(const char *path, const struct disk_added *what, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Brings the second copy of the table to the end of a file that was made longer. */
int disk_lengthen(const char *path, struct fault *why) __attribute__((nonnull, warn_unused_result));
