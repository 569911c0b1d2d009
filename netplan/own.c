/* SPDX-License-Identifier: MIT */
#include "netplan/own.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/yaml.h"

/* An address may stand alone or be the key of a mapping with its settings. */
static bool is_address(const struct yaml *item, const struct net_ip *address)
{
	const char *text = yaml_text(item);
	struct net_cidr cidr;

	if (item->kind == YAML_MAPPING && item->n_items > 0)
		text = item->items[0].text;
	return text && net_cidr_parse(text, &cidr) == 0 && net_ip_equal(&cidr.ip, address);
}

static bool has_address(const struct yaml *device, const struct net_ip *address)
{
	const struct yaml *list = yaml_get(device, "addresses");
	size_t i;

	if (!list || list->kind != YAML_SEQUENCE)
		return false;
	for (i = 0; i < list->n_items; i++)
		if (is_address(&list->items[i], address))
			return true;
	return false;
}

/* "default" takes its family from the gateway beside it. */
static bool is_default_route(const struct yaml *route, int family)
{
	const char *to = yaml_text(yaml_get(route, "to"));
	const char *via = yaml_text(yaml_get(route, "via"));
	struct net_cidr cidr;
	struct net_ip ip;

	if (!to || yaml_get(route, "table"))
		return false;
	if (strcmp(to, "default") == 0)
		return !via || net_ip_parse(via, &ip) < 0 || ip.family == family;
	return net_cidr_parse(to, &cidr) == 0 && cidr.prefix == 0 && cidr.ip.family == family;
}

static bool has_default(const struct yaml *device, int family)
{
	const struct yaml *routes = yaml_get(device, "routes");
	size_t i;

	if (yaml_get(device, family == AF_INET6 ? "gateway6" : "gateway4"))
		return true;
	if (!routes || routes->kind != YAML_SEQUENCE)
		return false;
	for (i = 0; i < routes->n_items; i++)
		if (is_default_route(&routes->items[i], family))
			return true;
	return false;
}

/* openvswitch: alone among the mappings holds settings and no devices. */
static bool is_section(const struct yaml *pair)
{
	return pair[1].kind == YAML_MAPPING && strcmp(pair[0].text, "openvswitch") != 0;
}

static int check_globals(const struct yaml *tree, struct fault *why)
{
	const struct yaml *version = yaml_get(tree, "version");
	const struct yaml *renderer = yaml_get(tree, "renderer");

	if (version && (!yaml_text(version) || strcmp(yaml_text(version), "2") != 0))
		return fault_set(why, EINVAL, "network: version: netplan's format is 2");
	if (renderer && (!yaml_text(renderer) || strcmp(yaml_text(renderer), "networkd") != 0))
		return fault_set(why, EINVAL, "network: renderer: nodes have networkd only");
	return 0;
}

static int check_device(const struct yaml *device, const char *name, struct fault *why)
{
	const struct yaml *routes = yaml_get(device, "routes");

	if (routes && routes->kind != YAML_SEQUENCE && routes->kind != YAML_NULL)
		return fault_set(why, EINVAL, "network: '%s': routes is no list", name);
	return 0;
}

static int read_section(const struct yaml *section, const struct net_ip *address, int family,
			struct own *ret, struct fault *why)
{
	size_t i;

	for (i = 0; i + 1 < section->n_items; i += 2) {
		const struct yaml *device = &section->items[i + 1];
		int r = check_device(device, section->items[i].text, why);

		if (r < 0)
			return r;
		ret->has_default = ret->has_default || has_default(device, family);
		if (ret->device || !has_address(device, address))
			continue;
		ret->section = section;
		ret->device = device;
	}
	return 0;
}

int own_read(const struct yaml *tree, const struct net_ip *address, int gateway_family,
	     struct own *ret, struct fault *why)
{
	char text[NET_IP_LEN];
	size_t i;
	int r;

	if (tree->kind != YAML_MAPPING)
		return fault_set(
			why, EINVAL,
			"network: is no mapping; write ethernets:, bonds: or vlans: below it");
	r = check_globals(tree, why);
	for (i = 0; r == 0 && i + 1 < tree->n_items; i += 2)
		if (is_section(&tree->items[i]))
			r = read_section(&tree->items[i + 1], address, gateway_family, ret, why);
	if (r < 0)
		return r;
	if (!ret->device)
		return fault_set(why, EINVAL,
				 "network: no device has the node's address %s; write it under "
				 "addresses: of the one that carries it",
				 net_ip_text(address, text));
	return 0;
}

bool own_has_route(const struct yaml *routes, const struct net_cidr *to)
{
	struct net_ip first = net_cidr_first(to);
	size_t i;

	for (i = 0; routes && routes->kind == YAML_SEQUENCE && i < routes->n_items; i++) {
		const char *text = yaml_text(yaml_get(&routes->items[i], "to"));
		struct net_cidr own;
		struct net_ip own_first;

		if (!text || net_cidr_parse(text, &own) < 0 || own.prefix != to->prefix)
			continue;
		own_first = net_cidr_first(&own);
		if (net_ip_equal(&own_first, &first))
			return true;
	}
	return false;
}
