/* SPDX-License-Identifier: MIT */
#pragma once

struct fault;
struct node;
struct yaml;

/*
 * Makes the labels that the plan has for this node itself those that it deserves: without the
 * shares that are not mounted, with what was found of its GPUs.
 */
int own_labels(struct node *node, struct yaml *want, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
