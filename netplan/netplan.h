/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "base/net.h"

struct fault;
struct text;

/* A node's network as netplan YAML (netplan.readthedocs.io/en/stable/netplan-yaml). */

struct netplan_route {
	struct net_cidr to; /* prefix 0: the default route */
	struct net_ip via;
};

struct netplan_config {
	struct net_mac mac; /* the link that carries the cluster's address, by permanent MAC */
	struct net_cidr address;
	struct net_ip gateway; /* family 0: none */
	const struct net_ip *nameservers;
	size_t n_nameservers;
	const struct netplan_route *routes; /* to the other nodes' pod networks */
	size_t n_routes;
	/*
	 * The node's own `network:` mapping (YAML text in netplan's words: ethernets, bonds, vlans,
	 * bridges), or NULL. The device among them that has the node's address gets nameservers
	 * and routes unless it says its own, and the gateway unless some device there has a default
	 * route of that family; with NULL a link "cluster0" is made.
	 */
	const char *own;
};

/*
 * The file /etc/netplan/60-rackseed.yaml (0600). -EINVAL when own is no mapping, asks for another
 * renderer or format, or has no device with the address.
 */
int netplan_render(const struct netplan_config *config, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* What libnetplan refuses a text for; line 0: it does not say where. Both count from 1. */
struct netplan_flaw {
	unsigned line, column;
	char reason[768];
};

/* Host only (netplan/lint.c): 0 when libnetplan takes the text, 1 with *ret when not; negative. */
int netplan_judge(const char *yaml, struct netplan_flaw *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Host only: the same with its complaint as the fault. */
int netplan_lint(const char *yaml, struct fault *why) __attribute__((nonnull, warn_unused_result));
