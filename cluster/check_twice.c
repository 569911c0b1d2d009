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
	size_t mark; /* of what was said, in the node */
};

static bool address_text(const struct model_node *node, char out[static TEXT_MAX])
{
	return node->address.family && *net_ip_text(&node->address, out);
}

static bool mac_text(const struct model_node *node, char out[static TEXT_MAX])
{
	static const struct net_mac none;

	return node->has_mac && !net_mac_equal(&node->mac, &none) && *net_mac_text(&node->mac, out);
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
} rows[] = {
	{ "address-twice", "address", { { address_text, MARK(address_mark) } } },
	{ "mac-twice", "MAC", { { mac_text, MARK(mac_mark) } } },
	{ "serial-twice", "serial number", { { serial_text, MARK(serial_mark) } } },
	{ "disk-twice",
	  "disk",
	  { { disk_serial_text, MARK(disk.serial_mark) },
	    { data_serial_text, MARK(data.serial_mark) } } },
	{ "disk-twice",
	  "disk",
	  { { disk_wwn_text, MARK(disk.wwn_mark) }, { data_wwn_text, MARK(data.wwn_mark) } } },
};

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcmp(x->text, y->text);

	/* The nodes are an array in the order of the file. */
	if (r == 0 && x->node == y->node)
		return x->mark < y->mark ? -1 : x->mark > y->mark;
	return r ? r : x->node < y->node ? -1 : x->node > y->node;
}

static size_t collect(struct check *k, const struct row *row, struct entry *entries)
{
	size_t i, p, n = 0;

	for (i = 0; i < k->m->n_nodes; i++)
		for (p = 0; p < PLACES_MAX && row->places[p].text; p++) {
			entries[n].node = &k->m->nodes[i];
			entries[n].mark = row->places[p].mark;
			n += row->places[p].text(&k->m->nodes[i], entries[n].text);
		}
	return n;
}

static void check_row(struct check *k, const struct row *row, struct entry *entries)
{
	const struct entry *first = entries;
	size_t i, n = collect(k, row, entries);

	qsort(entries, n, sizeof(*entries), compare);
	for (i = 1; i < n; i++) {
		const struct model_node *node = entries[i].node;

		if (strcmp(entries[i].text, first->text) != 0) {
			first = &entries[i];
			continue;
		}
		complaint_add(k->c, COMPLAINT_ERROR,
			      *(const struct model_mark *)((const char *)node + entries[i].mark),
			      row->code, node->name, NULL,
			      "%s %s belongs to node '%.64s' already (line %u)", row->what,
			      first->text, first->node->name, first->node->mark.line);
	}
}

void check_twice(struct check *k)
{
	struct entry *entries = calloc(PLACES_MAX * k->m->n_nodes + 1, sizeof(*entries));
	size_t i;

	if (!entries) {
		complaints_exhausted(k->c);
		return;
	}
	for (i = 0; i < COUNT(rows); i++)
		check_row(k, &rows[i], entries);
	free(entries);
}
