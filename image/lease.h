/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct fault;

/*
 * The heartbeats of a cluster. After all its machines were off, an API server tells for a while
 * that nodes are Ready which have not even booted: it says what it was told last. Leases say when.
 */

struct lease {
	char *node;	 /* whose heartbeat, or NULL: of something else that lives */
	int64_t renewed; /* seconds since 1970 by the cluster's own clocks */
};

struct leases {
	struct lease *list;
	size_t n;
	int64_t newest; /* of all; 0: none */
};

#define LEASE_PATH "/apis/coordination.k8s.io/v1/leases"

/* Kubernetes itself gives a node up after this long. */
enum { LEASE_GRACE_S = 40 };

/* The API server's answer for LEASE_PATH, added to an empty *ret. Pure. */
int leases_parse(const char *json, size_t len, struct leases *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

void leases_done(struct leases *leases);

/* How far a node's heartbeat lies behind the newest; 0 for a node without one. */
int64_t leases_lag(const struct leases *leases, const char *node) __attribute__((nonnull));
