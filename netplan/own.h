/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/net.h"

struct fault;
struct yaml;

/* A node's own `network:` mapping, read as far as we must add to it. */
struct own {
	const struct yaml *section; /* such as the value of bonds: */
	const struct yaml *device;  /* the one among them that has the node's address */
	bool has_default;	    /* some device has a default route of the gateway's family */
};

/* Finds the device with the address; -EINVAL says what is wrong with the mapping. */
int own_read(const struct yaml *tree, const struct net_ip *address, int gateway_family,
	     struct own *ret, struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Whether a routes: list has a route to exactly that network; routes may be NULL. */
bool own_has_route(const struct yaml *routes, const struct net_cidr *to);
