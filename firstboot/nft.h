/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct fault;
struct text;

/* The kernel's nftables through libnftables; the rule sets are the plan's. */

/*
 * Loads a rule set in one transaction, after a dry run of the whole, and verifies that the kernel's
 * table is what was asked for. -EIO: the kernel has other rules now than these; any other failure
 * has changed nothing.
 */
int nft_load(const char *rules, struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * Adds the kernel's own account of the first table that the rule set defines, without counts;
 * -ENOENT when it is not there.
 */
int nft_list(const char *rules, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* "table FAMILY NAME" of the first table that is defined: false when there is none. Pure. */
bool nft_first_table(const char *rules, char *ret_table, size_t size) __attribute__((nonnull));

/* The chains of a rule set or listing in their order, each with the number of its rules. Pure. */
void nft_shape(const char *rules, struct text *out) __attribute__((nonnull));
