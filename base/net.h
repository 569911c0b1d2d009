/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Addresses as values: compare them with net_*_equal, never as text. */

struct net_ip {
	int family; /* AF_INET, AF_INET6, or 0: none */
	uint8_t bytes[16]; /* network order; IPv4 uses the first four */
};

struct net_cidr {
	struct net_ip ip; /* as written; host bits kept */
	unsigned prefix;
};

struct net_mac {
	uint8_t bytes[6];
};

enum { NET_IP_LEN = 46, NET_CIDR_LEN = 50, NET_MAC_LEN = 18 };

/* Strict forms only: four decimal octets without leading zeros, RFC 4291 text for IPv6, no zone. */
int net_ip_parse(const char *s, struct net_ip *ret_ip) __attribute__((nonnull, warn_unused_result));
int net_cidr_parse(const char *s, struct net_cidr *ret_cidr)
	__attribute__((nonnull, warn_unused_result));
/* Six hex pairs separated by ':' or '-', any case. */
int net_mac_parse(const char *s, struct net_mac *ret_mac)
	__attribute__((nonnull, warn_unused_result));

/* Whether a name's last label has digits alone: every resolver takes it for an address. */
bool net_name_is_numeric(const char *name) __attribute__((nonnull));

/* Canonical text into the caller's buffer, which they also return. */
char *net_ip_text(const struct net_ip *ip, char buf[static NET_IP_LEN]);
char *net_cidr_text(const struct net_cidr *cidr, char buf[static NET_CIDR_LEN]);
char *net_mac_text(const struct net_mac *mac, char buf[static NET_MAC_LEN]);

bool net_ip_equal(const struct net_ip *a, const struct net_ip *b);
bool net_mac_equal(const struct net_mac *a, const struct net_mac *b);
bool net_cidr_contains(const struct net_cidr *cidr, const struct net_ip *ip);
bool net_cidr_overlaps(const struct net_cidr *a, const struct net_cidr *b);

unsigned net_ip_bits(const struct net_ip *ip); /* 32 or 128 */

/* The network address (host bits cleared), and the last address (host bits set). */
struct net_ip net_cidr_first(const struct net_cidr *cidr);
struct net_ip net_cidr_last(const struct net_cidr *cidr);

/* base + n, wrapping at the end of the address space. */
struct net_ip net_ip_add(const struct net_ip *base, uint64_t n);

/* Host part of ip within cidr, saturating at UINT64_MAX: 192.168.10.101 in /24 is 101. */
uint64_t net_cidr_host(const struct net_cidr *cidr, const struct net_ip *ip);
