/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "image/args.h"

struct fault;

/* Which images an archive of `docker save`, skopeo or `ctr images export` holds. */

struct archive {
	bool oci;	   /* an OCI layout, else docker's format */
	struct args names; /* as they are written there; empty: it bears none */
};
void archive_done(struct archive *a);

/* Reads the index within the tar at path. */
int archive_read(const char *path, struct archive *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The pure part: adds the names of a docker archive's manifest.json, or of a layout's index.json.
 */
int archive_names(const char *json, size_t len, bool oci, struct args *names, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * The name under which a registry keeps it: "docker.io/library/busybox:1" and "library/busybox:1"
 * are both "library/busybox:1".
 */
const char *archive_bare_name(const char *reference) __attribute__((nonnull));
