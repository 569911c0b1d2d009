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

static bool disk_wwn_text(const struct model_node *node, char out[static TEXT_MAX])
{
	const char *s = node->disk.wwn;

	/* The same number is written 0x…, naa.… and wwn-0x…. */
	if (s && strncasecmp(s, "wwn-", 4) == 0)
		s += 4;
	if (s && strncasecmp(s, "0x", 2) == 0)
		s += 2;
	else if (s && (strncasecmp(s, "naa.", 4) == 0 || strncasecmp(s, "eui.", 4) == 0))
		s += 4;
	return lower(s, out);
}

static const struct row {
	const char *code, *what;
	bool (*text)(const struct model_node *node, char out[static TEXT_MAX]);
	size_t mark;
} rows[] = {
	{ "address-twice", "address", address_text, offsetof(struct model_node, address_mark) },
	{ "mac-twice", "MAC", mac_text, offsetof(struct model_node, mac_mark) },
	{ "serial-twice", "serial number", serial_text, offsetof(struct model_node, serial_mark) },
	{ "disk-twice", "disk", disk_serial_text, offsetof(struct model_node, disk.serial_mark) },
	{ "disk-twice", "disk", disk_wwn_text, offsetof(struct model_node, disk.wwn_mark) },
};

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcmp(x->text, y->text);

	/* The nodes are an array in the order of the file. */
	return r ? r : x->node < y->node ? -1 : x->node > y->node;
}

static void check_row(struct check *k, const struct row *row, struct entry *entries)
{
	const struct entry *first = entries;
	size_t i, n = 0;

	for (i = 0; i < k->m->n_nodes; i++) {
		entries[n].node = &k->m->nodes[i];
		n += row->text(&k->m->nodes[i], entries[n].text);
	}
	qsort(entries, n, sizeof(*entries), compare);
	for (i = 1; i < n; i++) {
		const struct model_node *node = entries[i].node;

		if (strcmp(entries[i].text, first->text) != 0) {
			first = &entries[i];
			continue;
		}
		complaint_add(k->c, COMPLAINT_ERROR,
			      *(const struct model_mark *)((const char *)node + row->mark),
			      row->code, node->name, NULL,
			      "%s %s belongs to node '%.64s' already (line %u)", row->what,
			      first->text, first->node->name, first->node->mark.line);
	}
}

void check_twice(struct check *k)
{
	struct entry *entries = calloc(k->m->n_nodes + 1, sizeof(*entries));
	size_t i;

	if (!entries) {
		complaints_exhausted(k->c);
		return;
	}
	for (i = 0; i < COUNT(rows); i++)
		check_row(k, &rows[i], entries);
	free(entries);
}
