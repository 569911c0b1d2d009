/* SPDX-License-Identifier: MIT */
#include "cluster/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macros.h"

/* The prefix of one node's part, as kube-controller-manager and model_pod_cidr() have it. */
static unsigned part_prefix(const struct model *m)
{
	return m->pod_subnet.ip.family == AF_INET6 ? 64 : 24;
}

struct part {
	struct net_cidr cidr;
	struct net_ip first;
	const struct model_node *node;
};

static int compare(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int r = memcmp(x->first.bytes, y->first.bytes, sizeof(x->first.bytes));

	if (r)
		return r;
	if (x->cidr.prefix != y->cidr.prefix)
		return x->cidr.prefix < y->cidr.prefix ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

static struct model_mark part_mark(const struct model_node *node)
{
	return node->pod_cidr_mark.line ? node->pod_cidr_mark : node->address_mark;
}

static void complain_twice(struct check *k, const struct part *a, const struct part *b)
{
	const struct part *later = a->node > b->node ? a : b;
	const struct part *other = later == a ? b : a;
	char x[NET_CIDR_LEN], y[NET_CIDR_LEN];

	/* Two nodes then have one address: the part follows from it, and that is said already. */
	if (!a->node->pod_cidr_mark.line && !b->node->pod_cidr_mark.line)
		return;
	complaint_add(k->c, COMPLAINT_ERROR, part_mark(later->node), "pod-cidr-twice",
		      later->node->name, "give one of them another part with podCIDR:",
		      "its pod network %s overlaps %s of node '%.64s' (line %u)",
		      net_cidr_text(&later->cidr, x), net_cidr_text(&other->cidr, y),
		      other->node->name, other->node->mark.line);
}

/* Two networks overlap only when one holds the other, so looking at the widest so far is enough. */
static void check_parts(struct check *k, struct part *parts, size_t n)
{
	const struct part *widest = parts;
	size_t i;

	qsort(parts, n, sizeof(*parts), compare);
	for (i = 1; i < n; i++)
		if (net_cidr_overlaps(&widest->cidr, &parts[i].cidr))
			complain_twice(k, widest, &parts[i]);
		else
			widest = &parts[i];
}

static void complain_range(struct check *k, const struct model_node *node)
{
	const struct model *m = k->m;
	unsigned part = part_prefix(m);
	unsigned bits = part > m->pod_subnet.prefix ? part - m->pod_subnet.prefix : 0;
	char ip[NET_IP_LEN], cidr[NET_CIDR_LEN];
	char has[64];

	if (m->pod_subnet.prefix > part)
		snprintf(has, sizeof(has), "has not even one /%u", part);
	else
		snprintf(has, sizeof(has), "has the parts 0 to %u",
			 bits < 32 ? (unsigned)((1ull << bits) - 1) : UINT32_MAX);
	complaint_add(k->c, COMPLAINT_ERROR, node->address_mark, "pod-subnet-small", node->name,
		      "take a larger podSubnet, or give the node its part with podCIDR:",
		      "its address %s stands for part %llu of podSubnet %s, which %s",
		      net_ip_text(&node->address, ip),
		      (unsigned long long)net_cidr_host(&m->network.subnet, &node->address),
		      net_cidr_text(&m->pod_subnet, cidr), has);
}

/* What podCIDR: says must be a part of podSubnet that has room for pods. */
static void check_given(struct check *k, const struct model_node *node)
{
	const struct net_cidr *cidr = &node->pod_cidr;
	const struct net_cidr *whole = &k->m->pod_subnet;
	char x[NET_CIDR_LEN], y[NET_CIDR_LEN];

	net_cidr_text(cidr, x);
	if (k->m->pod_network != MODEL_PODS_ROUTED)
		complaint_add(k->c, COMPLAINT_WARNING, node->pod_cidr_mark, "pod-cidr-unused",
			      node->name, NULL, "podCIDR matters with podNetwork routed only");
	else if (!net_cidr_contains(whole, &cidr->ip) || cidr->prefix < whole->prefix)
		complaint_add(k->c, COMPLAINT_ERROR, node->pod_cidr_mark, "pod-cidr-outside",
			      node->name, NULL, "podCIDR %s is not within podSubnet %s", x,
			      net_cidr_text(whole, y));
	else if (cidr->prefix > net_ip_bits(&cidr->ip) - 3)
		complaint_add(k->c, COMPLAINT_ERROR, node->pod_cidr_mark, "pod-cidr-small",
			      node->name, "a /24 holds what kubelet runs at most",
			      "podCIDR %s has no room for pods", x);
}

/* An addon lets kube-controller-manager hand the parts out: any of them to any node. */
static void check_count(struct check *k)
{
	const struct model *m = k->m;
	unsigned part = part_prefix(m);
	unsigned bits = part > m->pod_subnet.prefix ? part - m->pod_subnet.prefix : 0;
	uint64_t parts = m->pod_subnet.prefix > part ? 0 : bits < 63 ? 1ull << bits : UINT64_MAX;
	size_t i, n = 0;
	char cidr[NET_CIDR_LEN];

	for (i = 0; i < m->n_nodes; i++)
		n += model_is_kubernetes(&m->nodes[i]);
	if (m->pod_subnet.ip.family && n > parts)
		complaint_add(k->c, COMPLAINT_ERROR,
			      m->mark.pod_subnet.line ? m->mark.pod_subnet : m->mark.nodes,
			      "pod-subnet-small", NULL, "take a larger podSubnet",
			      "podSubnet %s has a /%u for %u nodes; there are %zu",
			      net_cidr_text(&m->pod_subnet, cidr), part, (unsigned)parts, n);
}

/* Adds the node's part to parts; false when it has none. */
static bool add_part(struct check *k, const struct model_node *node, struct part *part)
{
	const struct model *m = k->m;

	if (!model_is_kubernetes(node))
		return false;
	if (node->pod_cidr.ip.family)
		check_given(k, node);
	else if (node->pod_cidr_mark.line || !node->address.family ||
		 node->address.family != m->pod_subnet.ip.family ||
		 !net_cidr_contains(&m->network.subnet, &node->address))
		return false; /* complained of elsewhere */
	part->node = node;
	if (model_pod_cidr(m, node, &part->cidr) < 0) {
		complain_range(k, node);
		return false;
	}
	part->first = net_cidr_first(&part->cidr);
	return true;
}

void check_pods(struct check *k)
{
	const struct model *m = k->m;
	struct part *parts = calloc(m->n_nodes + 1, sizeof(*parts));
	size_t i, n = 0;

	if (!parts) {
		complaints_exhausted(k->c);
		return;
	}
	for (i = 0; i < m->n_nodes; i++)
		if (m->pod_network == MODEL_PODS_ROUTED || m->nodes[i].pod_cidr.ip.family)
			n += add_part(k, &m->nodes[i], &parts[n]);
	if (m->pod_network == MODEL_PODS_ROUTED)
		check_parts(k, parts, n);
	else
		check_count(k);
	free(parts);
}
