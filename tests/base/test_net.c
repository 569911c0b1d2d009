/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/net.h"

static struct net_ip ip_of(const char *s)
{
	struct net_ip ip = { 0 };

	if (*s && net_ip_parse(s, &ip) < 0)
		fail_msg("'%s' was not taken", s);
	return ip;
}

static struct net_cidr cidr_of(const char *s)
{
	struct net_cidr cidr = { 0 };

	if (*s && net_cidr_parse(s, &cidr) < 0)
		fail_msg("'%s' was not taken", s);
	return cidr;
}

/* Good forms with their canonical text; NULL: refused. */
struct form {
	const char *from, *text;
};

static const struct form ips[] = {
	{ "0.0.0.0", "0.0.0.0" },
	{ "255.255.255.255", "255.255.255.255" },
	{ "192.168.10.101", "192.168.10.101" },
	{ "::", "::" },
	{ "::1", "::1" },
	{ "1::", "1::" },
	{ "2001:DB8::A", "2001:db8::a" },
	{ "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
	{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
	{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
	{ "1:0:0:4:0:0:0:8", "1:0:0:4::8" },
	{ "::ffff:192.168.10.1", "::ffff:192.168.10.1" },
	{ "::ffff:c0a8:a01", "::ffff:192.168.10.1" },
	{ "64:ff9b::1.2.3.4", "64:ff9b::102:304" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "", NULL },
	{ ".", NULL },
	{ "1", NULL },
	{ "1.2.3", NULL },
	{ "1.2.3.4.5", NULL },
	{ "1.2.3.", NULL },
	{ ".1.2.3", NULL },
	{ "1..2.3", NULL },
	{ "1.2.3.256", NULL },
	{ "1.2.3.1000", NULL },
	{ "01.2.3.4", NULL },
	{ "1.2.3.04", NULL },
	{ "1.2.3.00", NULL },
	{ "0x1.2.3.4", NULL },
	{ "-1.2.3.4", NULL },
	{ "+1.2.3.4", NULL },
	{ " 1.2.3.4", NULL },
	{ "1.2.3.4 ", NULL },
	{ "1.2.3.4\n", NULL },
	{ "1.2.3.4/24", NULL },
	{ "3232238081", NULL },
	{ "localhost", NULL },
	{ ":", NULL },
	{ ":::", NULL },
	{ ":1", NULL },
	{ "1:", NULL },
	{ "1::2::3", NULL },
	{ "1:2:3:4:5:6:7", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL },
	{ "1:2:3:4:5:6:7:8::", NULL },
	{ "12345::", NULL },
	{ "g::", NULL },
	{ "::1%eth0", NULL },
	{ "fe80::1%1", NULL },
	{ "[::1]", NULL },
	{ "::ffff:1.2.3", NULL },
	{ "::ffff:1.2.3.256", NULL },
	{ "::ffff:01.2.3.4", NULL },
	{ "::1.2.3.4:1", NULL },
	{ "::1/64", NULL },
};

static const struct form cidrs[] = {
	{ "0.0.0.0/0", "0.0.0.0/0" },
	{ "192.168.10.5/24", "192.168.10.5/24" },
	{ "10.0.0.1/32", "10.0.0.1/32" },
	{ "::/0", "::/0" },
	{ "2001:DB8::1/128", "2001:db8::1/128" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128",
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128" },
	{ "", NULL },
	{ "/", NULL },
	{ "/24", NULL },
	{ "10.0.0.0", NULL },
	{ "10.0.0.0/", NULL },
	{ "10.0.0.0/33", NULL },
	{ "10.0.0.0/024", NULL },
	{ "10.0.0.0/00", NULL },
	{ "10.0.0.0/+8", NULL },
	{ "10.0.0.0/-1", NULL },
	{ "10.0.0.0/ 8", NULL },
	{ "10.0.0.0/8 ", NULL },
	{ "10.0.0.0/8/8", NULL },
	{ "10.0.0.0/4294967304", NULL },
	{ "10.0.0.0/255.0.0.0", NULL },
	{ "10.0.0/8", NULL },
	{ "010.0.0.0/8", NULL },
	{ "::/129", NULL },
	{ "::/1000", NULL },
	{ "fe80::1%eth0/64", NULL },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555/128", NULL },
	{ "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/1", NULL },
};

static const struct form macs[] = {
	{ "52:54:00:00:00:32", "52:54:00:00:00:32" },
	{ "D8-5E-D3-00-00-1E", "d8:5e:d3:00:00:1e" },
	{ "aA:bB:cC:dD:eE:fF", "aa:bb:cc:dd:ee:ff" },
	{ "", NULL },
	{ "52:54:00:00:00", NULL },
	{ "52:54:00:00:00:3", NULL },
	{ "52:54:00:00:00:32:", NULL },
	{ "52:54:00:00:00:032", NULL },
	{ "5:54:00:00:00:0032", NULL },
	{ "52:54:00:00:00-32", NULL },
	{ "52-54:00-00:00-32", NULL },
	{ "52.54.00.00.00.32", NULL },
	{ "525400000032", NULL },
	{ "5254.0000.0032", NULL },
	{ "52:54:00:00:00:3g", NULL },
	{ "52:54:00:00:00: 3", NULL },
	{ "52:54:00:00:00:\x13\x13", NULL },
	{ "@2:54:00:00:00:32", NULL },
};

static int ip_form(const char *from, char *ret_text)
{
	struct net_ip ip = { .family = 77 };
	int r = net_ip_parse(from, &ip);

	if (r < 0)
		assert_int_equal(ip.family, 77); /* untouched */
	else
		net_ip_text(&ip, ret_text);
	return r;
}

static int cidr_form(const char *from, char *ret_text)
{
	struct net_cidr cidr = { .prefix = 777 };
	int r = net_cidr_parse(from, &cidr);

	if (r < 0)
		assert_int_equal(cidr.prefix, 777);
	else
		net_cidr_text(&cidr, ret_text);
	return r;
}

static int mac_form(const char *from, char *ret_text)
{
	struct net_mac mac = { .bytes = { 7 } };
	int r = net_mac_parse(from, &mac);

	if (r < 0)
		assert_int_equal(mac.bytes[0], 7);
	else
		net_mac_text(&mac, ret_text);
	return r;
}

static void walk(const struct form *forms, size_t n, int (*parse)(const char *, char *))
{
	for (; n-- > 0; forms++) {
		char text[NET_CIDR_LEN] = "";
		char again[NET_CIDR_LEN] = "";
		int r = parse(forms->from, text);

		if (r != (forms->text ? 0 : -EINVAL))
			fail_msg("'%s': %d", forms->from, r);
		if (!forms->text)
			continue;
		assert_string_equal(text, forms->text);
		assert_int_equal(parse(text, again), 0);
		assert_string_equal(again, text);
	}
}

static void test_takes_strict_forms_only(void **s)
{
	(void)s;
	walk(ips, sizeof(ips) / sizeof(*ips), ip_form);
	walk(cidrs, sizeof(cidrs) / sizeof(*cidrs), cidr_form);
	walk(macs, sizeof(macs) / sizeof(*macs), mac_form);
}

static void test_compares_values_not_spellings(void **s)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "10.0.0.1", "10.0.0.1", true },
		{ "10.0.0.1", "10.0.0.2", false },
		{ "2001:db8::1", "2001:DB8:0:0::0001", true },
		{ "::ffff:10.0.0.1", "10.0.0.1", false },
		{ "::", "0.0.0.0", false },
		{ "::1", "::2", false },
		{ "", "", true },
		{ "", "0.0.0.0", false },
	};
	struct net_mac a, b;

	(void)s;
	CASES (c, cases) {
		struct net_ip x = ip_of(c->a), y = ip_of(c->b);

		assert_int_equal(net_ip_equal(&x, &y), c->equal);
		assert_int_equal(net_ip_equal(&y, &x), c->equal);
	}
	assert_int_equal(net_mac_parse("aa:bb:cc:dd:ee:ff", &a), 0);
	assert_int_equal(net_mac_parse("AA-BB-CC-DD-EE-FF", &b), 0);
	assert_true(net_mac_equal(&a, &b));
	b.bytes[5]--;
	assert_false(net_mac_equal(&a, &b));
}

static void test_no_address_is_empty_text(void **s)
{
	struct net_ip none = { 0 };
	char buf[NET_IP_LEN] = "x";

	(void)s;
	assert_string_equal(net_ip_text(&(struct net_ip){ .family = AF_UNIX }, buf), "");
	assert_ptr_equal(net_ip_text(&none, buf), buf);
	assert_string_equal(buf, "");
}

static void test_contains_and_host(void **s)
{
	static const struct {
		const char *cidr, *ip;
		bool contains;
		uint64_t host;
	} cases[] = {
		{ "192.168.10.0/24", "192.168.10.0", true, 0 },
		{ "192.168.10.0/24", "192.168.10.101", true, 101 },
		{ "192.168.10.77/24", "192.168.10.255", true, 255 },
		{ "192.168.10.0/24", "192.168.11.0", false, 0 },
		{ "192.168.10.0/24", "192.168.9.255", false, 255 },
		{ "10.0.0.0/30", "10.0.0.3", true, 3 },
		{ "10.0.0.0/30", "10.0.0.4", false, 0 },
		{ "10.0.0.0/9", "10.127.255.255", true, 0x7fffff },
		{ "10.0.0.0/9", "10.128.0.0", false, 0 },
		{ "10.0.0.1/32", "10.0.0.1", true, 0 },
		{ "10.0.0.1/32", "10.0.0.0", false, 0 },
		{ "0.0.0.0/0", "255.255.255.255", true, 0xffffffff },
		{ "2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", true, UINT64_MAX },
		{ "2001:db8::/64", "2001:db8:0:1::", false, 0 },
		{ "2001:db8::/63", "2001:db8:0:1::", true, UINT64_MAX },
		{ "2001:db8::/32", "2001:db8::5", true, 5 },
		{ "::/0", "::8000:0:0:0", true, UINT64_C(1) << 63 },
		{ "::/0", "0:0:0:1::", true, UINT64_MAX },
		{ "::/0", "ffff::", true, UINT64_MAX },
	};

	(void)s;
	CASES (c, cases) {
		struct net_cidr cidr = cidr_of(c->cidr);
		struct net_ip ip = ip_of(c->ip);

		if (net_cidr_contains(&cidr, &ip) != c->contains)
			fail_msg("%s in %s", c->ip, c->cidr);
		if (net_cidr_host(&cidr, &ip) != c->host)
			fail_msg("%s of %s: %ju", c->ip, c->cidr,
				 (uintmax_t)net_cidr_host(&cidr, &ip));
	}
}

static void test_a_name_that_ends_in_a_number_is_numeric(void **s)
{
	static const struct {
		const char *name;
		bool numeric;
	} cases[] = {
		{ "10", true },	  { "10.0.0.1", true }, { "rack.7", true },  { "", false },
		{ "n10", false }, { "10n", false },	{ "7.rack", false }, { "7.", false },
	};

	(void)s;
	CASES (c, cases)
		if (net_name_is_numeric(c->name) != c->numeric)
			fail_msg("%s", c->name);
}

static void test_overlaps_either_way_round(void **s)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} cases[] = {
		{ "10.0.0.0/8", "10.244.0.0/16", true },
		{ "10.244.0.0/16", "10.244.0.0/16", true },
		{ "10.244.7.1/16", "10.244.200.0/24", true },
		{ "10.96.0.0/12", "10.111.255.255/32", true },
		{ "10.96.0.0/12", "10.112.0.0/12", false },
		{ "192.168.10.0/25", "192.168.10.128/25", false },
		{ "0.0.0.0/0", "1.2.3.4/32", true },
		{ "0.0.0.0/0", "::/0", false },
		{ "::/0", "2001:db8::/32", true },
		{ "2001:db8::/33", "2001:db8:8000::/33", false },
		{ "", "", false }, /* two that were never given */
		{ "", "0.0.0.0/0", false },
	};

	(void)s;
	CASES (c, cases) {
		struct net_cidr a = cidr_of(c->a), b = cidr_of(c->b);

		if (net_cidr_overlaps(&a, &b) != c->overlap ||
		    net_cidr_overlaps(&b, &a) != c->overlap)
			fail_msg("'%s' and '%s'", c->a, c->b);
	}
}

static void test_first_and_last(void **s)
{
	static const struct {
		const char *cidr, *first, *last;
	} cases[] = {
		{ "192.168.10.101/24", "192.168.10.0", "192.168.10.255" },
		{ "10.100.1.1/12", "10.96.0.0", "10.111.255.255" },
		{ "10.0.0.5/31", "10.0.0.4", "10.0.0.5" },
		{ "10.0.0.5/32", "10.0.0.5", "10.0.0.5" },
		{ "1.2.3.4/0", "0.0.0.0", "255.255.255.255" },
		{ "2001:db8::1234/61", "2001:db8::", "2001:db8:0:7:ffff:ffff:ffff:ffff" },
		{ "::1/128", "::1", "::1" },
		{ "::1/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};

	(void)s;
	CASES (c, cases) {
		struct net_cidr cidr = cidr_of(c->cidr);
		struct net_ip first = net_cidr_first(&cidr), last = net_cidr_last(&cidr);
		char text[NET_IP_LEN];

		assert_string_equal(net_ip_text(&first, text), c->first);
		assert_string_equal(net_ip_text(&last, text), c->last);
	}
}

static void test_add_carries_and_wraps(void **s)
{
	static const struct {
		const char *base;
		uint64_t n;
		const char *want;
	} cases[] = {
		{ "10.0.0.0", 0, "10.0.0.0" },
		{ "10.0.0.255", 1, "10.0.1.0" },
		{ "10.255.255.255", 1, "11.0.0.0" },
		{ "10.96.0.0", 10, "10.96.0.10" },
		{ "255.255.255.255", 1, "0.0.0.0" },
		{ "1.2.3.4", UINT64_C(1) << 32, "1.2.3.4" },
		{ "::", UINT64_MAX, "::ffff:ffff:ffff:ffff" },
		{ "::ffff:ffff:ffff:ffff", 1, "0:0:0:1::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 2, "::1" },
	};

	(void)s;
	CASES (c, cases) {
		struct net_ip base = ip_of(c->base);
		struct net_ip sum = net_ip_add(&base, c->n);
		char text[NET_IP_LEN];

		assert_string_equal(net_ip_text(&sum, text), c->want);
	}
}

static void test_bits(void **s)
{
	struct net_ip four = ip_of("1.2.3.4"), six = ip_of("::");

	(void)s;
	assert_int_equal(net_ip_bits(&four), 32);
	assert_int_equal(net_ip_bits(&six), 128);
	assert_int_equal(four.family, AF_INET);
	assert_int_equal(six.family, AF_INET6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_strict_forms_only),
		cmocka_unit_test(test_compares_values_not_spellings),
		cmocka_unit_test(test_no_address_is_empty_text),
		cmocka_unit_test(test_contains_and_host),
		cmocka_unit_test(test_a_name_that_ends_in_a_number_is_numeric),
		cmocka_unit_test(test_overlaps_either_way_round),
		cmocka_unit_test(test_first_and_last),
		cmocka_unit_test(test_add_carries_and_wraps),
		cmocka_unit_test(test_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
