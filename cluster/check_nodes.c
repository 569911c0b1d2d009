/* SPDX-License-Identifier: MIT */
#include "cluster/check.h"

#include <string.h>
#include <sys/socket.h>

#include "base/macros.h"

/* kubeadm's preflight wants two CPUs and 1700 MiB of a control plane; the rest is what boots. */
enum { CONTROL_PLANE_CPUS = 2 };
static const uint64_t control_plane_memory = 1700ull << 20;
static const uint64_t least_memory = 512ull << 20;
static const uint64_t least_disk = 2ull << 30;

static void check_name(struct check *k, const struct model_node *node)
{
	if (strcmp(node->name, "localhost") == 0 || strncmp(node->name, "localhost.", 10) == 0)
		complaint_add(k->c, COMPLAINT_ERROR, node->mark, "name-reserved", node->name, NULL,
			      "every machine calls itself localhost");
	else if (net_name_is_numeric(node->name))
		complaint_add(k->c, COMPLAINT_ERROR, node->mark, "name-reserved", node->name,
			      "let it end in something that has a letter",
			      "programs take this name for an address");
}

static void check_mac(struct check *k, const struct model_node *node)
{
	/* A machine with a serial number and a network of its own words can do without. */
	if (node->has_mac || node->mac_mark.line || node->mac_meant ||
	    (node->serial && node->network && !node->vm.mark.line))
		return;
	if (!node->role_mark.line && !node->address_mark.line)
		return; /* it is no node at all, which is said already */
	complaint_add(
		k->c, COMPLAINT_ERROR, node->mark, "mac-missing", node->name,
		"the machine is found, and its network set up, by mac:", "it has no MAC address");
}

static void check_vm(struct check *k, const struct model_node *node)
{
	const struct model_vm *vm = &node->vm;
	bool control_plane = node->roles & MODEL_CONTROL_PLANE;
	uint64_t memory = control_plane ? control_plane_memory : least_memory;

	if (!vm->mark.line)
		return;
	if (control_plane && vm->cpus && vm->cpus < CONTROL_PLANE_CPUS)
		complaint_add(k->c, COMPLAINT_ERROR, vm->cpus_mark, "cpus-few", node->name,
			      "write cpus: 2",
			      "a control plane needs two CPUs: kubeadm refuses fewer");
	if (vm->memory_bytes && vm->memory_bytes < memory)
		complaint_add(k->c, COMPLAINT_ERROR, vm->memory_mark, "memory-small", node->name,
			      NULL, "%s needs at least %u Mi of memory",
			      control_plane ? "a control plane" : "a node",
			      (unsigned)(memory >> 20));
	if (vm->disk_bytes && vm->disk_bytes < least_disk)
		complaint_add(k->c, COMPLAINT_ERROR, vm->disk_mark, "disk-small", node->name, NULL,
			      "a node needs a disk of at least %u Gi",
			      (unsigned)(least_disk >> 30));
}

static void check_data(struct check *k, const struct model_node *node)
{
	const struct model_disk *d = &node->data;
	struct model_mark mark = node->data_mark.line ? node->data_mark : node->vm.data_mark;

	if (!mark.line)
		return;
	if (node->role_mark.line && !(node->roles & (MODEL_STORAGE | MODEL_REGISTRY)))
		complaint_add(k->c, COMPLAINT_ERROR, mark, "data-role", node->name,
			      "give it the role storage or registry, or leave data: out",
			      "it serves nothing that a disk for data could hold");
	if (node->data_mark.line && !d->serial && !d->wwn && d->size_bytes == 0)
		complaint_add(k->c, COMPLAINT_ERROR, mark, "data-none", node->name,
			      "data: {disk: {serial: NUMBER}}, or its wwn: or size:",
			      "data: does not say which disk is meant");
}

/* 0, or which complaint an address of the subnet deserves for the place it has there. */
static const char *place_code(const struct model *m, const struct net_ip *ip)
{
	const struct net_cidr *subnet = &m->network.subnet;
	struct net_ip first = net_cidr_first(subnet);
	struct net_ip last = net_cidr_last(subnet);

	if (net_ip_equal(ip, &m->network.gateway))
		return "address-gateway";
	if (net_ip_equal(ip, &first))
		return "address-network";
	return ip->family == AF_INET && net_ip_equal(ip, &last) ? "address-broadcast" : NULL;
}

static void check_place(struct check *k, const struct model_node *node, const struct net_ip *ip,
			struct model_mark mark)
{
	static const struct {
		const char *code, *words;
	} rows[] = {
		{ "address-gateway", "is the gateway's" },
		{ "address-network", "is the subnet's own (its first)" },
		{ "address-broadcast", "is the subnet's broadcast address (its last)" },
	};
	const char *code = place_code(k->m, ip);
	char text[NET_IP_LEN];
	size_t i;

	for (i = 0; code && i < COUNT(rows); i++)
		if (strcmp(rows[i].code, code) == 0)
			complaint_add(k->c, COMPLAINT_ERROR, mark, rows[i].code, node->name, NULL,
				      "address %s %s", net_ip_text(ip, text), rows[i].words);
}

static void check_outside(struct check *k, const struct model_node *node)
{
	char text[NET_IP_LEN], subnet[NET_CIDR_LEN];

	net_ip_text(&node->address, text);
	net_cidr_text(&k->m->network.subnet, subnet);
	if (!node->network)
		complaint_add(k->c, COMPLAINT_ERROR, node->address_mark, "address-outside",
			      node->name, NULL, "address %s is outside the subnet %s", text,
			      subnet);
	else if (model_is_kubernetes(node) && k->m->pod_network == MODEL_PODS_ROUTED)
		complaint_add(
			k->c, COMPLAINT_ERROR, node->address_mark, "routed-subnets", node->name,
			"put all nodes into one subnet, or choose a podNetwork that spans more",
			"address %s is outside the subnet %s, and podNetwork routed needs all "
			"nodes of Kubernetes on one network",
			text, subnet);
}

static void check_address(struct check *k, const struct model_node *node)
{
	struct net_cidr alone = { .ip = node->address, .prefix = net_ip_bits(&node->address) };
	char text[NET_IP_LEN];

	if (!node->address.family || !k->m->network.subnet.ip.family)
		return;
	if (check_is_special(&alone))
		complaint_add(k->c, COMPLAINT_ERROR, node->address_mark, "address-special",
			      node->name, NULL, "no machine can have the address %s",
			      net_ip_text(&node->address, text));
	else if (!net_cidr_contains(&k->m->network.subnet, &node->address))
		check_outside(k, node);
	else
		check_place(k, node, &node->address, node->address_mark);
}

/* What it has in the subnet besides its address. */
static void check_own(struct check *k, const struct model_node *node)
{
	char text[NET_IP_LEN];
	size_t i;

	for (i = 0; i < node->n_own; i++) {
		const struct model_own *own = &node->own[i];

		if (!net_cidr_contains(&k->m->network.subnet, &own->ip) ||
		    net_ip_equal(&own->ip, &node->address))
			continue;
		if (net_ip_equal(&own->ip, &k->m->network.gateway))
			complaint_add(k->c, COMPLAINT_WARNING, own->mark, "address-gateway",
				      node->name, NULL,
				      "address %s is the gateway's: the other nodes go through "
				      "this one, then",
				      net_ip_text(&own->ip, text));
		else
			check_place(k, node, &own->ip, own->mark);
	}
}

static void check_control_planes(struct check *k)
{
	const struct model *m = k->m;
	const struct model_node *last = NULL;
	size_t i, n = 0;

	for (i = 0; i < m->n_nodes; i++)
		if (m->nodes[i].roles & MODEL_CONTROL_PLANE) {
			last = &m->nodes[i];
			n++;
		}
	if (n == 0 && m->mark.nodes.line)
		complaint_add(k->c, COMPLAINT_ERROR, m->mark.nodes, "no-control-plane", NULL,
			      "give one node the role control-plane",
			      "no node has the role control-plane");
	else if (last && n % 2 == 0)
		complaint_add(k->c, COMPLAINT_WARNING, last->role_mark, "even-control-planes", NULL,
			      "make it an odd number",
			      "%zu control planes bear the loss of no more machines than %zu do", n,
			      n - 1);
}

void check_nodes(struct check *k)
{
	size_t i;

	check_control_planes(k);
	for (i = 0; i < k->m->n_nodes; i++) {
		check_name(k, &k->m->nodes[i]);
		check_mac(k, &k->m->nodes[i]);
		check_vm(k, &k->m->nodes[i]);
		check_data(k, &k->m->nodes[i]);
		check_address(k, &k->m->nodes[i]);
		check_own(k, &k->m->nodes[i]);
	}
}
