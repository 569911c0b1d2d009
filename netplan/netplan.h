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

/* Host only (netplan/lint.c): what libnetplan says of the text. 0, or its complaint in the fault.
 */
int netplan_lint(const char *yaml, struct fault *why) __attribute__((nonnull, warn_unused_result));
