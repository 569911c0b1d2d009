/* SPDX-License-Identifier: MIT */
#pragma once

struct fault;
struct model_node;
struct text;

/*
 * The second disk of a machine, FOLDER/NODE.data.qcow2, whose path is added to *path: made empty
 * where it is not there, and never written over. 1: made, 0: it was there or the file has none
 * (nothing is added then).
 */
int vm_data_make(const char *folder, const struct model_node *node, struct text *path,
		 struct fault *why) __attribute__((nonnull, warn_unused_result));
