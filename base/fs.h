/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct fault;
struct text;

/*
 * Files below a directory fd. Paths are relative to it ("etc/hostname"); a leading '/' is taken
 * off unless dirfd is AT_FDCWD, so that the same plan writes to '/', to a mounted disk and to a
 * test's root tree.
 */

enum fs_outcome { FS_SAME = 0, FS_CHANGED = 1 };

/* For scoped(): closes *fd unless negative. */
void drop_fd(int *fd);

/*
 * Whether a failure (an errno of either sign) leaves open what is there: it was the disk, memory or
 * a limit that failed, and asking again may succeed. Not so for a file that is absent or of another
 * kind.
 */
bool fs_is_silent(int code) __attribute__((const));

/* Adds the whole file to *out. Refuses more than max bytes (-EFBIG), folders and FIFOs. */
int fs_read(int dirfd, const char *path, size_t max, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Makes path hold exactly these bytes and this mode: at every instant the old or the new whole is
 * there (temp in the same folder, fsync, rename, fsync of the folder). Makes missing parents 0755.
 * FS_SAME: it was so already and nothing was written. FS_CHANGED: written.
 */
int fs_write(int dirfd, const char *path, mode_t mode, const char *data, size_t len,
	     struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Makes path a symbolic link to target, replacing a file or another link. As above. */
int fs_link(int dirfd, const char *path, const char *target, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Makes the folder and its missing parents, all of this mode; an existing one keeps its own. */
int fs_mkdirs(int dirfd, const char *path, mode_t mode, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Removes a file or link; absent is FS_SAME. */
int fs_remove(int dirfd, const char *path, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Removes a folder with all below it, never following a link; absent is FS_SAME. Refuses dirfd's
 * own folder and '/' (-EINVAL), and stops at what is mounted below it (-EBUSY).
 */
int fs_remove_tree(int dirfd, const char *path, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
