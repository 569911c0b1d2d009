/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>

#include "base/text.h"
#include "cluster/plan_parts.h"

/*
 * Pods reach each other and the members by their own addresses, for these have routes back. The
 * gateway, name servers and all others of the node network have none: to them a pod speaks with
 * the address of its node.
 */
static void known_networks(const struct model *m, struct text *out)
{
	char text[NET_CIDR_LEN];
	size_t i;

	text_addf(out, "\t\telements = {\n\t\t\t%s,\n", net_cidr_text(&m->pod_subnet, text));
	if (m->service_subnet.ip.family == m->pod_subnet.ip.family)
		text_addf(out, "\t\t\t%s,\n", net_cidr_text(&m->service_subnet, text));
	for (i = 0; i < m->n_nodes; i++)
		if (model_is_kubernetes(&m->nodes[i]) &&
		    m->nodes[i].address.family == m->pod_subnet.ip.family)
			text_addf(out, "\t\t\t%s,\n", net_ip_text(&m->nodes[i].address, text));
	text_add(out, "\t\t}\n");
}

void firewall_ruleset(const struct model *m, struct text *out)
{
	bool v6 = m->pod_subnet.ip.family == AF_INET6;
	char text[NET_CIDR_LEN];

	/* Made, removed and made again: whatever was there before, in one transaction. */
	text_add(out, "# Written by rackseed from cluster.yaml; changes here do not last.\n"
		      "table inet rackseed {\n}\n"
		      "delete table inet rackseed\n"
		      "table inet rackseed {\n"
		      "\tset routed {\n");
	text_addf(out, "\t\ttype %s\n\t\tflags interval\n\t\tauto-merge\n",
		  v6 ? "ipv6_addr" : "ipv4_addr");
	known_networks(m, out);
	text_add(out, "\t}\n"
		      "\tchain postrouting {\n"
		      "\t\ttype nat hook postrouting priority 100; policy accept;\n");
	text_addf(out, "\t\t%s saddr %s %s daddr != @routed masquerade\n", v6 ? "ip6" : "ip",
		  net_cidr_text(&m->pod_subnet, text), v6 ? "ip6" : "ip");
	text_add(out, "\t}\n}\n");
}
