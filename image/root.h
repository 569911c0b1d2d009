/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct build;
struct fault;
struct render;
struct text;

/* The tree of files that becomes the golden root file system. All paths to it are absolute. */

/* What its own programs say of themselves; "" where there is none. */
struct root_facts {
	char kubernetes[32]; /* "1.20.2" */
	char containerd[32];
	char pause[160];
};

/* Runs a program of the root in the root. */
int root_run(const char *root, const char *const *words, struct text *out, struct fault *why)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));

/* Makes the initrd of each kernel that has none, and the link to that of the kernel that starts. */
int root_make_initrds(const char *root, int64_t epoch, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Packs a root file system; what was made later than epoch is of that time. */
int root_pack(const char *root, const char *tar, int64_t epoch, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Packs the node tree, so that it has one sum and unpacks with the same owners and modes. */
int root_pack_node_tree(const struct build *b, const char *tar, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Unpacks a tar over the root: folders that are there keep their owner and mode. */
int root_unpack(const char *tar, const char *root, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Removes what of a folder of the root matches a shell pattern; no such folder is fine. */
int root_remove_matches(int root, const char *folder, const char *pattern, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Asks kubeadm and containerd; a version that the document did not want is a fault. */
int root_ask(const struct build *b, const char *root, struct root_facts *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Removes identity and leftovers, writes our files, enables the units, tries the node program. */
int root_settle(const char *root, const struct render *texts, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
