/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct fault;

/* The kernel's nftables through libnftables; the rule sets are the plan's. */

/* Loads a rule set in one transaction, after a dry run of the whole. */
int nft_load(const char *rules, struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Whether the first table that the rule set defines is in the kernel. */
bool nft_is_loaded(const char *rules) __attribute__((nonnull));

/* "table FAMILY NAME" of the first table that is defined: false when there is none. Pure. */
bool nft_first_table(const char *rules, char *ret_table, size_t size) __attribute__((nonnull));
