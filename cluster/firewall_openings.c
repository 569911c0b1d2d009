/* SPDX-License-Identifier: MIT */
#include "cluster/firewall_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "storage/storage.h"

enum { ANY = ~0u, MEMBER = MODEL_CONTROL_PLANE | MODEL_WORKER };

#define FROM(zone) (1u << (zone))
#define SSH FROM(MODEL_DOOR_SSH)
#define API FROM(MODEL_DOOR_API)
#define REGISTRY FROM(MODEL_DOOR_REGISTRY)
#define SHARES FROM(MODEL_DOOR_SHARES)
#define NODE_PORTS FROM(MODEL_DOOR_NODE_PORTS)
#define CONTROL_PLANES FROM(FIREWALL_CONTROL_PLANES)
#define MEMBERS FROM(FIREWALL_MEMBERS)
#define NODES FROM(FIREWALL_NODES)
#define PODS FROM(FIREWALL_PODS)
#define SUBNET FROM(FIREWALL_SUBNET)

static void api(const struct model *m, const struct model_node *node, struct text *out)
{
	(void)node;
	text_addf(out, "tcp dport %u", m->endpoint_port);
}

/* The registry's name says its port: "registry:5000"; 443 or 80 when it is a name alone. */
static unsigned registry_port(const struct model_registry *r)
{
	const char *colon = strrchr(r->host, ':');

	if (colon && colon[1] && colon[1 + strspn(colon + 1, "0123456789")] == '\0')
		return (unsigned)strtoul(colon + 1, NULL, 10);
	return r->insecure ? 80 : 443;
}

static void registry(const struct model *m, const struct model_node *node, struct text *out)
{
	enum { USUAL_PORT = 5000 };
	const char *before = "";
	size_t i;

	text_add(out, "tcp dport { ");
	for (i = 0; i < m->n_registries; i++) {
		const struct model_registry *r = &m->registries[i];

		if (!r->node || strcmp(r->node, node->name) != 0)
			continue;
		text_addf(out, "%s%u", before, registry_port(r));
		before = ", ";
	}
	if (!*before)
		text_addf(out, "%u", USUAL_PORT);
	text_add(out, " }");
}

static void ports(const struct model *m, bool udp, struct text *out)
{
	const char *before = udp ? "udp dport { " : "tcp dport { ";
	bool any = false;
	size_t i;

	for (i = 0; i < m->firewall.n_ports; i++) {
		if (m->firewall.ports[i].udp != udp)
			continue;
		text_addf(out, "%s%u", before, m->firewall.ports[i].port);
		before = ", ";
		any = true;
	}
	if (any)
		text_add(out, " }");
}

static void tcp_ports(const struct model *m, const struct model_node *node, struct text *out)
{
	(void)node;
	ports(m, false, out);
}

static void udp_ports(const struct model *m, const struct model_node *node, struct text *out)
{
	(void)node;
	ports(m, true, out);
}

/* With a pod network of somebody else's alone. */
static bool overlay(const struct model *m)
{
	return m->pod_network != MODEL_PODS_ROUTED;
}

/* Whether the server of a mounted share may be known by its NetBIOS name only. */
static bool is_asked_for(const struct model *m, const struct model_share *s)
{
	struct fault why = { 0 };
	struct storage_unc unc;

	return s->mount && s->server && storage_unc_parse(s->server, &unc, &why) == 0 &&
	       !strpbrk(unc.host, ".:") && !model_node(m, unc.host);
}

/* NetBIOS knows broadcasts of IPv4 alone. */
static bool broadcasts(const struct model *m)
{
	size_t i;

	for (i = 0; i < m->n_shares && m->network.subnet.ip.family == AF_INET; i++)
		if (is_asked_for(m, &m->shares[i]))
			return true;
	return false;
}

/*
 * Pods in the host's network speak with the address of their node, so what nodes may reach these
 * may reach too. Other pods' addresses arrive at members as they are, and elsewhere as their
 * node's. What a pod in the host's network listens at is closed, unless firewall.ports names it:
 * also when a Service leads there, for that would open any port of the node to whoever may make a
 * Service.
 */
const struct firewall_opening firewall_openings[] = {
	{ ANY, SSH, .what = "SSH", .match = "tcp dport 22" },
	{ ANY, NODES | API, .what = "status", .match = "tcp dport 10270" },
	{ MODEL_CONTROL_PLANE, NODES | PODS | API, .what = "API server", .add = api },
	{ MODEL_CONTROL_PLANE, CONTROL_PLANES, .what = "etcd", .match = "tcp dport 2379-2380" },
	/* A virtual address moves among control planes by VRRP. */
	{ MODEL_CONTROL_PLANE, CONTROL_PLANES, .what = "VRRP", .match = "meta l4proto 112" },
	{ MEMBER, MEMBERS | PODS, .what = "kubelet", .match = "tcp dport 10250" },
	{ MEMBER, MEMBERS | PODS | NODE_PORTS, .what = "node ports",
	  .match = "tcp dport 30000-32767" },
	{ MEMBER, MEMBERS | PODS | NODE_PORTS, .what = "node ports",
	  .match = "udp dport 30000-32767" },
	{ MEMBER, NODES | PODS | NODE_PORTS, .what = "ports", .add = tcp_ports },
	{ MEMBER, NODES | PODS | NODE_PORTS, .what = "ports", .add = udp_ports },
	/* BGP, Cilium's health, Typha; VXLAN, Geneve, WireGuard; IP in IP, GRE, ESP. */
	{ MEMBER, MEMBERS, .when = overlay, .what = "pod network",
	  .match = "tcp dport { 179, 4240, 5473 }" },
	{ MEMBER, MEMBERS, .when = overlay, .what = "pod network",
	  .match = "udp dport { 4789, 6081, 8472, 51820-51821 }" },
	{ MEMBER, MEMBERS, .when = overlay, .what = "pod network",
	  .match = "meta l4proto { 4, 41, 47, 50 }" },
	{ MODEL_REGISTRY, NODES | PODS | REGISTRY, .what = "registry", .add = registry },
	/*
	 * A server's answer is sent to the port that asked, and the connection that the kernel
	 * keeps in mind was to the broadcast address. Its helper for NetBIOS would want a module,
	 * an object and a chain for what goes out; these are the ports that programs get when
	 * they ask for none; of those with a number of their own WireGuard alone lies there.
	 */
	{ MEMBER, SUBNET, .when = broadcasts, .what = "NetBIOS names",
	  .match = "udp sport 137 udp dport 32768-60999" },
	{ MODEL_STORAGE, NODES | SHARES, .what = "Samba", .match = "tcp dport 445" },
};
const size_t firewall_openings_n = COUNT(firewall_openings);

bool firewall_opens(const struct model *m, const struct model_node *node,
		    const struct firewall_opening *opening)
{
	return (node->roles & opening->roles) && (!opening->when || opening->when(m));
}
