/* SPDX-License-Identifier: MIT */

/* Any bytes as cluster.yaml: parsed, checked, and every complaint printed in both forms. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

/* The JSON must be readable by our own reader, and have one object for each complaint. */
static void check_json(const struct complaints *c)
{
	scoped(text_done) struct text json = { 0 };
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };

	complaints_json(c, "fuzz.yaml", &json);
	require(yaml_parse(text_str(&json), json.len, &tree, &error) == 0);
	require(tree.kind == YAML_SEQUENCE && tree.n_items == c->n + c->truncated);
}

static void check_pod_networks(const struct model *m)
{
	struct net_cidr cidr;
	size_t i;

	for (i = 0; i < m->n_nodes; i++) {
		require(model_node(m, m->nodes[i].name) != NULL);
		if (model_pod_cidr(m, &m->nodes[i], &cidr) == 0)
			require(cidr.prefix <= net_ip_bits(&cidr.ip));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(model_done) struct model m = { 0 };
	scoped(text_done) struct text shown = { 0 };
	struct fault why = { 0 };
	size_t n, i;

	if (document_parse("fuzz.yaml", (const char *)data, size, &m, &c, &why) < 0)
		return 0;
	document_check(&m, &c);
	n = c.n;
	complaints_sort(&c);
	for (i = 1; i < n; i++)
		require(c.list[i - 1].mark.line <= c.list[i].mark.line);
	complaints_print(&c, "fuzz.yaml", (const char *)data, size, &shown);
	/* Nothing that a terminal obeys gets through. */
	for (i = 0; i < shown.len; i++)
		require((unsigned char)shown.data[i] >= 0x20 || shown.data[i] == '\n');
	check_json(&c);
	check_pod_networks(&m);
	return 0;
}
