/* SPDX-License-Identifier: MIT */
#include "cluster/parse.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macros.h"
#include "base/text.h"

/*
 * Addresses that were written in a way we refuse are complained of, and still taken for what they
 * mean, so that the same run finds the other faults: twice given, outside, and so on.
 */

static void *field(void *object, const struct parse_key *key)
{
	return (char *)object + key->offset;
}

/* "192.168.010.001" without the zeros; false when it is not four short numbers. */
static bool strip_zeros(const char *s, char out[static NET_IP_LEN])
{
	size_t parts = 0, at = 0;

	for (;;) {
		size_t n = strspn(s, "0123456789");
		size_t zeros = strspn(s, "0");

		if (n == 0 || n > 3 || ++parts > 4)
			return false;
		zeros = zeros == n ? n - 1 : zeros;
		memcpy(out + at, s + zeros, n - zeros);
		at += n - zeros;
		s += n;
		if (*s != '.')
			break;
		out[at++] = *s++;
	}
	out[at] = '\0';
	return !*s && parts == 4;
}

/* ::ffff:192.168.10.50 is 192.168.10.50 in disguise. */
static bool unmap(struct net_ip *ip)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
	struct net_ip v4 = { .family = AF_INET };

	if (ip->family != AF_INET6 || memcmp(ip->bytes, prefix, sizeof(prefix)) != 0)
		return false;
	memcpy(v4.bytes, ip->bytes + sizeof(prefix), 4);
	*ip = v4;
	return true;
}

/* Takes s for an address; *ret_odd says what is odd about how it is written, NULL when nothing. */
static bool read_ip(const char *s, struct net_ip *ret, const char **ret_odd)
{
	char buf[NET_IP_LEN];

	*ret_odd = NULL;
	if (net_ip_parse(s, ret) == 0) {
		if (unmap(ret))
			*ret_odd = "is an IPv4 address in IPv6 dress";
		return true;
	}
	if (!strip_zeros(s, buf) || net_ip_parse(buf, ret) < 0)
		return false;
	*ret_odd = "has leading zeros, which some programs read as octal";
	return true;
}

static void odd_ip(struct parse *p, const struct yaml *y, const struct net_ip *ip, const char *odd)
{
	char hint[NET_IP_LEN + 8], buf[NET_IP_LEN];

	snprintf(hint, sizeof(hint), "write %s", net_ip_text(ip, buf));
	parse_complain(p, y, "address-form", hint, "%s: '%.128s' %s", p->key, y->text, odd);
}

static bool take_ip(struct parse *p, const struct yaml *y, struct net_ip *ret)
{
	const char *s = parse_scalar(p, y);
	char address[NET_IP_LEN];
	struct net_ip ip = { 0 };
	const char *odd;
	size_t n;

	if (!s)
		return false;
	n = strcspn(s, "/");
	if (read_ip(s, &ip, &odd)) {
		if (odd)
			odd_ip(p, y, &ip, odd);
		*ret = ip;
		return true;
	}
	snprintf(address, sizeof(address), "%.*s", (int)(n < sizeof(address) ? n : 0), s);
	if (s[n] && read_ip(address, &ip, &odd)) {
		odd_ip(p, y, &ip, "has a prefix length, which belongs to the network's subnet");
		*ret = ip;
		return true;
	}
	parse_complain(p, y, "address-form", NULL, "%s: '%.128s' is not an IP address", p->key, s);
	return false;
}

PARSE_READER(parse_ip)
{
	take_ip(p, y, field(object, key));
}

/* Whether y is a list; an empty key is none, and no mistake. */
static bool is_list(struct parse *p, const struct yaml *y)
{
	if (y->kind == YAML_SCALAR) {
		parse_complain(p, y, "type", "put it into brackets: [ ]", "%s must be a list",
			       p->key);
		return false;
	}
	return y->kind != YAML_NULL && parse_expect(p, y, YAML_SEQUENCE);
}

PARSE_READER(parse_ips)
{
	struct {
		struct net_ip *list;
		size_t n;
	} *ret = field(object, key);
	size_t i;

	if (!is_list(p, y))
		return;
	ret->list = parse_alloc(p, y->n_items, sizeof(*ret->list));
	for (i = 0; i < y->n_items && ret->list; i++)
		ret->n += take_ip(p, &y->items[i], &ret->list[ret->n]);
}

/* ADDRESS/PREFIX from s, as read_ip() for the address. */
static bool read_network(const char *s, struct net_cidr *ret, const char **ret_odd)
{
	char text[NET_CIDR_LEN + 16];
	char address[NET_IP_LEN];
	char canonical[NET_IP_LEN];
	size_t n = strcspn(s, "/");

	*ret_odd = NULL;
	if (!s[n] || n >= sizeof(address) || strlen(s + n) > 8)
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)n, s);
	if (!read_ip(address, &ret->ip, ret_odd))
		return false;
	snprintf(text, sizeof(text), "%s%s", net_ip_text(&ret->ip, canonical), s + n);
	return net_cidr_parse(text, ret) == 0;
}

static bool take_network(struct parse *p, const struct yaml *y, struct net_cidr *ret)
{
	const char *s = parse_scalar(p, y);
	struct net_cidr cidr = { 0 };
	char hint[NET_CIDR_LEN + 8], buf[NET_CIDR_LEN];
	const char *odd = NULL;
	struct net_ip first;

	if (!s)
		return false;
	if (!read_network(s, &cidr, &odd)) {
		parse_complain(p, y, "network-form", "ADDRESS/PREFIX, such as 192.168.10.0/24",
			       "%s: '%.128s' is not a network%s", p->key, s,
			       strchr(s, '/') ? "" : ": it has no prefix length");
		return false;
	}
	first = net_cidr_first(&cidr);
	if (!odd && !net_ip_equal(&first, &cidr.ip))
		odd = "has bits set behind its prefix";
	cidr.ip = first;
	snprintf(hint, sizeof(hint), "write %s", net_cidr_text(&cidr, buf));
	if (odd)
		parse_complain(p, y, "network-form", hint, "%s: '%.128s' %s", p->key, s, odd);
	*ret = cidr;
	return true;
}

PARSE_READER(parse_network)
{
	take_network(p, y, field(object, key));
}

PARSE_READER(parse_networks)
{
	struct model_networks *ret = field(object, key);
	size_t i;

	if (!is_list(p, y))
		return;
	ret->list = parse_alloc(p, y->n_items, sizeof(*ret->list));
	ret->mark = parse_mark(y);
	for (i = 0; i < y->n_items && ret->list; i++)
		ret->n += take_network(p, &y->items[i], &ret->list[ret->n]);
}

/* Adds one group of hex digits, filled up with zeros to its width; returns its length, or 0. */
static size_t add_group(const char *s, size_t width, char digits[static 13])
{
	size_t n = strspn(s, "0123456789abcdefABCDEF");
	size_t at = strlen(digits);

	/* Only pairs may be short: "52:54:0:a:b:c". */
	if (n == 0 || n > width || (width != 2 && n != width) || at + width > 12)
		return 0;
	snprintf(digits + at, 13 - at, "%s%.*s", n < width ? "0" : "", (int)n, s);
	return n;
}

/*
 * A MAC in any spelling that is in use: 52:54:0:a:b:c, 5254.000a.0b0c, 5254000a0b0c. Writes the
 * canonical one.
 */
static bool tidy_mac(const char *s, char out[static NET_MAC_LEN], struct net_mac *ret)
{
	size_t width = strchr(s, '.') ? 4 : strpbrk(s, ":-") ? 2 : 12;
	char digits[13] = "";
	size_t i;

	for (;;) {
		size_t n = add_group(s, width, digits);

		s += n;
		if (n == 0 || (*s && !strchr(":-.", *s)))
			return false;
		if (!*s)
			break;
		s++;
	}
	if (strlen(digits) != 12)
		return false;
	for (i = 0; i < 6; i++)
		snprintf(out + 3 * i, 4, "%.2s%s", digits + 2 * i, i < 5 ? ":" : "");
	return net_mac_parse(out, ret) == 0;
}

PARSE_READER(parse_mac)
{
	struct {
		struct net_mac mac;
		bool given;
	} *ret = field(object, key);
	static const struct net_mac none;
	const char *s = parse_scalar(p, y);
	char tidy[NET_MAC_LEN];
	char hint[NET_MAC_LEN + 8];

	if (!s)
		return;
	if (net_mac_parse(s, &ret->mac) < 0) {
		bool meant = tidy_mac(s, tidy, &ret->mac);

		snprintf(hint, sizeof(hint), "write \"%s\"", meant ? tidy : "52:54:00:00:00:32");
		parse_complain(p, y, "mac-form",
			       meant ? hint : "six pairs of hex digits: \"52:54:00:00:00:32\"",
			       "%s: '%.128s' is not a MAC address as it is written here", p->key,
			       s);
		ret->given = true;
		if (!meant)
			return;
	}
	ret->given = true;
	if (net_mac_equal(&ret->mac, &none))
		parse_complain(p, y, "mac-zero", NULL, "%s: '%s' is the address of nothing", p->key,
			       s);
	else if (ret->mac.bytes[0] & 1)
		parse_complain(p, y, "mac-group", "the first byte of a card's own address is even",
			       "%s: '%s' is a group address (multicast), not one card's", p->key,
			       s);
}
