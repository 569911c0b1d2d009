/* SPDX-License-Identifier: MIT */
#pragma once

#include "cluster/model.h"

struct text;

/* Where packets come from, and what is open to whom; for cluster/firewall*.c only. */

enum firewall_zone {
	/* The doors come first, so that a door is a zone: MODEL_DOOR_SSH and so on. */
	FIREWALL_CONTROL_PLANES = MODEL_N_DOORS,
	FIREWALL_MEMBERS,
	FIREWALL_NODES,
	FIREWALL_PODS,
	FIREWALL_SUBNET, /* of the nodes, whoever else is in it */
	FIREWALL_N_ZONES
};

const char *firewall_zone_name(enum firewall_zone zone);

/* The addresses and networks of a zone that are of the family, one in a line; nothing if none. */
void firewall_zone_elements(const struct model *m, enum firewall_zone zone, int family,
			    struct text *out);

struct firewall_opening {
	unsigned roles; /* of the nodes that have it */
	unsigned from;	/* a bit for each zone */
	bool (*when)(const struct model *m); /* NULL: always */
	const char *what;
	const char *match; /* "tcp dport 22", or NULL: what add() adds */
	/* "tcp dport { 80, 443 }"; nothing when the node has none of it. */
	void (*add)(const struct model *m, const struct model_node *node, struct text *out);
};

extern const struct firewall_opening firewall_openings[];
extern const size_t firewall_openings_n;

/* Whether the node of this document has it. */
bool firewall_opens(const struct model *m, const struct model_node *node,
		    const struct firewall_opening *opening);
