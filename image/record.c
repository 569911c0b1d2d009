/* SPDX-License-Identifier: MIT */
#include "image/record.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/model.h"

/* The texts of a node's entry. */
static const struct {
	const char *key;
	size_t at;
} fields[] = {
	{ "name", offsetof(struct record_node, name) },
	{ "disk", offsetof(struct record_node, disk) },
	{ "format", offsetof(struct record_node, format) },
	{ "golden", offsetof(struct record_node, golden) },
	{ "seed_sha256", offsetof(struct record_node, seed_sha256) },
};

static char **field(struct record_node *node, size_t i)
{
	return (char **)(void *)((char *)node + fields[i].at);
}

static const char *field_text(const struct record_node *node, size_t i)
{
	return *(char *const *)(const void *)((const char *)node + fields[i].at);
}

static void node_done(struct record_node *node)
{
	size_t i;

	for (i = 0; i < COUNT(fields); i++)
		free(*field(node, i));
	*node = (struct record_node){ 0 };
}

void record_done(struct record *r)
{
	size_t i;

	for (i = 0; i < r->n_nodes; i++)
		node_done(&r->nodes[i]);
	free(r->nodes);
	free(r->distribution);
	free(r->release);
	*r = (struct record){ 0 };
}

const struct record_node *record_find(const struct record *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->n_nodes; i++)
		if (strcmp(r->nodes[i].name, name) == 0)
			return &r->nodes[i];
	return NULL;
}

static int copy_node(const struct record_node *from, struct record_node *ret)
{
	struct record_node node = { .bytes = from->bytes };
	size_t i;

	for (i = 0; i < COUNT(fields); i++) {
		*field(&node, i) = strdup(field_text(from, i));
		if (!*field(&node, i)) {
			node_done(&node);
			return -ENOMEM;
		}
	}
	*ret = node;
	return 0;
}

int record_put(struct record *r, const struct record_node *node)
{
	struct record_node *old = (struct record_node *)(uintptr_t)record_find(r, node->name);
	struct record_node copy;
	struct record_node *nodes;

	if (copy_node(node, &copy) < 0)
		return -ENOMEM;
	if (old) {
		node_done(old);
		*old = copy;
		return 0;
	}
	nodes = realloc(r->nodes, (r->n_nodes + 1) * sizeof(*nodes));
	if (!nodes) {
		node_done(&copy);
		return -ENOMEM;
	}
	r->nodes = nodes;
	r->nodes[r->n_nodes++] = copy;
	return 0;
}

void record_keep(struct record *r, const struct model *m)
{
	size_t i, kept = 0;

	for (i = 0; i < r->n_nodes; i++)
		if (model_node(m, r->nodes[i].name))
			r->nodes[kept++] = r->nodes[i];
		else
			node_done(&r->nodes[i]);
	r->n_nodes = kept;
}

static void copy_text(const struct yaml *from, const char *key, char *ret, size_t size)
{
	const char *s = yaml_text(yaml_get(from, key));

	snprintf(ret, size, "%s", s ? s : "");
}

static void take_facts(const struct yaml *from, struct root_facts *ret)
{
	copy_text(from, "kubernetes", ret->kubernetes, sizeof(ret->kubernetes));
	copy_text(from, "containerd", ret->containerd, sizeof(ret->containerd));
	copy_text(from, "pause", ret->pause, sizeof(ret->pause));
}

static int parse(const char *json, size_t len, struct yaml *ret, struct fault *why)
{
	struct yaml_error error = { 0 };
	int r = yaml_parse(json, len, ret, &error);

	if (r == -ENOMEM)
		return fault_errno(why, ENOMEM, "record");
	return r < 0 ? fault_set(why, EBADMSG, "line %u: %s", error.line, error.message) : 0;
}

int record_facts(const char *json, size_t len, struct root_facts *ret, struct fault *why)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	int r = parse(json, len, &tree, why);

	if (r == 0)
		take_facts(&tree, ret);
	return r;
}

static int take_node(const struct yaml *item, struct record *r)
{
	const char *bytes = yaml_text(yaml_get(item, "bytes"));
	struct record_node node = { .bytes = bytes ? strtoull(bytes, NULL, 10) : 0 };
	size_t i;

	for (i = 0; i < COUNT(fields); i++) {
		const char *s = yaml_text(yaml_get(item, fields[i].key));

		if (!s)
			return 0;
		*field(&node, i) = (char *)(uintptr_t)s;
	}
	return record_put(r, &node);
}

static char *copy_of(const struct yaml *facts, const char *key)
{
	const char *s = yaml_text(yaml_get(facts, key));

	return s ? strdup(s) : NULL;
}

int record_parse(const char *json, size_t len, struct record *ret, struct fault *why)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	const struct yaml *facts, *nodes;
	struct record record = { 0 };
	size_t i;
	int r = parse(json, len, &tree, why);

	if (r < 0)
		return r;
	facts = yaml_get(&tree, "facts");
	nodes = yaml_get(&tree, "nodes");
	take_facts(facts, &record.facts);
	record.distribution = copy_of(facts, "distribution");
	record.release = copy_of(facts, "release");
	for (i = 0; r == 0 && nodes && nodes->kind == YAML_SEQUENCE && i < nodes->n_items; i++)
		r = take_node(&nodes->items[i], &record);
	if (r < 0) {
		record_done(&record);
		return fault_errno(why, r, "record");
	}
	*ret = record;
	return 0;
}

/* "key": "value" of what is there; *first is cleared. */
static void add_pair(struct text *out, const char *key, const char *value, bool *first)
{
	if (!value || !*value)
		return;
	text_add(out, *first ? "" : ", ");
	quote_json(out, key);
	text_add(out, ": ");
	quote_json(out, value);
	*first = false;
}

static void render_facts(const struct record *r, struct text *out)
{
	bool first = true;

	text_add(out, "{\n  \"facts\": {");
	add_pair(out, "distribution", r->distribution, &first);
	add_pair(out, "release", r->release, &first);
	add_pair(out, "kubernetes", r->facts.kubernetes, &first);
	add_pair(out, "containerd", r->facts.containerd, &first);
	add_pair(out, "pause", r->facts.pause, &first);
	text_add(out, "},\n  \"goldens\": [");
}

static void render_goldens(const struct record *r, struct text *out)
{
	size_t i, k;
	bool first = true;

	for (i = 0; i < r->n_nodes; i++) {
		for (k = 0; k < i; k++)
			if (strcmp(r->nodes[k].golden, r->nodes[i].golden) == 0)
				break;
		if (k < i)
			continue;
		text_add(out, first ? "" : ", ");
		quote_json(out, r->nodes[i].golden);
		first = false;
	}
	text_add(out, "],\n  \"nodes\": [");
}

void record_render(const struct record *r, struct text *out)
{
	size_t i, k;

	render_facts(r, out);
	render_goldens(r, out);
	for (i = 0; i < r->n_nodes; i++) {
		bool first = true;

		text_add(out, i ? ",\n    {" : "\n    {");
		for (k = 0; k < COUNT(fields); k++)
			add_pair(out, fields[k].key, field_text(&r->nodes[i], k), &first);
		text_addf(out, ", \"bytes\": %llu}", (unsigned long long)r->nodes[i].bytes);
	}
	text_add(out, r->n_nodes ? "\n  ]\n}\n" : "]\n}\n");
}
