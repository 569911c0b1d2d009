/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct fault;
struct model;
struct text;

/* What answers now, asked from this machine. */

enum live_result { LIVE_GOOD = 0, LIVE_BAD = 1 };

/*
 * Asks the server of every share, logged in with the password below folder, that of the document.
 * Adds a line per share, or with json an array. LIVE_BAD: one of them cannot be used.
 */
int live_shares(const struct model *m, int folder, bool json, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
