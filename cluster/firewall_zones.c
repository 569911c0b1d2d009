/* SPDX-License-Identifier: MIT */
#include "cluster/firewall_parts.h"

#include "base/text.h"

static const char *const names[FIREWALL_N_ZONES] = {
	[MODEL_DOOR_SSH] = "ssh",
	[MODEL_DOOR_API] = "api",
	[MODEL_DOOR_REGISTRY] = "registry",
	[MODEL_DOOR_SHARES] = "shares",
	[MODEL_DOOR_NODE_PORTS] = "node_ports",
	[FIREWALL_CONTROL_PLANES] = "control_planes",
	[FIREWALL_MEMBERS] = "members",
	[FIREWALL_NODES] = "nodes",
	[FIREWALL_PODS] = "pods",
	[FIREWALL_SUBNET] = "subnet",
};

const char *firewall_zone_name(enum firewall_zone zone)
{
	return names[zone];
}

static void add_network(const struct net_cidr *cidr, int family, struct text *out)
{
	char text[NET_CIDR_LEN];

	if (cidr->ip.family == family)
		text_addf(out, "\t\t\t%s,\n", net_cidr_text(cidr, text));
}

static bool is_in(const struct model_node *node, enum firewall_zone zone)
{
	if (zone == FIREWALL_CONTROL_PLANES)
		return node->roles & MODEL_CONTROL_PLANE;
	return zone == FIREWALL_NODES || model_is_kubernetes(node);
}

static void add_nodes(const struct model *m, enum firewall_zone zone, int family, struct text *out)
{
	char text[NET_IP_LEN];
	size_t i;

	for (i = 0; i < m->n_nodes; i++)
		if (m->nodes[i].address.family == family && is_in(&m->nodes[i], zone))
			text_addf(out, "\t\t\t%s,\n", net_ip_text(&m->nodes[i].address, text));
}

void firewall_zone_elements(const struct model *m, enum firewall_zone zone, int family,
			    struct text *out)
{
	const struct net_cidr *networks;
	size_t n, i;

	if (zone == FIREWALL_PODS || zone == FIREWALL_SUBNET) {
		add_network(zone == FIREWALL_PODS ? &m->pod_subnet : &m->network.subnet, family,
			    out);
		return;
	}
	if (zone >= FIREWALL_CONTROL_PLANES) {
		add_nodes(m, zone, family, out);
		return;
	}
	networks = model_door(m, (enum model_door)zone, &n);
	for (i = 0; i < n; i++)
		add_network(&networks[i], family, out);
}
