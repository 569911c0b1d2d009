/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct fault;

/* A FAT file system at a place within an image file, written by mtools with no mount. */
struct fat {
	const char *path;
	uint64_t offset, size;
	const char *label;
	int bits; /* 32, or 0: by its size */
	uint32_t serial;
	int64_t epoch; /* the date of all that is in it */
};

int fat_format(const struct fat *fat, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Makes folders, a NULL-terminated list: "EFI", "EFI/BOOT"; a parent comes before what is in it. */
int fat_mkdirs(const struct fat *fat, const char *const *paths, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Writes one file from memory; its bytes pass through a pipe and touch no other disk. */
int fat_write(const struct fat *fat, const char *path, const char *data, size_t len,
	      struct fault *why) __attribute__((nonnull, warn_unused_result));
