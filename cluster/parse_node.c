/* SPDX-License-Identifier: MIT */
#include "cluster/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"
#include "cluster/parse_own.h"

#define NODE(field) .offset = offsetof(struct model_node, field)
#define MARK(field) .mark = offsetof(struct model_node, field)

static const struct parse_word roles[] = {
	{ .word = "control-plane", .value = MODEL_CONTROL_PLANE },
	{ .word = "worker", .value = MODEL_WORKER },
	{ .word = "storage", .value = MODEL_STORAGE },
	{ .word = "registry", .value = MODEL_REGISTRY },
	{ 0 },
};

static const struct parse_key vm_keys[] = {
	{ "cpus", parse_count, NODE(vm.cpus), MARK(vm.cpus_mark), .required = true },
	{ "memory", parse_size, NODE(vm.memory_bytes), MARK(vm.memory_mark), .required = true },
	{ "disk", parse_size, NODE(vm.disk_bytes), MARK(vm.disk_mark), .required = true },
	{ "data", parse_size, NODE(vm.data_bytes), MARK(vm.data_mark) },
	{ 0 },
};
static const struct parse_table vm_table = { "vm", vm_keys };

static const struct parse_key disk_keys[] = {
	{ "serial", parse_text, NODE(disk.serial), MARK(disk.serial_mark),
	  .form = &parse_form_serial },
	{ "wwn", parse_text, NODE(disk.wwn), MARK(disk.wwn_mark), .form = &parse_form_serial },
	{ "size", parse_size, NODE(disk.size_bytes) },
	{ 0 },
};
static const struct parse_table disk_table = { "disk", disk_keys };

static const struct parse_key data_disk_keys[] = {
	{ "serial", parse_text, NODE(data.serial), MARK(data.serial_mark),
	  .form = &parse_form_serial },
	{ "wwn", parse_text, NODE(data.wwn), MARK(data.wwn_mark), .form = &parse_form_serial },
	{ "size", parse_size, NODE(data.size_bytes) },
	{ 0 },
};
static const struct parse_table data_disk_table = { "disk", data_disk_keys };

static const struct parse_key data_keys[] = {
	{ "disk", parse_submapping, .table = &data_disk_table },
	{ 0 },
};
static const struct parse_table data_table = { "data", data_keys };

static const struct parse_key node_keys[] = {
	{ "role", parse_roles, NODE(roles), MARK(role_mark), .required = true },
	{ "address", parse_ip, NODE(address), MARK(address_mark), .required = true },
	{ "mac", parse_mac, NODE(mac), MARK(mac_mark),
	  .meant = offsetof(struct model_node, mac_meant) },
	{ "serial", parse_text, NODE(serial), MARK(serial_mark), .form = &parse_form_serial },
	{ "vm", parse_submapping, MARK(vm.mark), .table = &vm_table },
	{ "disk", parse_submapping, .table = &disk_table },
	{ "data", parse_submapping, MARK(data_mark), .table = &data_table },
	{ "gpu", parse_gpu, NODE(gpu), MARK(gpu_mark), .words = &parse_gpu_words,
	  .table = &parse_gpu_table },
	{ "labels", .read = parse_labels },
	{ "taints", .read = parse_taints },
	{ "podCIDR", parse_network, NODE(pod_cidr), MARK(pod_cidr_mark) },
	{ "network", parse_own_network, MARK(network_mark) },
	{ 0 },
};
const struct parse_table parse_node_table = { "a node", node_keys };

/* Returns the role that was meant, so that no other complaint follows from this one, or 0. */
static unsigned unknown_role(struct parse *p, const struct yaml *y)
{
	/* What others call it. */
	static const struct {
		const char *said, *meant;
	} other_names[] = {
		{ .said = "master", .meant = "control-plane" },
		{ .said = "controller", .meant = "control-plane" },
		{ .said = "server", .meant = "control-plane" },
		{ .said = "node", .meant = "worker" },
		{ .said = "agent", .meant = "worker" },
		{ .said = "minion", .meant = "worker" },
		{ .said = "nas", .meant = "storage" },
	};
	struct complaint_guess guess = { .word = y->text };
	scoped(text_done) struct text hint = { 0 };
	size_t i;

	for (i = 0; roles[i].word; i++)
		complaint_guess_try(&guess, roles[i].word);
	for (i = 0; i < COUNT(other_names) && !guess.best; i++)
		if (strcmp(other_names[i].said, y->text) == 0)
			guess.best = other_names[i].meant;
	if (guess.best)
		text_addf(&hint, "did you mean '%s'?", guess.best);
	for (i = 0; roles[i].word && !guess.best; i++)
		text_addf(&hint, "%s%s", i ? ", " : "one of: ", roles[i].word);
	parse_complain(p, y, "role-unknown", parse_hint(p, &hint), "there is no role '%.128s'",
		       y->text);
	if (!guess.best)
		return 0;
	for (i = 0; strcmp(roles[i].word, guess.best) != 0; i++)
		;
	return roles[i].value;
}

static void add_role(struct parse *p, const struct yaml *y, unsigned *set)
{
	const char *s = parse_scalar(p, y);
	size_t i;

	if (!s)
		return;
	for (i = 0; roles[i].word && strcmp(roles[i].word, s) != 0; i++)
		;
	if (!roles[i].word)
		*set |= unknown_role(p, y);
	else if (*set & roles[i].value)
		parse_complain(p, y, "role-twice", NULL, "role '%s' is given twice", s);
	*set |= roles[i].value;
}

/* One word, or a list of them. */
PARSE_READER(parse_roles)
{
	unsigned *set = (unsigned *)((char *)object + key->offset);
	size_t i;

	if (y->kind == YAML_MAPPING)
		parse_complain(p, y, "type", NULL, "role must be a word or a list of words");
	else if (y->kind != YAML_SEQUENCE)
		add_role(p, y, set);
	else if (y->n_items == 0)
		parse_complain(p, y, "value-missing", "such as worker", "a node needs a role");
	for (i = 0; y->kind == YAML_SEQUENCE && i < y->n_items; i++)
		add_role(p, &y->items[i], set);
}

/* The second disk of a machine is its disk for data, and known by the serial that we give it. */
static void name_data(struct parse *p, struct model_node *node)
{
	char serial[MODEL_DATA_SERIAL_LEN];

	if (node->vm.data_bytes == 0 || node->data_mark.line)
		return;
	model_data_serial(node->name, serial);
	node->data.serial = parse_copy(p, serial);
}

static void read_node(struct parse *p, const struct yaml *pair, struct model_node *node)
{
	const struct parse_form *form = &parse_form_node;

	p->node = node->name;
	p->own = NULL;
	if (!form->ok(node->name))
		parse_complain(p, &pair[0], form->code, form->hint, "'%.128s' is not %s",
			       node->name, form->what);
	p->key = "a node";
	if (parse_expect(p, &pair[1], YAML_MAPPING))
		parse_mapping(p, &pair[1], &pair[0], &parse_node_table, node);
	name_data(p, node);
	if (p->own)
		parse_own_check(p, p->own, node);
	p->node = NULL;
}

PARSE_READER(parse_nodes)
{
	struct model *m = p->m;
	size_t i;

	if (!parse_expect(p, y, YAML_MAPPING)) {
		parse_unmark(key, object);
		return;
	}
	parse_twice(p, y, true, "node-twice");
	m->nodes = parse_alloc(p, y->n_items / 2, sizeof(*m->nodes));
	for (i = 0; i < y->n_items && m->nodes; i += 2) {
		struct model_node *node = &m->nodes[m->n_nodes];

		node->name = parse_copy(p, y->items[i].text);
		node->mark = parse_mark(&y->items[i]);
		if (!node->name)
			return;
		m->n_nodes++;
		read_node(p, &y->items[i], node);
	}
	p->key = key->name;
}
