/* SPDX-License-Identifier: MIT */
#include "image/lease.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/yaml.h"

#define NODE_NAMESPACE "kube-node-lease"

/* RFC 3339 as Kubernetes writes it, in UTC; what lies behind the second is dropped. */
static int64_t parse_time(const char *s)
{
	struct tm tm = { 0 };

	if (!s || !strptime(s, "%Y-%m-%dT%H:%M:%S", &tm))
		return 0;
	return timegm(&tm);
}

void leases_done(struct leases *leases)
{
	size_t i;

	for (i = 0; i < leases->n; i++)
		free(leases->list[i].node);
	free(leases->list);
	*leases = (struct leases){ 0 };
}

static int add(const struct yaml *item, struct leases *leases, struct fault *why)
{
	const struct yaml *metadata = yaml_get(item, "metadata");
	const char *namespace = yaml_text(yaml_get(metadata, "namespace"));
	const char *name = yaml_text(yaml_get(metadata, "name"));
	struct lease *lease = &leases->list[leases->n];

	*lease = (struct lease){
		.renewed = parse_time(yaml_text(yaml_get(yaml_get(item, "spec"), "renewTime"))),
	};
	if (name && namespace && strcmp(namespace, NODE_NAMESPACE) == 0) {
		lease->node = strdup(name);
		if (!lease->node)
			return fault_errno(why, ENOMEM, "leases");
	}
	leases->n++;
	if (lease->renewed > leases->newest)
		leases->newest = lease->renewed;
	return 0;
}

int leases_parse(const char *json, size_t len, struct leases *ret, struct fault *why)
{
	scoped(yaml_done) struct yaml doc = { 0 };
	struct yaml_error error = { 0 };
	const struct yaml *items;
	size_t i;
	int r = yaml_parse(json, len, &doc, &error);

	if (r < 0)
		return fault_set(why, r, "the list of leases is not JSON: %s", error.message);
	items = yaml_get(&doc, "items");
	if (!items || items->kind != YAML_SEQUENCE)
		return 0;
	ret->list = calloc(items->n_items + 1, sizeof(*ret->list));
	if (!ret->list)
		return fault_errno(why, ENOMEM, "leases");
	for (i = 0; r == 0 && i < items->n_items; i++)
		r = add(&items->items[i], ret, why);
	if (r < 0)
		leases_done(ret);
	return r;
}

int64_t leases_lag(const struct leases *leases, const char *node)
{
	size_t i;

	for (i = 0; i < leases->n; i++)
		if (leases->list[i].node && strcmp(leases->list[i].node, node) == 0)
			return leases->newest - leases->list[i].renewed;
	return 0;
}
