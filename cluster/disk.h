/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model_disk;

/* A disk as the kernel and udev tell of it: by what people, and the file, know it. */

enum { DISK_WORD = 128 };

struct disk {
	char name[DISK_WORD];			/* "sda" */
	char serial[DISK_WORD], wwn[DISK_WORD]; /* or "" */
	uint64_t size_bytes;
	unsigned major, minor;
};

enum disk_word { DISK_SERIAL, DISK_WWN, DISK_MODEL };

/* Copies n bytes without the blanks around them; what a terminal would obey becomes '?'. */
void disk_tidy(const char *from, size_t n, char *buf, size_t size) __attribute__((nonnull));

/* The value of KEY in what udev keeps of a device, or "". */
void disk_udev_word(const char *db, const char *key, char *buf, size_t size)
	__attribute__((nonnull));

/* As udev says it, else the disk's folder in sysfs, or "". */
void disk_read_word(int dir, const char *db, enum disk_word word, char *buf, size_t size)
	__attribute__((nonnull));

/* Reads a whole disk below root's sys/block; false when it is none that could hold anything. */
bool disk_read(int root, const char *name, struct disk *ret) __attribute__((nonnull));

/* The same number however it is written: 0x…, naa.…, wwn-0x…. */
bool disk_wwn_equal(const char *a, const char *b) __attribute__((nonnull));

/* Whether it is the one that the file names: all that is said must be so. */
bool disk_is_meant(const struct disk *disk, const struct model_disk *want) __attribute__((nonnull));
