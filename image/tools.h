/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct fault;

/*
 * Whether the programs that a build starts are on PATH, before an hour is spent: the fault names
 * the packages of those that are not. qcow2: also those for such disks.
 */
int tools_check(bool qcow2, struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * The folder of what goes onto each node: $RACKSEED_NODE_TREE, else "node" beside the running
 * program, else ../lib/rackseed/node from there. An absolute path, the caller's to free.
 */
int tools_node_tree(char **ret_path, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
