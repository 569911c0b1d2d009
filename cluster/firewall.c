/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>

#include "base/macros.h"
#include "base/text.h"
#include "cluster/firewall_parts.h"
#include "cluster/plan_parts.h"

/*
 * The rule set of one node. Everything in it is ours, so it lives in a table of its own beside
 * those of kube-proxy and the pod network: whatever they accept still has to pass here, and the
 * other way round.
 */

enum { N_FAMILIES = 2 };

static const struct family {
	int family;
	const char *words, *type, *suffix;
} families[N_FAMILIES] = {
	{ AF_INET, "ip", "ipv4_addr", "4" },
	{ AF_INET6, "ip6", "ipv6_addr", "6" },
};

struct work {
	const struct model *m;
	const struct model_node *node;
	struct text zones[FIREWALL_N_ZONES][N_FAMILIES];
};

static bool is_member(const struct work *w)
{
	return model_is_kubernetes(w->node);
}

/* ---- sets ---- */

static void set(const struct family *f, const char *name, const struct text *elements,
		struct text *out)
{
	/* Networks may hold each other: the file's among themselves, and addresses of nodes. */
	text_addf(out,
		  "\tset %s_%s {\n\t\ttype %s\n\t\tflags interval\n\t\tauto-merge\n"
		  "\t\telements = {\n%s\t\t}\n\t}\n",
		  name, f->suffix, f->type, text_str(elements));
}

/* The zones that this node's rules name. */
static unsigned used_zones(const struct work *w)
{
	unsigned used = 0;
	size_t i;

	for (i = 0; i < firewall_openings_n; i++)
		if (firewall_opens(w->m, w->node, &firewall_openings[i]))
			used |= firewall_openings[i].from;
	return used;
}

static void sets(struct work *w, struct text *out)
{
	unsigned used = used_zones(w);
	unsigned zone;
	size_t f;

	for (zone = 0; zone < FIREWALL_N_ZONES; zone++)
		for (f = 0; f < N_FAMILIES; f++) {
			struct text *elements = &w->zones[zone][f];

			if (!(used & 1u << zone))
				continue;
			firewall_zone_elements(w->m, zone, families[f].family, elements);
			text_inherit(out, elements);
			if (elements->len)
				set(&families[f], firewall_zone_name(zone), elements, out);
		}
}

/* ---- rules ---- */

/* One rule for each zone and family that has an address. */
static void accept_from(const struct work *w, unsigned zones, const char *match, const char *what,
			struct text *out)
{
	unsigned zone;
	size_t f;

	for (zone = 0; zone < FIREWALL_N_ZONES; zone++)
		for (f = 0; f < N_FAMILIES; f++)
			if ((zones & 1u << zone) && w->zones[zone][f].len)
				text_addf(out, "\t\t%s saddr @%s_%s%s%s accept comment \"%s\"\n",
					  families[f].words, firewall_zone_name(zone),
					  families[f].suffix, *match ? " " : "", match, what);
}

static void openings(const struct work *w, struct text *out)
{
	size_t i;

	for (i = 0; i < firewall_openings_n; i++) {
		const struct firewall_opening *o = &firewall_openings[i];
		scoped(text_done) struct text match = { 0 };

		if (!firewall_opens(w->m, w->node, o))
			continue;
		if (o->add)
			o->add(w->m, w->node, &match);
		else
			text_add(&match, o->match);
		text_inherit(out, &match);
		if (match.len)
			accept_from(w, o->from, text_str(&match), o->what, out);
	}
}

/* What neighbours ask each other; without it IPv6 finds nobody. */
#define NEIGHBOURS "nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert"
#define GROUPS "mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report"
#define ERRORS "destination-unreachable, time-exceeded, parameter-problem"

static void input(const struct work *w, struct text *out)
{
	text_add(out, "\tchain input {\n"
		      "\t\ttype filter hook input priority 0; policy drop;\n"
		      "\t\tiif lo accept\n"
		      "\t\tct state established,related accept\n"
		      "\t\ticmp type { echo-request, " ERRORS " } accept\n"
		      "\t\ticmpv6 type { echo-request, packet-too-big, " ERRORS " } accept\n"
		      "\t\ticmpv6 type { " NEIGHBOURS ", " GROUPS " } accept\n"
		      "\t\tip6 saddr fe80::/10 udp sport 547 udp dport 546 accept "
		      "comment \"DHCPv6\"\n");
	openings(w, out);
	text_add(out, "\t\tcounter comment \"dropped\"\n\t}\n");
}

/*
 * kube-proxy and hostPorts have turned the destination into a pod's by now. A packet that was sent
 * to a pod's own address comes from within the cluster, or not at all.
 */
static void forward(const struct work *w, struct text *out)
{
	bool routed = w->m->pod_network == MODEL_PODS_ROUTED || !is_member(w);
	size_t f;

	text_addf(out,
		  "\tchain forward {\n"
		  "\t\ttype filter hook forward priority 0; policy %s;\n",
		  routed ? "drop" : "accept");
	if (is_member(w)) {
		/* Frames between pods of one node pass here too (br_netfilter). */
		text_add(out, "\t\tct state established,related accept\n"
			      "\t\ticmpv6 type { " NEIGHBOURS ", " GROUPS " } accept\n");
		accept_from(w, 1u << FIREWALL_PODS | 1u << FIREWALL_MEMBERS, "", "cluster", out);
		accept_from(w, 1u << MODEL_DOOR_NODE_PORTS, "ct status dnat", "node ports", out);
	}
	/* What else another's pod network forwards is its own affair. */
	for (f = 0; f < N_FAMILIES && !routed; f++)
		if (w->zones[FIREWALL_PODS][f].len)
			text_addf(out, "\t\t%s daddr @pods_%s counter drop\n", families[f].words,
				  families[f].suffix);
	text_add(out, "\t\tcounter comment \"not accepted\"\n\t}\n");
}

/* ---- masquerade ---- */

/*
 * Pods reach each other and the members by their own addresses, for these have routes back. The
 * gateway, name servers and all others of the node network have none: to them a pod speaks with
 * the address of its node.
 */
static void routed_set(const struct work *w, const struct family *f, struct text *out)
{
	scoped(text_done) struct text elements = { 0 };
	char text[NET_CIDR_LEN];

	firewall_zone_elements(w->m, FIREWALL_PODS, f->family, &elements);
	if (w->m->service_subnet.ip.family == f->family)
		text_addf(&elements, "\t\t\t%s,\n", net_cidr_text(&w->m->service_subnet, text));
	firewall_zone_elements(w->m, FIREWALL_MEMBERS, f->family, &elements);
	text_inherit(out, &elements);
	set(f, "routed", &elements, out);
}

static void masquerade(const struct work *w, struct text *out)
{
	bool v6 = w->m->pod_subnet.ip.family == AF_INET6;
	const struct family *f = &families[v6];
	char text[NET_CIDR_LEN];

	routed_set(w, f, out);
	text_addf(out,
		  "\tchain postrouting {\n"
		  "\t\ttype nat hook postrouting priority 100; policy accept;\n"
		  "\t\t%s saddr %s %s daddr != @routed_%s masquerade\n\t}\n",
		  f->words, net_cidr_text(&w->m->pod_subnet, text), f->words, f->suffix);
}

static void work_done(struct work *w)
{
	size_t zone, f;

	for (zone = 0; zone < FIREWALL_N_ZONES; zone++)
		for (f = 0; f < N_FAMILIES; f++)
			text_done(&w->zones[zone][f]);
}

void firewall_ruleset(const struct model *m, const struct model_node *node, struct text *out)
{
	scoped(work_done) struct work w = { .m = m, .node = node };

	/* Made, removed and made again: whatever was there before, in one transaction. */
	text_add(out, "# Written by rackseed from cluster.yaml; changes here do not last.\n"
		      "table inet rackseed {\n}\n"
		      "delete table inet rackseed\n"
		      "table inet rackseed {\n");
	sets(&w, out);
	input(&w, out);
	forward(&w, out);
	if (is_member(&w) && m->pod_network == MODEL_PODS_ROUTED)
		masquerade(&w, out);
	text_add(out, "}\n");
}
