/* SPDX-License-Identifier: MIT */
#pragma once

struct fault;
struct text;

/*
 * Adds the file secrets/PATH beside the document to *out. folder is an int *, where the document
 * lies: so this serves as the read of a struct depot_secrets. -ENOENT names the remedy.
 */
int secret_read(void *folder, const char *path, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
