/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct fault;

/*
 * Whether guests can really run under KVM here: a tiny one is started under a time limit. A device
 * node that opens is no proof; there are hosts where every instruction behind it is emulated and
 * stock guests never come up.
 *
 * true: it came up. false: why says what happened instead, for a person; no error.
 */
bool accel_kvm_works(struct fault *why) __attribute__((nonnull));
