/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <libvirt/libvirt.h>

struct fault;
struct machine;
struct model;
struct model_node;

/* A node's virtual machine: looked at, started, stopped, forgotten. Found by its UUID only. */

enum domain_state {
	DOMAIN_ABSENT, /* libvirt does not know it */
	DOMAIN_OFF,
	DOMAIN_RUNNING,
	DOMAIN_PAUSED,
	DOMAIN_STOPPING,
	DOMAIN_CRASHED,
	DOMAIN_N_STATES,
};

const char *domain_state_name(enum domain_state state);

struct domain_facts {
	enum domain_state state;
	char since[32]; /* when we started it, local ISO 8601, or "" */
};

int domain_look(virConnectPtr connect, const struct model *m, const struct model_node *node,
		struct domain_facts *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Defines the machine as rendered now and starts it; a running one is left alone. Refuses a name
 * that a stranger bears and a machine of another file that still exists. 1: started, 0: ran.
 */
int domain_up(virConnectPtr connect, const struct machine *machine, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Presses the power button. 1: pressed, 0: it is off or paused. */
int domain_shutdown(virConnectPtr connect, const struct model *m, const struct model_node *node,
		    struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Pulls the plug. 1: pulled, 0: it was off. */
int domain_cut(virConnectPtr connect, const struct model *m, const struct model_node *node,
	       struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Makes libvirt forget a machine that is off, with its UEFI variables. 1 or 0: there was none. */
int domain_forget(virConnectPtr connect, const struct model *m, const struct model_node *node,
		  struct fault *why) __attribute__((nonnull, warn_unused_result));

/* The terminal becomes the machine's serial console until Ctrl-] or until it goes away. */
int domain_console(virConnectPtr connect, const struct model *m, const struct model_node *node,
		   struct fault *why) __attribute__((nonnull, warn_unused_result));
