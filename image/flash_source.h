/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct fault;

/*
 * A disk image as it would look to a machine: pieces of files, and zeros between them. raw is read
 * as it is; of qcow2 it is asked (qemu-img map) which piece of which file lies where, so that
 * nothing is copied before it is written.
 */

enum { FLASH_MAX_FILES = 8 };

struct flash_extent {
	uint64_t start, length; /* in the disk */
	uint64_t offset;	/* in the file */
	int fd;			/* borrowed from flash_source.fds */
};

struct flash_source {
	uint64_t size;
	struct flash_extent *extents; /* sorted, apart from each other */
	size_t n_extents, room;
	int fds[FLASH_MAX_FILES];
	size_t n_fds;
};

int flash_source_open(const char *path, struct flash_source *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void flash_source_done(struct flash_source *s);

/*
 * Puts the first length bytes of a file in the place of what the source has at start: a golden disk
 * and a seed become a node's disk. fd is the source's from then on, also when this fails.
 */
int flash_source_put(struct flash_source *s, int fd, uint64_t start, uint64_t length,
		     struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Fills buf; from is a struct flash_source. A target_read_fn; may be called by several threads. */
int flash_source_read(const void *from, void *buf, size_t len, uint64_t offset, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The parts of it. add: the next extent in order; qcow: fills extents from qemu-img. */
int flash_source_add(struct flash_source *s, const struct flash_extent *extent, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
int flash_source_open_qcow(const char *path, struct flash_source *s, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
