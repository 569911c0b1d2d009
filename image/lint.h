/* SPDX-License-Identifier: MIT */
#pragma once

struct complaints;
struct fault;
struct model;
struct text;

/*
 * What libnetplan says of the nodes' own `network:`, as complaints at the place in the file; only
 * the host has the library. source is the document's text. 0, or negative: memory.
 */
int lint_networks(const struct model *m, const struct text *source, struct complaints *c,
		  struct fault *why) __attribute__((nonnull, warn_unused_result));
