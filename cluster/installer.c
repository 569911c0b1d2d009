/* SPDX-License-Identifier: MIT */
#include "cluster/installer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/net.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/parse.h"

enum { MAX_NAME = 120 };

void installer_done(struct installer *i)
{
	size_t k;

	for (k = 0; i->files && k < i->model.n_nodes; k++) {
		free(i->files[k].golden);
		free(i->files[k].seed);
	}
	free(i->files);
	model_done(&i->model);
	*i = (struct installer){ 0 };
}

int installer_make(struct installer *ret, size_t n_nodes)
{
	struct installer i = { 0 };

	i.files = calloc(n_nodes ? n_nodes : 1, sizeof(*i.files));
	i.model.nodes = calloc(n_nodes ? n_nodes : 1, sizeof(*i.model.nodes));
	if (!i.files || !i.model.nodes) {
		installer_done(&i);
		return -ENOMEM;
	}
	i.model.n_nodes = n_nodes;
	*ret = i;
	return 0;
}

/* ---- to JSON -------------------------------------------------------------------------------- */

static void add_member(struct text *out, const char *key, const char *value)
{
	if (!value)
		return;
	text_addf(out, ", \"%s\": ", key);
	quote_json(out, value);
}

static void add_bytes(struct text *out, const char *key, uint64_t bytes)
{
	if (bytes)
		text_addf(out, ", \"%s\": %llu", key, (unsigned long long)bytes);
}

static void add_node(const struct model_node *node, const struct installer_files *files,
		     struct text *out)
{
	char mac[NET_MAC_LEN];

	text_add(out, "{\"name\": ");
	quote_json(out, node->name);
	add_member(out, "mac", node->has_mac ? net_mac_text(&node->mac, mac) : NULL);
	add_member(out, "serial", node->serial);
	add_member(out, "diskSerial", node->disk.serial);
	add_member(out, "diskWwn", node->disk.wwn);
	add_bytes(out, "diskBytes", node->disk.size_bytes);
	add_member(out, "dataSerial", node->data.serial);
	add_member(out, "dataWwn", node->data.wwn);
	add_bytes(out, "dataBytes", node->data.size_bytes);
	add_member(out, "golden", files->golden);
	add_member(out, "seed", files->seed);
	text_add(out, "}");
}

void installer_render(const struct installer *i, struct text *out)
{
	size_t k;

	text_add(out, "{\n  \"cluster\": ");
	quote_json(out, i->model.name);
	text_addf(out, ",\n  \"waitSeconds\": %u,\n  \"sealed\": %s,\n  \"nodes\": [",
		  i->model.installer.wait_s, i->sealed ? "true" : "false");
	for (k = 0; k < i->model.n_nodes; k++) {
		text_add(out, k ? ",\n    " : "\n    ");
		add_node(&i->model.nodes[k], &i->files[k], out);
	}
	text_add(out, "\n  ]\n}\n");
}

/* ---- from JSON ------------------------------------------------------------------------------ */

static bool is_number(const char *s, uint64_t max, uint64_t *ret)
{
	char *end;

	if (!s || *s < '0' || *s > '9')
		return false;
	errno = 0;
	*ret = strtoull(s, &end, 10);
	return errno == 0 && *end == '\0' && *ret <= max;
}

/* A file of the stick's own folder, and nothing above or below it. */
static bool is_file_name(const char *s)
{
	return *s && *s != '.' && strlen(s) <= MAX_NAME && !strchr(s, '/');
}

static bool is_any(const char *s)
{
	return *s && strlen(s) <= MAX_NAME;
}

/* The texts of a node's entry. */
struct want {
	const char *key;
	bool (*ok)(const char *s);
	bool required;
	char **ret;
};

static int take_text(const struct yaml *row, const struct want *want, struct fault *why)
{
	const char *s = yaml_text(yaml_get(row, want->key));

	if (!s && !want->required)
		return 0;
	if (!s || !want->ok(s))
		return fault_set(why, EBADMSG, "line %u: '%s' is missing or not of its form",
				 row->line, want->key);
	*want->ret = strdup(s);
	return *want->ret ? 0 : fault_errno(why, ENOMEM, INSTALLER_FILE);
}

static int take_bytes(const struct yaml *row, const char *key, uint64_t *ret, struct fault *why)
{
	const char *bytes = yaml_text(yaml_get(row, key));

	if (bytes && !is_number(bytes, UINT64_MAX, ret))
		return fault_set(why, EBADMSG, "line %u: '%s' is no number", row->line, key);
	return 0;
}

/* A machine that nothing tells apart from others would be taken for any. */
static int take_marks(const struct yaml *row, struct model_node *node, struct fault *why)
{
	const char *mac = yaml_text(yaml_get(row, "mac"));

	if (mac && net_mac_parse(mac, &node->mac) < 0)
		return fault_set(why, EBADMSG, "line %u: 'mac' is not of its form", row->line);
	node->has_mac = mac != NULL;
	if (!node->has_mac && !node->serial)
		return fault_set(why, EBADMSG, "line %u: node '%s' has neither MAC nor serial",
				 row->line, node->name);
	return 0;
}

static int take_node(const struct yaml *row, struct model_node *node, struct installer_files *files,
		     struct fault *why)
{
	const struct want wants[] = {
		{ "name", parse_is_subdomain, true, &node->name },
		{ "serial", is_any, false, &node->serial },
		{ "diskSerial", is_any, false, &node->disk.serial },
		{ "diskWwn", is_any, false, &node->disk.wwn },
		{ "dataSerial", is_any, false, &node->data.serial },
		{ "dataWwn", is_any, false, &node->data.wwn },
		{ "golden", is_file_name, true, &files->golden },
		{ "seed", is_file_name, true, &files->seed },
	};
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < COUNT(wants); i++)
		r = take_text(row, &wants[i], why);
	r = r < 0 ? r : take_bytes(row, "diskBytes", &node->disk.size_bytes, why);
	r = r < 0 ? r : take_bytes(row, "dataBytes", &node->data.size_bytes, why);
	return r < 0 ? r : take_marks(row, node, why);
}

static int take_all(const struct yaml *tree, const struct yaml *nodes, struct installer *i,
		    struct fault *why)
{
	const char *sealed = yaml_text(yaml_get(tree, "sealed"));
	const struct want name = { "cluster", parse_is_label, true, &i->model.name };
	uint64_t wait_s = 0;
	size_t k;
	int r = take_text(tree, &name, why);

	if (r < 0)
		return r;
	if (!is_number(yaml_text(yaml_get(tree, "waitSeconds")), 86400, &wait_s))
		return fault_set(why, EBADMSG, "'waitSeconds' is no number of seconds");
	i->model.installer.wait_s = (unsigned)wait_s;
	i->sealed = sealed && strcmp(sealed, "true") == 0;
	for (k = 0; r == 0 && k < nodes->n_items; k++)
		r = take_node(&nodes->items[k], &i->model.nodes[k], &i->files[k], why);
	return r;
}

int installer_parse(const char *json, size_t len, struct installer *ret, struct fault *why)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };
	struct installer i = { 0 };
	const struct yaml *nodes;
	int r = yaml_parse(json, len, &tree, &error);

	if (r == -EBADMSG)
		return fault_set(why, EBADMSG, "line %u: %s", error.line, error.message);
	if (r < 0)
		return fault_errno(why, r, INSTALLER_FILE);
	nodes = yaml_get(&tree, "nodes");
	if (!nodes || nodes->kind != YAML_SEQUENCE || nodes->n_items == 0)
		return fault_set(why, EBADMSG, "it names no node");
	r = installer_make(&i, nodes->n_items);
	if (r < 0)
		return fault_errno(why, r, INSTALLER_FILE);
	r = take_all(&tree, nodes, &i, why);
	if (r < 0) {
		installer_done(&i);
		return r;
	}
	*ret = i;
	return 0;
}
