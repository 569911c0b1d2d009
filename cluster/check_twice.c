/* SPDX-License-Identifier: MIT */
#include "cluster/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

/* What belongs to one node alone: compared in one canonical spelling, found by sorting. */

enum { TEXT_MAX = 130 };

struct entry {
	char text[TEXT_MAX];
	const struct model_node *node;
	struct model_mark mark;
	size_t place;  /* in the node: the order of its entries */
	bool is_own;   /* of a device of its own network: */
	bool is_apart; /* and on a network of that device alone */
};

static bool address_text(const struct model_node *node, char out[static TEXT_MAX])
{
	return *net_ip_text(&node->address, out);
}

static bool mac_text(const struct model_node *node, char out[static TEXT_MAX])
{
	static const struct net_mac none;

	net_mac_text(&node->mac, out);
	return node->has_mac && !net_mac_equal(&node->mac, &none);
}

static bool own_address_text(const struct model_own *own, char out[static TEXT_MAX])
{
	return *net_ip_text(&own->ip, out);
}

static bool own_mac_text(const struct model_own *own, char out[static TEXT_MAX])
{
	static const struct net_mac none;

	net_mac_text(&own->mac, out);
	return !own->ip.family && !net_mac_equal(&own->mac, &none);
}

static bool lower(const char *s, char out[static TEXT_MAX])
{
	size_t i;

	for (i = 0; s && s[i] && i < TEXT_MAX - 1; i++)
		out[i] = (char)tolower((unsigned char)s[i]);
	out[i] = '\0';
	return i > 0;
}

static bool serial_text(const struct model_node *node, char out[static TEXT_MAX])
{
	return lower(node->serial, out);
}

static bool disk_serial_text(const struct model_node *node, char out[static TEXT_MAX])
{
	return lower(node->disk.serial, out);
}

/* What the file says itself: two long names may give two machines' disks the same serial. */
static bool data_serial_text(const struct model_node *node, char out[static TEXT_MAX])
{
	return lower(node->data.serial_mark.line ? node->data.serial : NULL, out);
}

static bool wwn_text(const char *s, char out[static TEXT_MAX])
{
	/* The same number is written 0x…, naa.… and wwn-0x…. */
	if (s && strncasecmp(s, "wwn-", 4) == 0)
		s += 4;
	if (s && strncasecmp(s, "0x", 2) == 0)
		s += 2;
	else if (s && (strncasecmp(s, "naa.", 4) == 0 || strncasecmp(s, "eui.", 4) == 0))
		s += 4;
	return lower(s, out);
}

static bool disk_wwn_text(const struct model_node *node, char out[static TEXT_MAX])
{
	return wwn_text(node->disk.wwn, out);
}

static bool data_wwn_text(const struct model_node *node, char out[static TEXT_MAX])
{
	return wwn_text(node->data.wwn, out);
}

#define MARK(field) offsetof(struct model_node, field)

/* A node says it at one place, or at two. */
enum { PLACES_MAX = 2 };

static const struct row {
	const char *code, *what;
	struct place {
		bool (*text)(const struct model_node *node, char out[static TEXT_MAX]);
		size_t mark;
	} places[PLACES_MAX];
	bool (*own)(const struct model_own *own, char out[static TEXT_MAX]); /* or NULL */
} rows[] = {
	{ "address-twice", "address", { { address_text, MARK(address_mark) } }, own_address_text },
	{ "mac-twice", "MAC", { { mac_text, MARK(mac_mark) } }, own_mac_text },
	{ "serial-twice", "serial number", { { serial_text, MARK(serial_mark) } }, NULL },
	{ "disk-twice",
	  "disk",
	  { { disk_serial_text, MARK(disk.serial_mark) },
	    { data_serial_text, MARK(data.serial_mark) } },
	  NULL },
	{ "disk-twice",
	  "disk",
	  { { disk_wwn_text, MARK(disk.wwn_mark) }, { data_wwn_text, MARK(data.wwn_mark) } },
	  NULL },
};

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcmp(x->text, y->text);

	/* The nodes are an array in the order of the file. */
	if (r == 0 && x->node == y->node)
		return (x->place > y->place) - (x->place < y->place);
	return r ? r : (x->node > y->node) - (x->node < y->node);
}

static size_t collect_own(struct check *k, const struct row *row, const struct model_node *node,
			  struct entry *entries)
{
	size_t i, n = 0;

	for (i = 0; row->own && i < node->n_own; i++) {
		const struct model_own *own = &node->own[i];

		entries[n] = (struct entry){
			.node = node,
			.mark = own->mark,
			.place = PLACES_MAX + i,
			.is_own = true,
			.is_apart = own->ip.family &&
				    !net_cidr_contains(&k->m->network.subnet, &own->ip),
		};
		n += row->own(own, entries[n].text);
	}
	return n;
}

static size_t collect(struct check *k, const struct row *row, struct entry *entries)
{
	size_t i, p, n = 0;

	for (i = 0; i < k->m->n_nodes; i++) {
		const struct model_node *node = &k->m->nodes[i];

		for (p = 0; p < PLACES_MAX && row->places[p].text; p++) {
			const char *mark = (const char *)node + row->places[p].mark;

			entries[n].node = node;
			entries[n].mark = *(const struct model_mark *)mark;
			entries[n].place = p;
			entries[n].is_own = entries[n].is_apart = false;
			n += row->places[p].text(node, entries[n].text);
		}
		n += collect_own(k, row, node, &entries[n]);
	}
	return n;
}

/* Control planes may all have it, on lo, behind a balancer that hands packets through. */
static bool is_endpoint(const struct model *m, const char *address)
{
	char text[NET_IP_LEN];
	struct net_ip ip;

	return m->endpoint_host && net_ip_parse(m->endpoint_host, &ip) == 0 &&
	       strcmp(net_ip_text(&ip, text), address) == 0;
}

/*
 * A node says of a device what it says of itself, and two links with nobody else on them may have
 * the same addresses.
 */
static bool may_equal(const struct model *m, const struct entry *e, const struct entry *before,
		      const struct entry *first)
{
	return (e->is_own && e->node == before->node) || (e->is_apart && first->is_apart) ||
	       (e->is_own && first->is_own && is_endpoint(m, e->text));
}

static void check_row(struct check *k, const struct row *row, struct entry *entries)
{
	const struct entry *first = entries;
	size_t i, n = collect(k, row, entries);

	qsort(entries, n, sizeof(*entries), compare);
	for (i = 1; i < n; i++) {
		const struct entry *e = &entries[i];

		if (strcmp(e->text, first->text) != 0)
			first = e;
		else if (!may_equal(k->m, e, e - 1, first))
			complaint_add(k->c, COMPLAINT_ERROR, e->mark, row->code, e->node->name,
				      NULL, "%s %s belongs to node '%.64s' already (line %u)",
				      row->what, first->text, first->node->name,
				      first->node->mark.line);
	}
}

static size_t count(const struct model *m)
{
	size_t i, n = PLACES_MAX * m->n_nodes;

	for (i = 0; i < m->n_nodes; i++)
		n += m->nodes[i].n_own;
	return n;
}

void check_twice(struct check *k)
{
	struct entry *entries = calloc(count(k->m) + 1, sizeof(*entries));
	size_t i;

	if (!entries) {
		complaints_exhausted(k->c);
		return;
	}
	for (i = 0; i < COUNT(rows); i++)
		check_row(k, &rows[i], entries);
	free(entries);
}
