/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct complaints;
struct fault;
struct model;
struct text;

/*
 * What libnetplan says of the nodes' own `network:`, as complaints at the place in the file; only
 * the host has the library. source is the document's text. makes: errors, for a disk is to be made
 * of it; else warnings, for the nodes that run may have a newer library. Negative: memory.
 */
int lint_networks(const struct model *m, const struct text *source, bool makes,
		  struct complaints *c, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
