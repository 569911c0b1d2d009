/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "image/cache.h"
#include "image/progress.h"

struct fault;
struct model;
struct release;

/* What each part of `rackseed build` is told. */
struct build {
	const struct model *model;
	const struct release *release;
	const char *source; /* the document's bytes */
	size_t source_len;
	int folder;		 /* where the document lies */
	const char *folder_path; /* the same, absolute */
	const char *node_tree;	 /* what goes onto each node unchanged, absolute */
	struct cache cache;
	struct progress progress;
	int64_t epoch; /* the date of every file that the build makes */
};

/* The absolute path of an open folder; free it. */
int build_path_of(int fd, char **ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
