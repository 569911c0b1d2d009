/* SPDX-License-Identifier: MIT */
#pragma once

struct fault;
struct node;
struct text;

/* `rackseed-firstboot --explain`: the facts, what follows from them, and why. Changes nothing. */
int explain(struct node *node, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
