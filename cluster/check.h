/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cluster/complaint.h"
#include "cluster/model.h"

/* What the files cluster/check* share: each judges one side of a parsed model. Pure. */

struct check {
	const struct model *m;
	struct complaints *c;
};

void check_twice(struct check *k);    /* addresses, MACs, serials of two nodes */
void check_nodes(struct check *k);    /* each node by itself, and their roles together */
void check_networks(struct check *k); /* the networks against each other and the nodes */
void check_pods(struct check *k);     /* each node's part of the pod network */
void check_endpoint(struct check *k);
void check_registries(struct check *k);
void check_shares(struct check *k);
void check_served(struct check *k); /* what one node serves, and mounts over it */
void check_system(struct check *k); /* os and admin */
void check_firewall(struct check *k);
void check_gpus(struct check *k);

/* Networks in which no machine of ours can have an address: loopback, multicast and so on. */
bool check_is_special(const struct net_cidr *cidr);

/* Adds ", did you mean 'X'?" of the nodes' names; best is NULL when none is near. */
void check_guess_node(const struct model *m, struct complaint_guess *guess);

/* A reference from part 'name' to a node that must have the role. */
struct check_reference {
	const char *part, *name, *node;
	struct model_mark mark;
	unsigned role;
	const char *role_name;
};
void check_reference(struct check *k, const struct check_reference *reference);
