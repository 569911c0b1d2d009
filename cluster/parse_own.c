/* SPDX-License-Identifier: MIT */
#include "cluster/parse_own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"
#include "cluster/parse.h"

/*
 * A node's own `network:` is in netplan's words and goes through as it is. Here it is looked at
 * only as far as a mistake would leave the machine unreachable; netplan judges the rest.
 */

static const char *const sections[] = {
	"ethernets", "bonds",	      "bridges",	   "vlans",	  "vrfs",
	"tunnels",   "dummy-devices", "virtual-ethernets", "openvswitch", "wifis",
};

static void unknown_section(struct parse *p, const struct yaml *y)
{
	struct complaint_guess guess = { .word = y->text };
	char hint[128];
	size_t i;

	complaint_guess_try(&guess, "version");
	complaint_guess_try(&guess, "renderer");
	for (i = 0; i < COUNT(sections); i++)
		complaint_guess_try(&guess, sections[i]);
	if (strcmp(y->text, "network") == 0)
		snprintf(hint, sizeof(hint), "leave this line out: what is below it belongs here");
	else if (guess.best)
		snprintf(hint, sizeof(hint), "did you mean '%s'?", guess.best);
	else
		snprintf(hint, sizeof(hint), "such as ethernets, bonds, vlans, bridges");
	parse_complain(p, y, "key-unknown", hint, "'%.128s' is not a key of netplan's network",
		       y->text);
}

static bool is_section(const char *key)
{
	size_t i;

	for (i = 0; i < COUNT(sections); i++)
		if (strcmp(key, sections[i]) == 0)
			return true;
	return false;
}

static void check_section(struct parse *p, const struct yaml *pair)
{
	size_t i;

	p->key = pair[0].text;
	if (!parse_expect(p, &pair[1], YAML_MAPPING) || strcmp(p->key, "openvswitch") == 0)
		return;
	for (i = 0; i < pair[1].n_items; i += 2) {
		p->key = pair[1].items[i].text;
		parse_expect(p, &pair[1].items[i + 1], YAML_MAPPING);
	}
}

static void check_pair(struct parse *p, const struct yaml *pair)
{
	const char *value = yaml_text(&pair[1]);

	if (strcmp(pair[0].text, "version") == 0) {
		if (!value || strcmp(value, "2") != 0)
			parse_complain(p, &pair[1], "network-own", "write version: 2",
				       "netplan's format is 2");
	} else if (strcmp(pair[0].text, "renderer") == 0) {
		if (!value || strcmp(value, "networkd") != 0)
			parse_complain(p, &pair[1], "network-own", "write renderer: networkd",
				       "nodes have networkd only");
	} else if (is_section(pair[0].text)) {
		check_section(p, pair);
	} else {
		unknown_section(p, &pair[0]);
	}
}

/* Keys given twice, on every level; the depth is bounded by yaml_parse(). */
static void check_twice(struct parse *p, const struct yaml *y)
{
	size_t i;

	parse_twice(p, y, false, "key-twice");
	for (i = 0; i < y->n_items; i++)
		check_twice(p, &y->items[i]);
}

/* ---- what the checks of the whole file have to know ---- */

static void add_own(struct parse *p, struct model_node *node, const struct model_own *own)
{
	struct model_own *list = reallocarray(node->own, node->n_own + 1, sizeof(*list));

	if (!list) {
		p->error = -ENOMEM;
		return;
	}
	node->own = list;
	list[node->n_own++] = *own;
}

/* An address may stand alone, or be the key of a mapping with its settings. */
static void add_address(struct parse *p, struct model_node *node, const struct yaml *item)
{
	const struct yaml *y = item->kind == YAML_MAPPING && item->n_items ? &item->items[0] : item;
	const char *text = yaml_text(y);
	struct net_cidr cidr;

	if (text && net_cidr_parse(text, &cidr) == 0)
		add_own(p, node, &(struct model_own){ .ip = cidr.ip, .mark = parse_mark(y) });
}

static void add_mac(struct parse *p, struct model_node *node, const struct yaml *y)
{
	struct model_own own = { 0 };

	if (!yaml_text(y) || net_mac_parse(yaml_text(y), &own.mac) < 0)
		return;
	own.mark = parse_mark(y);
	add_own(p, node, &own);
}

static void add_device(struct parse *p, struct model_node *node, const struct yaml *device)
{
	const struct yaml *list = yaml_get(device, "addresses");
	size_t i;

	add_mac(p, node, yaml_get(yaml_get(device, "match"), "macaddress"));
	add_mac(p, node, yaml_get(device, "macaddress"));
	for (i = 0; list && list->kind == YAML_SEQUENCE && i < list->n_items; i++)
		add_address(p, node, &list->items[i]);
}

static void add_section(struct parse *p, struct model_node *node, const struct yaml *section)
{
	size_t i;

	for (i = 0; section->kind == YAML_MAPPING && i < section->n_items; i += 2)
		add_device(p, node, &section->items[i + 1]);
}

PARSE_READER(parse_own_network)
{
	struct model_node *node = object;
	scoped(text_done) struct text yaml = { 0 };
	size_t i;

	if (!parse_expect(p, y, YAML_MAPPING))
		return;
	check_twice(p, y);
	for (i = 0; i < y->n_items; i += 2)
		check_pair(p, &y->items[i]);
	for (i = 0; i < y->n_items; i += 2)
		if (is_section(y->items[i].text))
			add_section(p, node, &y->items[i + 1]);
	p->key = key->name;
	p->own = y;
	yaml_emit(y, 0, &yaml);
	node->network = parse_copy(p, text_str(&yaml));
	if (text_error(&yaml) < 0)
		p->error = text_error(&yaml);
}

void parse_own_check(struct parse *p, const struct yaml *own, const struct model_node *node)
{
	char text[NET_IP_LEN];
	size_t i;

	if (!node->address.family)
		return;
	for (i = 0; i < node->n_own; i++)
		if (net_ip_equal(&node->own[i].ip, &node->address))
			return;
	parse_complain(p, own, "network-address",
		       "write it, with its prefix, under addresses: of the device that carries it",
		       "no device has the node's address %s", net_ip_text(&node->address, text));
}
