/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * Whether a file system is mounted at path, by the text of /proc/self/mountinfo. What is there only
 * to mount something on first use (autofs) does not count.
 */
bool mounts_has(const char *mountinfo, const char *path) __attribute__((nonnull));
