/* SPDX-License-Identifier: MIT */
#pragma once

struct api;
struct fault;
struct plan;

/*
 * Takes out of the cluster what rackseed applied to it once and no plan has any more: the objects
 * of its own, and its pull secrets from service accounts. What bears its label without ever having
 * been applied by it stays. Returns how many were changed.
 */
int prune(const struct api *api, const struct plan *plan, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
