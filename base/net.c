/* SPDX-License-Identifier: MIT */
#include "base/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int net_ip_parse(const char *s, struct net_ip *ret_ip)
{
	struct net_ip ip = { .family = strchr(s, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(ip.family, s, ip.bytes) != 1)
		return -EINVAL;
	*ret_ip = ip;
	return 0;
}

unsigned net_ip_bits(const struct net_ip *ip)
{
	return ip->family == AF_INET6 ? 128 : 32;
}

int net_cidr_parse(const char *s, struct net_cidr *ret_cidr)
{
	const char *slash = strchr(s, '/');
	char address[NET_IP_LEN];
	struct net_cidr cidr = { 0 };
	size_t n;

	if (!slash || (size_t)(slash - s) >= sizeof(address))
		return -EINVAL;
	n = (size_t)(slash - s);
	memcpy(address, s, n);
	address[n] = '\0';
	if (net_ip_parse(address, &cidr.ip) < 0)
		return -EINVAL;
	n = strlen(++slash);
	if (n < 1 || n > 3 || strspn(slash, "0123456789") != n || (*slash == '0' && n > 1))
		return -EINVAL;
	for (; *slash; slash++)
		cidr.prefix = cidr.prefix * 10 + (unsigned)(*slash - '0');
	if (cidr.prefix > net_ip_bits(&cidr.ip))
		return -EINVAL;
	*ret_cidr = cidr;
	return 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int net_mac_parse(const char *s, struct net_mac *ret_mac)
{
	struct net_mac mac;
	char separator = 0;
	size_t i;

	if (strlen(s) != NET_MAC_LEN - 1)
		return -EINVAL;
	separator = s[2];
	if (separator != ':' && separator != '-')
		return -EINVAL;
	for (i = 0; i < 6; i++, s += 3) {
		if (hex(s[0]) < 0 || hex(s[1]) < 0 || (i < 5 && s[2] != separator))
			return -EINVAL;
		mac.bytes[i] = (uint8_t)(hex(s[0]) << 4 | hex(s[1]));
	}
	*ret_mac = mac;
	return 0;
}

bool net_name_is_numeric(const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *last = dot ? dot + 1 : name;

	return *last && !last[strspn(last, "0123456789")];
}

char *net_ip_text(const struct net_ip *ip, char buf[static NET_IP_LEN])
{
	if (!ip->family || !inet_ntop(ip->family, ip->bytes, buf, NET_IP_LEN))
		buf[0] = '\0';
	return buf;
}

char *net_cidr_text(const struct net_cidr *cidr, char buf[static NET_CIDR_LEN])
{
	char address[NET_IP_LEN];

	snprintf(buf, NET_CIDR_LEN, "%s/%u", net_ip_text(&cidr->ip, address), cidr->prefix % 1000);
	return buf;
}

char *net_mac_text(const struct net_mac *mac, char buf[static NET_MAC_LEN])
{
	const uint8_t *b = mac->bytes;

	snprintf(buf, NET_MAC_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
		 b[5]);
	return buf;
}

bool net_ip_equal(const struct net_ip *a, const struct net_ip *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, net_ip_bits(a) / 8) == 0;
}

bool net_mac_equal(const struct net_mac *a, const struct net_mac *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Sets or clears every host bit. */
static struct net_ip fill(const struct net_cidr *cidr, bool ones)
{
	struct net_ip ip = cidr->ip;
	unsigned bit;

	for (bit = cidr->prefix; bit < net_ip_bits(&ip); bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		if (ones)
			ip.bytes[bit / 8] = (uint8_t)(ip.bytes[bit / 8] | mask);
		else
			ip.bytes[bit / 8] = (uint8_t)(ip.bytes[bit / 8] & ~mask);
	}
	return ip;
}

struct net_ip net_cidr_first(const struct net_cidr *cidr)
{
	return fill(cidr, false);
}

struct net_ip net_cidr_last(const struct net_cidr *cidr)
{
	return fill(cidr, true);
}

bool net_cidr_contains(const struct net_cidr *cidr, const struct net_ip *ip)
{
	struct net_cidr other = { .ip = *ip, .prefix = cidr->prefix };
	struct net_ip a = net_cidr_first(cidr);
	struct net_ip b;

	if (cidr->ip.family != ip->family || !ip->family)
		return false;
	b = net_cidr_first(&other);
	return net_ip_equal(&a, &b);
}

bool net_cidr_overlaps(const struct net_cidr *a, const struct net_cidr *b)
{
	return a->prefix < b->prefix ? net_cidr_contains(a, &b->ip) : net_cidr_contains(b, &a->ip);
}

struct net_ip net_ip_add(const struct net_ip *base, uint64_t n)
{
	struct net_ip ip = *base;
	unsigned i = net_ip_bits(&ip) / 8;
	unsigned carry = 0;

	while (i-- > 0) {
		unsigned sum = ip.bytes[i] + (unsigned)(n & 0xff) + carry;

		ip.bytes[i] = (uint8_t)sum;
		carry = sum >> 8;
		n >>= 8;
	}
	return ip;
}

uint64_t net_cidr_host(const struct net_cidr *cidr, const struct net_ip *ip)
{
	uint64_t host = 0;
	unsigned bit;

	for (bit = cidr->prefix; bit < net_ip_bits(ip); bit++) {
		if (host >> 63)
			return UINT64_MAX;
		host = host << 1 | (ip->bytes[bit / 8] >> (7 - bit % 8) & 1);
	}
	return host;
}
