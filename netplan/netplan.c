/* SPDX-License-Identifier: MIT */
#include "netplan/netplan.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/yaml.h"
#include "netplan/own.h"

static const char head[] = "# Written by rackseed from cluster.yaml; changes here do not last.\n"
			   "network:\n"
			   "  version: 2\n"
			   "  renderer: networkd\n";

static void emit_route(const char *to, const struct net_ip *via, struct text *out)
{
	char text[NET_IP_LEN];

	text_addf(out, "        - to: %s\n          via: \"%s\"\n", to, net_ip_text(via, text));
}

/* Our routes as items of a list; own are those that the device has already, or NULL. */
static void emit_routes(const struct netplan_config *c, const struct yaml *own, bool with_gateway,
			struct text *out)
{
	size_t i;

	if (with_gateway)
		emit_route("default", &c->gateway, out);
	for (i = 0; i < c->n_routes; i++) {
		char text[NET_CIDR_LEN], quoted[NET_CIDR_LEN + 2];
		size_t n;

		if (own_has_route(own, &c->routes[i].to))
			continue;
		net_cidr_text(&c->routes[i].to, text);
		n = strlen(text);
		quoted[0] = '"';
		memcpy(quoted + 1, text, n);
		memcpy(quoted + 1 + n, "\"", 2);
		emit_route(quoted, &c->routes[i].via, out);
	}
}

static void emit_nameservers(const struct netplan_config *c, struct text *out)
{
	char text[NET_IP_LEN];
	size_t i;

	if (c->n_nameservers == 0)
		return;
	text_add(out, "      nameservers:\n        addresses:\n");
	for (i = 0; i < c->n_nameservers; i++)
		text_addf(out, "          - \"%s\"\n", net_ip_text(&c->nameservers[i], text));
}

/* One link, matched by its permanent MAC, with nothing on it but what the file says. */
static void render_link(const struct netplan_config *c, struct text *out)
{
	char mac[NET_MAC_LEN], address[NET_CIDR_LEN];
	bool v6 = c->address.ip.family == AF_INET6;

	text_add(out, head);
	text_addf(out, "  ethernets:\n    cluster0:\n      match:\n        macaddress: \"%s\"\n",
		  net_mac_text(&c->mac, mac));
	text_add(out, "      dhcp4: false\n      dhcp6: false\n      accept-ra: false\n");
	/* An IPv6 router is often known by its link-local address alone. */
	text_addf(out, "      link-local: %s\n", v6 ? "[ipv6]" : "[]");
	text_addf(out, "      optional: false\n      addresses:\n        - \"%s\"\n",
		  net_cidr_text(&c->address, address));
	if (c->gateway.family || c->n_routes > 0)
		text_add(out, "      routes:\n");
	emit_routes(c, NULL, c->gateway.family != 0, out);
	emit_nameservers(c, out);
}

static void emit_pair(const struct yaml *pair, unsigned indent, struct text *out)
{
	struct yaml items[2] = { pair[0], pair[1] };
	const struct yaml one = { .kind = YAML_MAPPING, .items = items, .n_items = 2 };

	yaml_emit(&one, indent, out);
}

static void emit_key(const struct yaml *key, unsigned indent, struct text *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	text_addf(out, "%*s", (int)indent, "");
	if (key->plain && key->text[0] != '-' && key->text[strspn(key->text, plain)] == '\0')
		text_add(out, key->text);
	else
		quote_yaml(out, key->text);
	text_add(out, ":\n");
}

/* The device with the node's address: as written, and what it does not say itself. */
static void emit_device(const struct netplan_config *c, const struct own *own, struct text *out)
{
	const struct yaml *routes = yaml_get(own->device, "routes");
	bool with_gateway = c->gateway.family != 0 && !own->has_default;
	size_t i;

	for (i = 0; i + 1 < own->device->n_items; i += 2)
		if (&own->device->items[i + 1] != routes)
			emit_pair(&own->device->items[i], 6, out);
	if (with_gateway || c->n_routes > 0 || (routes && routes->n_items > 0))
		text_add(out, "      routes:\n");
	if (routes && routes->n_items > 0)
		yaml_emit(routes, 8, out);
	emit_routes(c, routes, with_gateway, out);
	if (!yaml_get(own->device, "nameservers"))
		emit_nameservers(c, out);
}

static void emit_section(const struct netplan_config *c, const struct own *own,
			 const struct yaml *pair, struct text *out)
{
	const struct yaml *devices = &pair[1];
	size_t i;

	emit_key(pair, 2, out);
	for (i = 0; i + 1 < devices->n_items; i += 2) {
		if (&devices->items[i + 1] != own->device) {
			emit_pair(&devices->items[i], 4, out);
			continue;
		}
		emit_key(&devices->items[i], 4, out);
		emit_device(c, own, out);
	}
}

static int render_own(const struct netplan_config *c, struct text *out, struct fault *why)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };
	struct own own = { 0 };
	size_t i;
	int r = yaml_parse(c->own, strlen(c->own), &tree, &error);

	if (r == -ENOMEM)
		return fault_errno(why, ENOMEM, "network");
	if (r < 0)
		return fault_set(why, EINVAL, "network: line %u: %s", error.line, error.message);
	r = own_read(&tree, &c->address.ip, c->gateway.family, &own, why);
	if (r < 0)
		return r;
	text_add(out, head);
	for (i = 0; i + 1 < tree.n_items; i += 2) {
		const struct yaml *pair = &tree.items[i];

		if (strcmp(pair->text, "version") == 0 || strcmp(pair->text, "renderer") == 0)
			continue;
		if (&pair[1] == own.section)
			emit_section(c, &own, pair, out);
		else
			emit_pair(pair, 2, out);
	}
	return 0;
}

int netplan_render(const struct netplan_config *config, struct text *out, struct fault *why)
{
	int r = 0;

	if (config->own)
		r = render_own(config, out, why);
	else
		render_link(config, out);
	if (r < 0)
		return r;
	return text_error(out) < 0 ? fault_errno(why, text_error(out), "network") : 0;
}
