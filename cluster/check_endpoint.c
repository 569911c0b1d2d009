/* SPDX-License-Identifier: MIT */
#include "cluster/check.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/macros.h"

/* The endpoint is what every node and kubectl connects to: it must be somebody. */

static size_t count_control_planes(const struct model *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->n_nodes; i++)
		n += (m->nodes[i].roles & MODEL_CONTROL_PLANE) != 0;
	return n;
}

static const struct model_node *by_address(const struct model *m, const struct net_ip *ip)
{
	size_t i;

	for (i = 0; i < m->n_nodes; i++)
		if (net_ip_equal(&m->nodes[i].address, ip))
			return &m->nodes[i];
	return NULL;
}

static void nobody(struct check *k, const char *hint, const char *why)
{
	complaint_add(k->c, COMPLAINT_ERROR, k->m->mark.endpoint, "endpoint-nobody", NULL, hint,
		      "endpoint '%.128s' %s", k->m->endpoint_host, why);
}

static void check_node(struct check *k, const struct model_node *node, size_t n_control_planes)
{
	const struct model_node *first = model_first(k->m, MODEL_CONTROL_PLANE);
	char hint[128];

	if (!(node->roles & MODEL_CONTROL_PLANE)) {
		snprintf(hint, sizeof(hint), "write %.64s:%u", first ? first->name : "HOST",
			 k->m->endpoint_port);
		nobody(k, first ? hint : NULL, "is a node, but not a control plane");
	} else if (n_control_planes > 1) {
		complaint_add(
			k->c, COMPLAINT_WARNING, k->m->mark.endpoint, "endpoint-single", NULL,
			"a virtual IP or a balancer's name outlives any one of them",
			"endpoint '%.128s' is one of %zu control planes: the cluster cannot be "
			"reached while it is down",
			k->m->endpoint_host, n_control_planes);
	}
}

/* Why no machine at all can answer at the address, or NULL. */
static const char *flaw_of(const struct model *m, const struct net_ip *ip)
{
	const struct net_cidr alone = { .ip = *ip, .prefix = net_ip_bits(ip) };

	if (check_is_special(&alone))
		return "is an address that no machine can have";
	if (net_cidr_contains(&m->pod_subnet, ip))
		return "lies in podSubnet, whose addresses are the pods'";
	if (net_cidr_contains(&m->service_subnet, ip))
		return "lies in serviceSubnet, whose addresses are the services'";
	if (ip->family != m->network.subnet.ip.family)
		return "is not of the family of the nodes' subnet";
	return NULL;
}

static void check_virtual(struct check *k, const struct net_ip *ip, size_t n_control_planes)
{
	const struct model *m = k->m;
	const struct net_cidr *subnet = &m->network.subnet;
	struct net_ip first = net_cidr_first(subnet), last = net_cidr_last(subnet);
	const char *flaw = flaw_of(m, ip);

	if (!subnet->ip.family)
		return;
	if (flaw)
		nobody(k, "the name or address of a control plane, or a virtual IP of several",
		       flaw);
	else if (n_control_planes < 2)
		nobody(k, "with one control plane, write its name or address",
		       "is no control plane's address");
	else if (net_ip_equal(ip, &m->network.gateway) || net_ip_equal(ip, &first) ||
		 net_ip_equal(ip, &last))
		nobody(k, "a virtual IP is an address of the subnet that is free",
		       "is the gateway's, or not a machine's address at all");
	else if (!net_cidr_contains(subnet, ip))
		complaint_add(k->c, COMPLAINT_WARNING, m->mark.endpoint, "endpoint-unknown", NULL,
			      "a virtual IP of the control planes lies in the subnet",
			      "endpoint %s is outside the subnet: something else must answer there",
			      m->endpoint_host);
}

/* A name that no node has: with dots it may be in the DNS, without it is a slip of the pen. */
static void check_name(struct check *k)
{
	const struct model *m = k->m;
	struct complaint_guess guess = { .word = m->endpoint_host };
	char hint[128];

	if (strchr(m->endpoint_host, '.')) {
		complaint_add(k->c, COMPLAINT_WARNING, m->mark.endpoint, "endpoint-unknown", NULL,
			      "every node must be able to resolve it before the cluster is there",
			      "endpoint '%.128s' is no node of this file", m->endpoint_host);
		return;
	}
	check_guess_node(m, &guess);
	if (guess.best)
		snprintf(hint, sizeof(hint), "did you mean '%.64s'?", guess.best);
	nobody(k,
	       guess.best ? hint
			  : "the name or address of a control plane, or a virtual IP of several",
	       "is no node of this file");
}

void check_endpoint(struct check *k)
{
	const struct model *m = k->m;
	size_t n = count_control_planes(m);
	const struct model_node *node;
	struct net_ip ip = { 0 };

	if (!m->mark.endpoint.line) {
		const struct model_node *first = model_first(m, MODEL_CONTROL_PLANE);

		if (n > 1)
			complaint_add(
				k->c, COMPLAINT_WARNING, m->mark.cluster, "endpoint-single", NULL,
				"name a virtual IP or a balancer with endpoint:",
				"without an endpoint it is '%.64s', one of %zu control planes",
				first->name, n);
		return;
	}
	if (!m->endpoint_host || m->n_nodes == 0)
		return;
	if (net_ip_parse(m->endpoint_host, &ip) == 0)
		node = by_address(m, &ip);
	else
		node = model_node(m, m->endpoint_host);
	if (node)
		check_node(k, node, n);
	else if (ip.family)
		check_virtual(k, &ip, n);
	else
		check_name(k);
}
