/* SPDX-License-Identifier: MIT */
#pragma once

struct fault;
struct plan;
struct sd_bus;
struct units_tick;

/*
 * Unmounts and removes the shares' units and credentials that are ours and that the plan has not
 * any more: FS_SAME or FS_CHANGED. What somebody else put there stays.
 */
int stray_shares(int root, const struct plan *plan, struct sd_bus *bus,
		 const struct units_tick *tick, struct fault *why)
	__attribute__((nonnull(2, 3, 4, 5), warn_unused_result));

/*
 * Removes what tells containerd of registries that the plan has not any more, credentials and keys
 * among it, where hosts.toml is ours: FS_SAME or FS_CHANGED. containerd reads it at each pull.
 */
int stray_registries(int root, const struct plan *plan, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
