/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "image/digest.h"

struct build;
struct fat;
struct fault;
struct model_node;
struct seed;

/* Gathers what makes a disk this node's: the document and its part of secrets/, sealed. */
int seeding_gather(const struct build *b, const struct model_node *node, struct seed *ret,
		   char ret_sum[static DIGEST_LEN], struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The number of its file system: as good as none but the same seed on the same disk has it. */
uint32_t seeding_serial(const char *sum, const char *golden_key) __attribute__((nonnull));

/* Formats the file system and writes the seed into it. */
int seeding_write(const struct fat *fat, const struct seed *seed, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
