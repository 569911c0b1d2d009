/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "netplan/netplan.h"

/*
 * A node's own network: text. Rendering refuses it and adds nothing, or gives YAML; and what
 * libnetplan takes as it is, it takes with our additions.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* The libraries' own: they forget some of what they had read when they find an error. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libnetplan\nleak:libglib\nleak:libfyaml\n";
}

/* The text as netplan's file, without what we add; false when it is no YAML. */
static bool wrap(const char *own, struct text *out)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };

	if (yaml_parse(own, strlen(own), &tree, &error) < 0)
		return false;
	text_add(out, "network:\n  renderer: networkd\n  version: 2\n");
	if (tree.n_items > 0)
		yaml_emit(&tree, 2, out);
	return true;
}

static void configure(struct netplan_config *c, struct net_ip *nameserver,
		      struct netplan_route *route)
{
	if (net_mac_parse("52:54:00:00:00:32", &c->mac) < 0 ||
	    net_cidr_parse("192.168.10.50/24", &c->address) < 0 ||
	    net_ip_parse("192.168.10.1", &c->gateway) < 0 ||
	    net_ip_parse("192.168.10.2", nameserver) < 0 ||
	    net_cidr_parse("10.244.101.0/24", &route->to) < 0 ||
	    net_ip_parse("192.168.10.101", &route->via) < 0)
		__builtin_trap();
	c->nameservers = nameserver;
	c->n_nameservers = 1;
	c->routes = route;
	c->n_routes = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(text_done) struct text own = { 0 };
	scoped(text_done) struct text plain = { 0 };
	scoped(text_done) struct text out = { 0 };
	scoped(yaml_done) struct yaml tree = { 0 };
	struct netplan_config config = { 0 };
	struct netplan_route route;
	struct net_ip nameserver;
	struct yaml_error error = { 0 };
	struct fault why = { 0 };

	text_add_n(&own, (const char *)data, size);
	configure(&config, &nameserver, &route);
	config.own = text_str(&own);
	if (netplan_render(&config, &out, &why) < 0) {
		if (out.len > 0 || why.code == 0)
			__builtin_trap();
		return 0;
	}
	if (yaml_parse(text_str(&out), out.len, &tree, &error) < 0)
		__builtin_trap();
	if (wrap(text_str(&own), &plain) && netplan_lint(text_str(&plain), &why) == 0 &&
	    netplan_lint(text_str(&out), &why) < 0)
		__builtin_trap();
	return 0;
}
