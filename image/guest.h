/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <guestfs.h>

struct fault;
struct seed;
struct text;

/* libguestfs on one disk image, read-only. Its errors become faults; it prints nothing itself. */
struct guest {
	guestfs_h *handle;
};

/*
 * Starts the appliance on the image: some seconds with KVM, half a minute without. The environment
 * (LIBGUESTFS_*) decides as usual; without a word there, QEMU is started directly.
 */
int guest_open(const char *image, struct guest *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Ends it and says what went wrong in that. For scoped(): guest_drop, which says nothing. */
int guest_close(struct guest *guest, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void guest_drop(struct guest *guest);

/* The last error of the library as a fault: "what: its words". */
int guest_fault(const struct guest *guest, struct fault *why, const char *what)
	__attribute__((nonnull));

/* Finds the operating system and mounts its file systems: its root device, the caller's to free. */
int guest_mount_os(const struct guest *guest, char **ret_root, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Adds a file of at most max bytes; -ENOENT when there is none. */
int guest_read(const struct guest *guest, const char *path, size_t max, struct text *out,
	       struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Mounts the seed instead of all else and reads it; -ENOENT when the disk has none. */
int guest_seed(const struct guest *guest, struct seed *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
