/* SPDX-License-Identifier: MIT */
#include "image/vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/model.h"
#include "image/command.h"
#include "image/domain.h"
#include "image/table.h"

enum {
	LIST_NODE,
	LIST_STATE,
	LIST_CPUS,
	LIST_MEMORY,
	LIST_DISK,
	LIST_MAC,
	LIST_ADDRESS,
	LIST_SINCE,
	LIST_N_COLUMNS
};

static const char *const list_heading[LIST_N_COLUMNS] = { "NODE", "STATE", "CPUS",    "MEMORY",
							  "DISK", "MAC",   "ADDRESS", "SINCE" };

/* The words of one machine's row, and where they live. */
struct list_row {
	struct domain_facts facts;
	char cpus[16], memory[24], disk[24], mac[NET_MAC_LEN], address[NET_IP_LEN];
};

static int fill_row(const struct vm *s, const struct model_node *node, struct list_row *row,
		    const char **cells, struct fault *why)
{
	int r = domain_look(s->connect, s->model, node, &row->facts, why);

	if (r < 0)
		return r;
	snprintf(row->cpus, sizeof(row->cpus), "%u", node->vm.cpus);
	table_size(node->vm.memory_bytes, row->memory);
	table_size(node->vm.disk_bytes, row->disk);
	if (node->has_mac)
		net_mac_text(&node->mac, row->mac);
	net_ip_text(&node->address, row->address);
	cells[LIST_NODE] = node->name;
	cells[LIST_STATE] = domain_state_name(row->facts.state);
	cells[LIST_CPUS] = row->cpus;
	cells[LIST_MEMORY] = row->memory;
	cells[LIST_DISK] = row->disk;
	cells[LIST_MAC] = row->mac;
	cells[LIST_ADDRESS] = row->address;
	cells[LIST_SINCE] = row->facts.since;
	return 0;
}

static void list_json(const struct vm *s, const char *const *cells, struct text *out)
{
	static const char *const keys[LIST_N_COLUMNS] = { "node", "state", "cpus",    "memory",
							  "disk", "mac",   "address", "since" };
	size_t row, k;

	text_add(out, "[");
	for (row = 0; row < s->n_nodes; row++) {
		for (k = 0; k < LIST_N_COLUMNS; k++) {
			const char *cell = cells[(row + 1) * LIST_N_COLUMNS + k];

			text_addf(out, "%s\"%s\": ", k ? ", " : row ? ",\n {" : "\n {", keys[k]);
			if (k == LIST_CPUS)
				text_add(out, cell);
			else
				quote_json(out, cell);
		}
		text_add(out, "}");
	}
	text_add(out, "\n]\n");
}

/* All rows, the heading first, into cells; rows keeps the words. */
static int gather(const struct vm *s, struct list_row *rows, const char **cells, struct fault *why)
{
	size_t i;
	int r = 0;

	memcpy(cells, list_heading, sizeof(list_heading));
	for (i = 0; r == 0 && i < s->n_nodes; i++)
		r = fill_row(s, s->nodes[i], &rows[i], cells + (i + 1) * LIST_N_COLUMNS, why);
	return r;
}

static int print(const struct vm *s, const char *const *cells, struct fault *why)
{
	scoped(text_done) struct text out = { 0 };

	if (s->in->json)
		list_json(s, cells, &out);
	else
		table_render(cells, s->n_nodes + 1, LIST_N_COLUMNS, &out);
	if (text_error(&out) < 0)
		return fault_errno(why, text_error(&out), "list");
	fputs(text_str(&out), stdout);
	return 0;
}

int vm_list(const struct vm *s, struct fault *why)
{
	struct list_row *rows = calloc(s->n_nodes + 1, sizeof(*rows));
	const char **cells = calloc((s->n_nodes + 1) * LIST_N_COLUMNS, sizeof(*cells));
	int r = -ENOMEM;

	if (rows && cells) {
		r = gather(s, rows, cells, why);
		if (r == 0)
			r = print(s, cells, why);
	} else {
		fault_errno(why, ENOMEM, "list");
	}
	free(rows);
	free(cells);
	return r;
}
