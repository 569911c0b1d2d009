/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "cluster/parse.h"

/* firewall: who may come through which door, and what else is open. */

/* "80", "80/tcp" or "8472/udp". */
static bool read_port(const char *s, struct model_port *ret)
{
	size_t n = strcspn(s, "/");
	char number[6];

	if (n >= sizeof(number))
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)n, s);
	ret->udp = strcmp(s + n, "/udp") == 0;
	if (!parse_is_port(number) || (s[n] && !ret->udp && strcmp(s + n, "/tcp") != 0))
		return false;
	ret->port = (unsigned)strtoul(number, NULL, 10);
	return true;
}

static PARSE_READER(parse_ports)
{
	struct model *m = object;
	size_t i;

	(void)key;
	if (y->kind == YAML_NULL || !parse_expect(p, y, YAML_SEQUENCE))
		return;
	m->firewall.ports = parse_alloc(p, y->n_items, sizeof(*m->firewall.ports));
	for (i = 0; i < y->n_items && m->firewall.ports; i++) {
		const char *s = parse_scalar(p, &y->items[i]);
		struct model_port port = { .mark = parse_mark(&y->items[i]) };

		if (s && read_port(s, &port))
			m->firewall.ports[m->firewall.n_ports++] = port;
		else if (s)
			parse_complain(p, &y->items[i], "port-form",
				       "PORT, PORT/tcp or PORT/udp, such as 80 or 8472/udp",
				       "%s: '%.128s' is not a port", p->key, s);
	}
}

#define DOOR(which) .offset = offsetof(struct model, firewall.doors[which])

static const struct parse_key keys[] = {
	{ "ssh", parse_networks, DOOR(MODEL_DOOR_SSH) },
	{ "api", parse_networks, DOOR(MODEL_DOOR_API) },
	{ "registry", parse_networks, DOOR(MODEL_DOOR_REGISTRY) },
	{ "shares", parse_networks, DOOR(MODEL_DOOR_SHARES) },
	{ "nodePorts", parse_networks, DOOR(MODEL_DOOR_NODE_PORTS) },
	{ "ports", .read = parse_ports },
	{ 0 },
};
const struct parse_table parse_firewall_table = { "firewall", keys };
