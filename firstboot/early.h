/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct announcer;
struct fault;
struct node;

/*
 * The part before the network: seed, machine, hostname, admin account, netplan. Everything below
 * node->root is left alone until the machine is known to be the one. -ENODEV when it is not: the
 * refusal was announced, and stands above the login prompt.
 */
int early_run(struct node *node, struct announcer *to, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The steps, for tests; each as in tasks.h. */
int early_machine(struct node *node, struct fault *why);
int early_hostname(struct node *node, struct fault *why);
int early_admin(struct node *node, struct fault *why);
int early_network(struct node *node, struct fault *why);

/* Whether passwd(5) text has a line for the user. */
bool early_has_user(const char *passwd, const char *user);
