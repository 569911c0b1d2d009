/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;

/* The target's fd: past the page cache where that works, and every error with its place. */

struct flash_io {
	int fd;		      /* borrowed */
	int flags;	      /* what it gets back at the end */
	bool block;	      /* a block device, else a file */
	bool direct;	      /* O_DIRECT is on */
	bool holes;	      /* a file, and every discard made a hole that reads as zeros */
	unsigned char *spare; /* FLASH_PIECE aligned bytes: zeros to write, or what was read back */
};

/* Takes the fd over for writing: O_DIRECT where it can be had. Nothing is written. */
int flash_io_open(struct flash_io *io, int fd, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void flash_io_done(struct flash_io *io);

int flash_io_write(struct flash_io *io, const unsigned char *data, size_t n, uint64_t offset,
		   struct fault *why) __attribute__((nonnull, warn_unused_result));
int flash_io_read(struct flash_io *io, unsigned char *data, size_t n, uint64_t offset,
		  struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Makes the range read as zeros: by the device itself where it can. At most FLASH_PIECE. */
int flash_io_zero(struct flash_io *io, uint64_t offset, size_t n, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Writes zeros as bytes, for what must be gone from the medium itself. At most FLASH_PIECE. */
int flash_io_erase(struct flash_io *io, uint64_t offset, size_t n, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Tells the device that nothing in the range is needed; for a file frees it. Best effort. */
void flash_io_discard(struct flash_io *io, uint64_t offset, uint64_t n) __attribute__((nonnull));

/* What was written is on the medium, and will be read from there. */
int flash_io_sync(struct flash_io *io, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
