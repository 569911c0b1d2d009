/* SPDX-License-Identifier: MIT */
#include "cluster/check.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/macros.h"

struct network {
	const char *name;
	const struct net_cidr *cidr;
	struct model_mark mark; /* line 0: the default */
	const char *node;	/* whose address it is, or NULL */
};

enum { NODES, PODS, SERVICES, N_NETWORKS };

static bool is_later(struct model_mark a, struct model_mark b)
{
	return a.line != b.line ? a.line > b.line : a.column > b.column;
}

static const char *if_default(const struct network *n)
{
	return n->mark.line ? "" : " (the default)";
}

static const char *text_of(const struct network *n, char buf[static NET_CIDR_LEN])
{
	return n->node ? net_ip_text(&n->cidr->ip, buf) : net_cidr_text(n->cidr, buf);
}

static void check_overlap(struct check *k, const struct network *a, const struct network *b)
{
	char x[NET_CIDR_LEN], y[NET_CIDR_LEN];
	const struct network *later = b->node || is_later(b->mark, a->mark) ? b : a;
	const struct network *other = later == b ? a : b;

	if (!a->cidr->ip.family || !b->cidr->ip.family || !net_cidr_overlaps(a->cidr, b->cidr))
		return;
	complaint_add(k->c, COMPLAINT_ERROR, later->mark, "networks-overlap", later->node,
		      "the networks of nodes, pods and services must not touch",
		      "%s %s overlaps %s %s%s", later->name, text_of(later, x), other->name,
		      text_of(other, y), if_default(other));
}

static void check_family(struct check *k, const struct network *nodes, const struct network *n)
{
	char x[NET_CIDR_LEN], y[NET_CIDR_LEN];

	if (!nodes->cidr->ip.family || !n->cidr->ip.family ||
	    nodes->cidr->ip.family == n->cidr->ip.family)
		return;
	complaint_add(k->c, COMPLAINT_ERROR, n->mark.line ? n->mark : nodes->mark, "network-family",
		      NULL, "nodes, pods and services must all have IPv4, or all IPv6",
		      "%s %s%s is not of the family of the nodes' subnet %s", n->name,
		      net_cidr_text(n->cidr, x), if_default(n), net_cidr_text(nodes->cidr, y));
}

static void check_special(struct check *k, const struct network *n)
{
	char x[NET_CIDR_LEN];

	if (n->cidr->ip.family && check_is_special(n->cidr))
		complaint_add(k->c, COMPLAINT_ERROR, n->mark, "network-special", NULL, NULL,
			      "%s %s holds addresses that no machine can have", n->name,
			      net_cidr_text(n->cidr, x));
}

static unsigned spare_bits(const struct net_cidr *cidr)
{
	return net_ip_bits(&cidr->ip) - cidr->prefix;
}

/* All but the network's own and the broadcast address, saturating. */
static uint64_t usable(const struct net_cidr *cidr)
{
	unsigned bits = spare_bits(cidr);

	if (bits >= 63)
		return UINT64_MAX;
	return bits < 2 ? 0 : (1ull << bits) - 2;
}

static void check_subnet(struct check *k)
{
	const struct model *m = k->m;
	const struct net_cidr *subnet = &m->network.subnet;
	const struct net_ip *gateway = &m->network.gateway;
	char text[NET_IP_LEN], cidr[NET_CIDR_LEN];
	struct net_ip first, last;
	uint64_t need;

	if (!subnet->ip.family)
		return;
	net_cidr_text(subnet, cidr);
	first = net_cidr_first(subnet);
	last = net_cidr_last(subnet);
	need = m->n_nodes + (gateway->family && net_cidr_contains(subnet, gateway));
	if (usable(subnet) < need)
		complaint_add(k->c, COMPLAINT_ERROR, m->mark.subnet, "subnet-small", NULL, NULL,
			      "subnet %s has %u usable addresses; nodes and gateway need %zu", cidr,
			      (unsigned)usable(subnet), (size_t)need);
	if (!gateway->family)
		return;
	net_ip_text(gateway, text);
	if (!net_cidr_contains(subnet, gateway))
		complaint_add(k->c, COMPLAINT_ERROR, m->mark.gateway, "gateway-outside", NULL, NULL,
			      "gateway %s is outside the subnet %s", text, cidr);
	else if (net_ip_equal(gateway, &last) || net_ip_equal(gateway, &first))
		complaint_add(k->c, COMPLAINT_ERROR, m->mark.gateway, "gateway-host", NULL, NULL,
			      "gateway %s is the %s address of the subnet %s, which no machine has",
			      text, net_ip_equal(gateway, &first) ? "first" : "last", cidr);
}

/* The bounds are those of kubeadm and the API server. */
static void check_services(struct check *k)
{
	enum { LEAST_BITS = 4, MOST_BITS = 20 };
	const struct net_cidr *cidr = &k->m->service_subnet;
	struct model_mark mark = k->m->mark.service_subnet;
	unsigned bits = cidr->ip.family ? spare_bits(cidr) : LEAST_BITS;
	char text[NET_CIDR_LEN];

	net_cidr_text(cidr, text);
	if (bits < LEAST_BITS)
		complaint_add(k->c, COMPLAINT_ERROR, mark, "service-subnet-small", NULL, NULL,
			      "serviceSubnet %s is too small: the smallest is a /%u", text,
			      net_ip_bits(&cidr->ip) - LEAST_BITS);
	else if (bits > MOST_BITS)
		complaint_add(k->c, COMPLAINT_ERROR, mark, "service-subnet-large", NULL, NULL,
			      "serviceSubnet %s is too large: the API server takes a /%u at most",
			      text, net_ip_bits(&cidr->ip) - MOST_BITS);
}

/*
 * The addresses of a node's own network: that lie outside the subnet. Who makes the network of the
 * pods himself may well have a bridge for them.
 */
static void check_own(struct check *k, const struct network *networks,
		      const struct model_node *node)
{
	size_t i;

	for (i = 0; i < node->n_own; i++) {
		const struct net_ip *ip = &node->own[i].ip;
		const struct net_cidr cidr = { .ip = *ip, .prefix = net_ip_bits(ip) };
		const struct network own = { "address", &cidr, node->own[i].mark, node->name };

		if (!ip->family || net_cidr_contains(&k->m->network.subnet, ip))
			continue;
		if (k->m->pod_network != MODEL_PODS_NONE)
			check_overlap(k, &networks[PODS], &own);
		check_overlap(k, &networks[SERVICES], &own);
	}
}

void check_networks(struct check *k)
{
	const struct model *m = k->m;
	const struct network networks[N_NETWORKS] = {
		[NODES] = { "subnet", &m->network.subnet, m->mark.subnet, NULL },
		[PODS] = { "podSubnet", &m->pod_subnet, m->mark.pod_subnet, NULL },
		[SERVICES] = { "serviceSubnet", &m->service_subnet, m->mark.service_subnet, NULL },
	};
	size_t i;

	for (i = 0; i < N_NETWORKS; i++)
		check_special(k, &networks[i]);
	check_family(k, &networks[NODES], &networks[PODS]);
	check_family(k, &networks[NODES], &networks[SERVICES]);
	check_overlap(k, &networks[NODES], &networks[PODS]);
	check_overlap(k, &networks[NODES], &networks[SERVICES]);
	check_overlap(k, &networks[PODS], &networks[SERVICES]);
	for (i = 0; i < m->n_nodes; i++)
		check_own(k, networks, &m->nodes[i]);
	check_subnet(k);
	check_services(k);
}
