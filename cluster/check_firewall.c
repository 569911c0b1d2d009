/* SPDX-License-Identifier: MIT */
#include "cluster/check.h"

#include <stdio.h>

#include "base/macros.h"

/* Ports with a door of their own, which firewall.ports would open to more than shall come in. */
static const struct {
	unsigned port;
	const char *whose, *hint;
} taken[] = {
	{ 22, "of SSH", "firewall: {ssh: [...]} says who may log in" },
	{ 445, "of Samba", "firewall: {shares: [...]} says who may come" },
	{ 2379, "of etcd", "etcd is for control planes alone" },
	{ 2380, "of etcd", "etcd is for control planes alone" },
	{ 10250, "of kubelet", "kubelet is for the cluster alone" },
	{ 10270, "of rackseed's status", "firewall: {api: [...]} says who may come" },
};

static void check_port(struct check *k, const struct model_port *p)
{
	const char *whose = NULL, *hint = NULL;
	size_t i;

	for (i = 0; i < COUNT(taken); i++)
		if (taken[i].port == p->port) {
			whose = taken[i].whose;
			hint = taken[i].hint;
		}
	if (p->port == k->m->endpoint_port) {
		whose = "of the API server";
		hint = "firewall: {api: [...]} says who may come";
	}
	if (whose && !p->udp)
		complaint_add(k->c, COMPLAINT_ERROR, p->mark, "port-taken", NULL, hint,
			      "firewall: ports: %u is the port %s", p->port, whose);
}

void check_firewall(struct check *k)
{
	const struct model_port *ports = k->m->firewall.ports;
	size_t i, j;

	for (i = 0; i < k->m->firewall.n_ports; i++) {
		check_port(k, &ports[i]);
		for (j = 0;
		     j < i && (ports[j].port != ports[i].port || ports[j].udp != ports[i].udp);)
			j++;
		if (j < i)
			complaint_add(k->c, COMPLAINT_ERROR, ports[i].mark, "port-twice", NULL,
				      NULL, "firewall: ports: %u is given twice", ports[i].port);
	}
}
