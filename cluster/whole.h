/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether a file that kubeadm or kubelet wrote, and did not sync, is all there after a power cut:
 * it may be empty, cut short anywhere, or end in zeros. Pure.
 */

/* One PEM block and no more: the end of a longer file may stand behind a shorter one. */
bool whole_pem(const char *pem) __attribute__((nonnull));

/*
 * A mapping of the kind, "" for any. Beyond that, of a "Pod" (a static pod's manifest) every volume
 * that it mounts, which kubeadm writes last; of a "Config" (a kubeconfig) every user's certificate
 * and key to their last line.
 * What memory does not suffice for is not called broken.
 */
bool whole_object(const char *bytes, size_t len, const char *kind) __attribute__((nonnull));
