/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/run.h"
#include "base/yaml.h"
#include "netplan/netplan.h"

static struct net_ip ip(const char *s)
{
	struct net_ip ip = { 0 };

	if (s)
		assert_int_equal(net_ip_parse(s, &ip), 0);
	return ip;
}

static struct net_cidr cidr(const char *s)
{
	struct net_cidr cidr;

	assert_int_equal(net_cidr_parse(s, &cidr), 0);
	return cidr;
}

/* One node's network as a row; the rest is the same for all. */
struct row {
	const char *name, *address, *gateway, *nameservers[3];
	const char *routes[3][2];
	const char *own;
};

static const struct row rows[] = {
	{ .name = "plain",
	  .address = "192.168.10.50/24",
	  .gateway = "192.168.10.1",
	  .nameservers = { "192.168.10.1", "1.1.1.1" },
	  .routes = { { "10.244.101.0/24", "192.168.10.101" },
		      { "10.244.30.0/24", "192.168.10.30" } } },
	{ .name = "lonely", .address = "10.0.0.1/8" },
	{ .name = "ipv6",
	  .address = "2001:db8::50/64",
	  .gateway = "fe80::1",
	  .nameservers = { "2001:db8::1" },
	  .routes = { { "fd00:10:1::/64", "2001:db8::51" } } },
	{ .name = "bond",
	  .address = "192.168.10.50/24",
	  .gateway = "192.168.10.1",
	  .nameservers = { "192.168.10.1" },
	  .routes = { { "10.244.101.0/24", "192.168.10.101" } },
	  .own = "ethernets:\n"
		 "  nic0: {match: {macaddress: \"52:54:00:00:00:32\"}}\n"
		 "  nic1: {match: {macaddress: \"52:54:00:00:00:33\"}}\n"
		 "bonds:\n"
		 "  bond0:\n"
		 "    interfaces: [nic0, nic1]\n"
		 "    parameters: {mode: 802.3ad, mii-monitor-interval: 100}\n"
		 "    mtu: 9000\n"
		 "    addresses: [192.168.10.50/24, 192.168.11.50/24]\n" },
	{ .name = "vlan",
	  .address = "192.168.10.50/24",
	  .gateway = "192.168.10.1",
	  .nameservers = { "192.168.10.1" },
	  .routes = { { "10.244.101.0/24", "192.168.10.101" },
		      { "10.244.30.0/24", "192.168.10.30" } },
	  .own = "{version: 2, renderer: networkd,\n"
		 " ethernets: {trunk: {match: {macaddress: '52:54:00:00:00:32'}, mtu: 9000}},\n"
		 " vlans: {\n"
		 "  storage: {id: 20, link: trunk, addresses: [10.20.0.50/24]},\n"
		 "  cluster: {id: 10, link: trunk, addresses: ['192.168.10.50/24'],\n"
		 "   routes: [{to: 10.244.101.0/24, via: 192.168.10.7, metric: 7}]}}}\n" },
	/* What it says itself is left alone: default route elsewhere, name servers of its own. */
	{ .name = "says-it-all",
	  .address = "192.168.10.50/24",
	  .gateway = "192.168.10.1",
	  .nameservers = { "192.168.10.1" },
	  .own = "ethernets:\n"
		 "  up:\n"
		 "    match: {macaddress: \"52:54:00:00:00:33\"}\n"
		 "    addresses: [203.0.113.5/24]\n"
		 "    routes: [{to: 0.0.0.0/0, via: 203.0.113.1}]\n"
		 "  in:\n"
		 "    match: {macaddress: \"52:54:00:00:00:32\"}\n"
		 "    addresses:\n"
		 "    - 192.168.10.50/24: {lifetime: 0}\n"
		 "    nameservers: {addresses: [9.9.9.9], search: [lab.example]}\n" },
	{ .name = "bridge",
	  .address = "192.168.10.50/24",
	  .gateway = "192.168.10.1",
	  .own = "ethernets: {nic0: {match: {macaddress: \"52:54:00:00:00:32\"}}}\n"
		 "bridges: {br0: {interfaces: [nic0], addresses: [192.168.10.50/24],\n"
		 " parameters: {stp: false}}}\n" },
};

static int render(const struct row *row, struct text *out, struct fault *why)
{
	struct netplan_config config = { .address = cidr(row->address),
					 .gateway = ip(row->gateway),
					 .own = row->own };
	struct netplan_route routes[3];
	struct net_ip nameservers[3];

	assert_int_equal(net_mac_parse("52:54:00:00:00:32", &config.mac), 0);
	while (config.n_nameservers < 3 && row->nameservers[config.n_nameservers]) {
		nameservers[config.n_nameservers] = ip(row->nameservers[config.n_nameservers]);
		config.n_nameservers++;
	}
	while (config.n_routes < 3 && row->routes[config.n_routes][0]) {
		routes[config.n_routes].to = cidr(row->routes[config.n_routes][0]);
		routes[config.n_routes].via = ip(row->routes[config.n_routes][1]);
		config.n_routes++;
	}
	config.nameservers = nameservers;
	config.routes = routes;
	return netplan_render(&config, out, why);
}

static void test_renders_what_libnetplan_accepts(void **state)
{
	(void)state;
	CASES (row, rows) {
		struct text out = { 0 };
		struct fault why = { 0 };
		char golden[64];

		assert_int_equal(render(row, &out, &why), 0);
		snprintf(golden, sizeof(golden), "netplan/%s.yaml", row->name);
		assert_golden(golden, text_str(&out));
		if (netplan_lint(text_str(&out), &why) < 0)
			fail_msg("%s: %s", row->name, why.text);
		text_done(&out);
	}
}

static void test_own_text_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *own, *text;
	} cases[] = {
		{ "[a]", "is no mapping" },
		{ "7", "is no mapping" },
		{ "{}", "no device has the node's address 192.168.10.50" },
		{ "ethernets: {a: {addresses: [192.168.10.51/24]}}", "no device" },
		{ "openvswitch: {a: {addresses: [192.168.10.50/24]}}", "no device" },
		{ "version: 1", "netplan's format is 2" },
		{ "version: [2]", "netplan's format is 2" },
		{ "renderer: NetworkManager", "networkd only" },
		{ "renderer: [networkd]", "networkd only" },
		{ "ethernets: {a: {addresses: 192.168.10.50/24}}", "no device" },
		{ "ethernets: {a: {addresses: [{}, ~, 192.168.10.50]}}", "no device" },
		{ "ethernets: {a: {routes: {to: default}}}", "'a': routes is no list" },
		{ "ethernets: {", "this is no YAML" },
		{ "a: &x 1\nb: *x", "anchors" },
	};

	(void)state;
	CASES (c, cases) {
		struct row row = { .address = "192.168.10.50/24", .own = c->own };
		struct text out = { 0 };
		struct fault why = { 0 };

		assert_int_equal(render(&row, &out, &why), -EINVAL);
		assert_string_equal(text_str(&out), "");
		if (!strstr(why.text, c->text))
			fail_msg("'%s' gives '%s'", c->own, why.text);
		text_done(&out);
	}
}

/* The one device of a node's own network as YAML, with what we add to it. */
static void device(const char *address, const char *gateway, const char *says, struct yaml *tree)
{
	struct text own = { 0 }, out = { 0 };
	struct row row = { .address = address,
			   .gateway = gateway,
			   .routes = { { "10.7.0.0/16", "192.168.10.7" },
				       { "10.8.0.0/16", "192.168.10.8" } } };
	struct yaml_error error = { 0 };
	struct fault why = { 0 };

	text_addf(&own, "ethernets: {a: {addresses: [\"%s\"], %s}}", address, says);
	row.own = text_str(&own);
	if (render(&row, &out, &why) < 0)
		fail_msg("%s: %s", says, why.text);
	assert_int_equal(yaml_parse(text_str(&out), out.len, tree, &error), 0);
	text_done(&own);
	text_done(&out);
}

/* How many of its routes go there through that. */
static size_t routes_through(const struct yaml *tree, const char *to, const char *via)
{
	const struct yaml *a = yaml_get(yaml_get(yaml_get(tree, "network"), "ethernets"), "a");
	const struct yaml *list = yaml_get(a, "routes");
	size_t n = 0, i;

	for (i = 0; list && i < list->n_items; i++) {
		const char *has_to = yaml_text(yaml_get(&list->items[i], "to"));
		const char *has_via = yaml_text(yaml_get(&list->items[i], "via"));

		n += has_to && has_via && strcmp(has_to, to) == 0 && strcmp(has_via, via) == 0;
	}
	return n;
}

static void test_a_default_route_of_its_own_is_known(void **state)
{
#define FOUR "192.168.10.50/24", "192.168.10.1"
#define SIX "fd00::50/64", "fd00::1"
	static const struct {
		const char *address, *gateway, *says;
		bool ours; /* our gateway is added */
	} cases[] = {
		{ FOUR, "mtu: 9000", true },
		{ FOUR, "routes: ~", true },
		{ FOUR, "routes: []", true },
		{ FOUR, "routes: [{to: default, via: 192.168.10.9}]", false },
		{ FOUR, "routes: [{to: default, scope: link}]", false },
		{ FOUR, "routes: [{to: default, via: nonsense}]", false },
		{ FOUR, "routes: [{to: default, via: \"fd00::9\"}]", true },
		{ FOUR, "routes: [{to: default, via: 192.168.10.9, table: 7}]", true },
		{ FOUR, "routes: [{to: 0.0.0.0/0, via: 192.168.10.9}]", false },
		{ FOUR, "routes: [{to: \"::/0\", via: \"fd00::9\"}]", true },
		{ FOUR, "routes: [{to: 10.0.0.0/8, via: 192.168.10.9}]", true },
		{ FOUR, "routes: [{to: nonsense, via: 192.168.10.9}]", true },
		{ FOUR, "routes: [{via: 192.168.10.9}]", true },
		{ FOUR, "gateway4: 192.168.10.9", false },
		{ FOUR, "gateway6: \"fd00::9\"", true },
		{ SIX, "gateway6: \"fd00::9\"", false },
		{ SIX, "gateway4: 192.168.10.9", true },
		{ SIX, "routes: [{to: default, via: \"fd00::9\"}]", false },
	};
#undef FOUR
#undef SIX

	(void)state;
	CASES (c, cases) {
		scoped(yaml_done) struct yaml tree = { 0 };

		device(c->address, c->gateway, c->says, &tree);
		if (routes_through(&tree, "default", c->gateway) != c->ours)
			fail_msg("%s: %s", c->says, c->ours ? "no gateway" : "two gateways");
	}
}

static void test_a_route_that_it_has_is_not_added_again(void **state)
{
	static const struct {
		const char *says;
		bool ours;
	} cases[] = {
		{ "routes: [{to: 10.7.0.0/16, via: 192.168.10.9}]", false },
		{ "routes: [{to: 10.7.3.4/16, via: 192.168.10.9}]", false },
		{ "routes: [{to: 10.7.0.0/17, via: 192.168.10.9}]", true },
		{ "routes: [{to: 10.6.0.0/16, via: 192.168.10.9}]", true },
		{ "routes: [{to: nonsense, via: 192.168.10.9}, {via: 192.168.10.9}, 7]", true },
		{ "routes: ~", true },
		{ "mtu: 9000", true },
	};

	(void)state;
	CASES (c, cases) {
		scoped(yaml_done) struct yaml tree = { 0 };

		device("192.168.10.50/24", NULL, c->says, &tree);
		assert_int_equal(routes_through(&tree, "10.7.0.0/16", "192.168.10.7"), c->ours);
		assert_int_equal(routes_through(&tree, "10.8.0.0/16", "192.168.10.8"), 1);
	}
}

/* Without a gateway and routes of ours there is a list of them only where it had one. */
static void test_devices_of_any_name_keep_it(void **state)
{
	static const struct {
		const char *own, *key;
		bool routes;
	} cases[] = {
		{ "ethernets: {a0: {addresses: [192.168.10.50/24]}}", "    a0:\n",
		  false },
		{ "ethernets: {\"a0\": {addresses: [192.168.10.50/24]}}", "    \"a0\":\n",
		  false },
		{ "ethernets: {-a: {addresses: [192.168.10.50/24]}}", "    \"-a\":\n",
		  false },
		{ "ethernets: {a b: {addresses: [192.168.10.50/24]}}", "    \"a b\":\n",
		  false },
		/* The first of two that have the address. */
		{ "ethernets: {x: {addresses: [192.168.10.50/24]},\n"
		  " y: {addresses: [192.168.10.50/24]}}",
		  "    x:\n", false },
		{ "ethernets: {a: {addresses: [192.168.10.50/24], routes: []}}", "    a:\n",
		  false },
		{ "ethernets: {a: {addresses: [192.168.10.50/24],\n"
		  " routes: [{to: 10.0.0.0/8, via: 192.168.10.9}]}}",
		  "        -\n          to: 10.0.0.0/8\n", true },
	};

	(void)state;
	CASES (c, cases) {
		struct row row = { .address = "192.168.10.50/24", .own = c->own };
		struct text out = { 0 };
		struct fault why = { 0 };

		assert_int_equal(render(&row, &out, &why), 0);
		if (!strstr(text_str(&out), c->key) ||
		    !strstr(text_str(&out), "routes:") == c->routes)
			fail_msg("'%s' gives\n%s", c->own, text_str(&out));
		text_done(&out);
	}
}

static void test_lint_tells_line_and_cause(void **state)
{
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(
		netplan_lint("network:\n  version: 2\n  ethernets:\n    a:\n      foo: 1\n", &why),
		-EINVAL);
	assert_string_equal(why.text, "netplan: line 5: unknown key 'foo'");
	assert_int_equal(netplan_lint("network:\n  version: 2\n  bonds:\n    b:\n"
				      "      interfaces: [none]\n",
				      &why),
			 -EINVAL);
	assert_non_null(strstr(why.text, "interface 'none' is not defined"));
	assert_int_equal(netplan_lint("network: [", &why), -EINVAL);
	assert_int_equal(netplan_lint("network: {version: 2}\n", &why), 0);
}

/* netplan's own generator, where it is installed: what networkd will really read. */
static const char *generator(void)
{
	static const char *const paths[] = { "/usr/libexec/netplan/generate",
					     "/lib/netplan/generate" };
	size_t i;

	for (i = 0; i < COUNT(paths); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return getenv("NETPLAN_GENERATE");
}

static int read_below(const char *root, const char *path, struct text *out)
{
	struct fault why = { 0 };
	scoped(drop_fd) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fs_read(fd, path, 1 << 16, out, &why);
}

static void generate(const struct row *row, const char *root)
{
	const char *argv[] = { generator(), "--root-dir", root, NULL };
	const struct run what = { .argv = argv };
	struct text yaml = { 0 };
	struct fault why = { 0 };
	scoped(drop_fd) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(render(row, &yaml, &why), 0);
	assert_int_equal(
		fs_write(fd, "etc/netplan/60-rackseed.yaml", 0600, yaml.data, yaml.len, &why),
		FS_CHANGED);
	if (run(&what, &why) < 0)
		fail_msg("%s", why.text);
	text_done(&yaml);
}

static void test_networkd_gets_what_was_meant(void **state)
{
	static const struct {
		const char *row, *file, *texts[8];
	} cases[] = {
		{ "plain",
		  "run/systemd/network/10-netplan-cluster0.network",
		  { "PermanentMACAddress=52:54:00:00:00:32", "LinkLocalAddressing=no",
		    "Address=192.168.10.50/24", "DNS=192.168.10.1",
		    "Destination=0.0.0.0/0\nGateway=192.168.10.1",
		    "Destination=10.244.101.0/24\nGateway=192.168.10.101" } },
		{ "ipv6",
		  "run/systemd/network/10-netplan-cluster0.network",
		  { "LinkLocalAddressing=ipv6", "Address=2001:db8::50/64",
		    "Destination=::/0\nGateway=fe80::1" } },
		{ "bond",
		  "run/systemd/network/10-netplan-bond0.network",
		  { "MTUBytes=9000", "Address=192.168.11.50/24", "Gateway=192.168.10.1" } },
		{ "bond", "run/systemd/network/10-netplan-bond0.netdev", { "Mode=802.3ad" } },
		{ "vlan",
		  "run/systemd/network/10-netplan-cluster.network",
		  { "Gateway=192.168.10.7", "Destination=10.244.30.0/24" } },
	};

	(void)state;
	if (!generator())
		skip();
	CASES (c, cases) {
		char root[] = "/tmp/test_netplan.XXXXXX";
		struct text out = { 0 };
		struct fault why = { 0 };
		size_t i;

		assert_non_null(mkdtemp(root));
		CASES (row, rows) {
			if (strcmp(row->name, c->row) == 0)
				generate(row, root);
		}
		assert_int_equal(read_below(root, c->file, &out), 0);
		for (i = 0; c->texts[i]; i++)
			if (!strstr(text_str(&out), c->texts[i]))
				fail_msg("%s lacks '%s':\n%s", c->file, c->texts[i], out.data);
		assert_null(strstr(text_str(&out), "DHCP="));
		text_done(&out);
		assert_true(fs_remove_tree(AT_FDCWD, root, &why) >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renders_what_libnetplan_accepts),
		cmocka_unit_test(test_own_text_is_refused_with_the_reason),
		cmocka_unit_test(test_a_default_route_of_its_own_is_known),
		cmocka_unit_test(test_a_route_that_it_has_is_not_added_again),
		cmocka_unit_test(test_devices_of_any_name_keep_it),
		cmocka_unit_test(test_lint_tells_line_and_cause),
		cmocka_unit_test(test_networkd_gets_what_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
