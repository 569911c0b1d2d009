/* SPDX-License-Identifier: MIT */
#include "storage/storage.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/net.h"

/* What a share or folder of a Windows server may not hold; mount.cifs(8) would misread '%' too. */
static const char forbidden[] = "\\:*?\"<>|%";

/* Copies n bytes as text; false when they do not fit. */
static bool copy(char *to, size_t size, const char *from, size_t n)
{
	if (n >= size)
		return false;
	memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

/* Digits up to 65535, at least 1; else 0. */
static unsigned parse_port(const char *s, size_t n)
{
	unsigned port = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!isdigit((unsigned char)s[i]) || port > 6553)
			return 0;
		port = port * 10 + (unsigned)(s[i] - '0');
	}
	return port <= 65535 ? port : 0;
}

static bool is_host(const char *host)
{
	struct net_ip ip;

	if (net_ip_parse(host, &ip) == 0)
		return true;
	if (!isalnum((unsigned char)host[0]) || net_name_is_numeric(host))
		return false;
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && !strchr("-._", *host))
			return false;
	return true;
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT, n bytes long. */
static int parse_host(const char *s, size_t n, struct storage_unc *unc)
{
	const char *end = s[0] == '[' ? memchr(s, ']', n) : memchr(s, ':', n);
	const char *rest;

	if (s[0] == '[') {
		if (!end || !copy(unc->host, sizeof(unc->host), s + 1, (size_t)(end - s) - 1))
			return -EINVAL;
		if (!strchr(unc->host, ':'))
			return -EINVAL;
		rest = end + 1;
	} else {
		rest = end ? end : s + n;
		if (!copy(unc->host, sizeof(unc->host), s, (size_t)(rest - s)))
			return -EINVAL;
	}
	if (rest != s + n) {
		unc->port = *rest == ':' ? parse_port(rest + 1, (size_t)(s + n - rest) - 1) : 0;
		if (unc->port == 0)
			return -EINVAL;
	}
	return is_host(unc->host) ? 0 : -EINVAL;
}

static const char *share_flaw(const char *share)
{
	size_t n = strlen(share);

	if (n == 0)
		return "a share is missing behind the host";
	if (strpbrk(share, forbidden) || strpbrk(share, "/[]+=;,"))
		return "the share's name holds a character that none may have";
	if (share[0] == ' ' || share[n - 1] == ' ' || share[0] == '.')
		return "the share's name begins or ends with a blank, or begins with '.'";
	return NULL;
}

/* Parts without '.', '..' and emptiness, so that it can be glued behind the share as it is. */
static const char *folder_flaw(const char *path)
{
	const char *at = path;

	if (!*path)
		return NULL;
	if (strpbrk(path, forbidden))
		return "the folder's name holds a character that none may have";
	if (path[strlen(path) - 1] == ' ')
		return "the folder's name ends with a blank";
	for (;;) {
		size_t n = strcspn(at, "/");

		if (n == 0 || (at[0] == '.' && (n == 1 || (n == 2 && at[1] == '.'))))
			return "the folder has an empty, '.' or '..' part";
		if (!at[n])
			return NULL;
		at += n + 1;
	}
}

static const char *control_flaw(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return "it holds a control character";
	return NULL;
}

static const char *parse(const char *s, struct storage_unc *unc)
{
	const char *flaw = control_flaw(s);
	const char *share;
	size_t n;

	if (flaw)
		return flaw;
	if (strncmp(s, "//", 2) != 0)
		return "it does not begin with '//' (write //host/share)";
	s += 2;
	n = strcspn(s, "/");
	if (n == 0 || parse_host(s, n, unc) < 0)
		return "its host is no name or address (write //host/share or //host:port/share)";
	share = s[n] ? s + n + 1 : s + n;
	n = strcspn(share, "/");
	if (!copy(unc->share, sizeof(unc->share), share, n))
		return "the share's name is longer than 80 characters";
	flaw = share_flaw(unc->share);
	if (flaw)
		return flaw;
	s = share[n] ? share + n + 1 : share + n;
	if (!copy(unc->path, sizeof(unc->path), s, strlen(s)))
		return "the folder's name is too long";
	return folder_flaw(unc->path);
}

int storage_unc_parse(const char *s, struct storage_unc *ret, struct fault *why)
{
	struct storage_unc unc = { 0 };
	const char *flaw = parse(s, &unc);

	if (flaw)
		return fault_set(why, EINVAL, "share address '%s': %s", s, flaw);
	*ret = unc;
	return 0;
}
