/* SPDX-License-Identifier: MIT */
#include "base/quote.h"
#include "base/text.h"
#include "cluster/plan_parts.h"

static void pair(const char *key, const char *value, bool *more, struct text *out)
{
	text_add(out, *more ? "," : "");
	quote_json(out, key);
	text_add(out, ":");
	quote_json(out, value);
	*more = true;
}

static void labels(const struct model_node *node, struct text *out)
{
	bool more = false;
	size_t i;

	text_add(out, ",\"labels\":{");
	if (node->roles & MODEL_WORKER)
		pair("node-role.kubernetes.io/worker", "", &more, out);
	for (i = 0; i < node->n_labels; i++)
		pair(node->labels[i].key, node->labels[i].value, &more, out);
	text_add(out, "}");
}

static void taints(const struct model_node *node, struct text *out)
{
	size_t i;

	if (node->n_taints == 0)
		return;
	text_add(out, ",\"spec\":{\"taints\":[");
	for (i = 0; i < node->n_taints; i++) {
		bool more = false;

		text_add(out, i ? ",{" : "{");
		pair("key", node->taints[i].key, &more, out);
		if (node->taints[i].value && node->taints[i].value[0])
			pair("value", node->taints[i].value, &more, out);
		pair("effect", node->taints[i].effect, &more, out);
		text_add(out, "}");
	}
	text_add(out, "]}");
}

void objects_node(const struct model_node *node, struct text *out)
{
	bool more = false;

	text_add(out, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{");
	pair("name", node->name, &more, out);
	labels(node, out);
	text_add(out, "}");
	taints(node, out);
	text_add(out, "}\n");
}
