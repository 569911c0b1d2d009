/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct text;

/* The pure parts of the step images. */

/* The next "FILE NAME" of the index from *at on; false at its end. Lines of another form are none.
 */
bool images_next(const char **at, struct text *ret_file, struct text *ret_name)
	__attribute__((nonnull));

/* Whether `ctr images check` lists the image as complete and unpacked. */
bool images_is_whole(const char *checked, const char *name) __attribute__((nonnull));
