/* SPDX-License-Identifier: MIT */
#include "tests/memory.h"

#include "netplan/netplan.h"

/* A node's network, with each allocation refused in turn: a route that lacks is found far too late.
 */

static int render(size_t row, struct text *out)
{
	static const char *const own[] = {
		NULL,
		"bonds: {b: {interfaces: [x], addresses: [10.0.0.5/8], routes: [{to: 10.7.0.0/16, "
		"via: 10.0.0.7}]}}\n"
		"ethernets: {x: {match: {macaddress: \"52:54:00:00:00:32\"}}, \"y z\": {}}\n",
	};
	struct netplan_config c = { .own = own[row] };
	struct netplan_route route = { 0 };
	struct net_ip nameserver;
	struct fault why = { 0 };

	assert_int_equal(net_cidr_parse("10.0.0.5/8", &c.address), 0);
	assert_int_equal(net_ip_parse("10.0.0.1", &c.gateway), 0);
	assert_int_equal(net_cidr_parse("10.8.0.0/16", &route.to), 0);
	assert_int_equal(net_ip_parse("10.0.0.8", &route.via), 0);
	nameserver = c.gateway;
	c.nameservers = &nameserver;
	c.routes = &route;
	c.n_nameservers = c.n_routes = 1;
	return netplan_render(&c, out, &why);
}

static void test_a_network_that_lacks_something_is_none(void **state)
{
	(void)state;
	assert_refusals_are_told(render, 0);
	assert_refusals_are_told(render, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_network_that_lacks_something_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
