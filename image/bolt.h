/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct fault;
struct text;

/*
 * containerd keeps its index in bolt files (go.etcd.io/bbolt, file format 2), and each import
 * writes the time and, in pages it has freed, whatever was there. This writes the same index anew:
 * the same keys and values in the same order, all times of creation and change being epoch, nothing
 * else in the file. Two imports of the same images give the same bytes then. Pure.
 */
int bolt_settle(const char *bytes, size_t len, int64_t epoch, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
