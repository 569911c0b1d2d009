/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

struct fault;

/*
 * Makes path, below root, a folder of this mode that belongs to owner, "USER:GROUP". What lies in
 * it stays as it is; a link in its place is refused. FS_SAME or FS_CHANGED.
 */
int folder_make(int root, const char *path, mode_t mode, const char *owner, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
