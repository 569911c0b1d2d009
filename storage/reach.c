/* SPDX-License-Identifier: MIT */
#include "storage/reach.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/macros.h"
#include "storage/share.h"
#include "storage/storage.h"

enum { SMB_PORT = 445, NETBIOS_NAME_MAX = 15, FDS_MAX = 1024 };

DEFINE_DROP(addresses, struct addrinfo *, freeaddrinfo)

static int wait_connected(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;
	int n;

	do
		n = poll(&pfd, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return -ETIMEDOUT;
	if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

static int try_address(const struct addrinfo *a, int timeout_ms)
{
	scoped(drop_fd) int fd =
		socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return 0;
	return errno == EINPROGRESS ? wait_connected(fd, timeout_ms) : -errno;
}

static void print_address(const struct sockaddr *sa, socklen_t len, char text[static NET_IP_LEN])
{
	char *zone;

	if (getnameinfo(sa, len, text, NET_IP_LEN, NULL, 0, NI_NUMERICHOST) != 0)
		text[0] = '\0';
	zone = strchr(text, '%');
	if (zone)
		*zone = '\0';
}

static void end(const struct storage_unc *unc, const char *address, int error,
		struct share_result *result)
{
	char buf[128];

	result->code = error == ECONNREFUSED ? SHARE_REFUSED
		       : error == ETIMEDOUT  ? SHARE_SILENT
					     : SHARE_UNREACHABLE;
	snprintf(result->reason, sizeof(result->reason), "%s%s%s%s port %u: %s", unc->host,
		 strcmp(unc->host, address) != 0 ? " (" : "",
		 strcmp(unc->host, address) != 0 ? address : "",
		 strcmp(unc->host, address) != 0 ? ")" : "", unc->port ? unc->port : SMB_PORT,
		 error == ETIMEDOUT ? "no answer" : strerror_r(error, buf, sizeof(buf)));
}

/* Tries the addresses in turn, each with its part of the time; the first one's trouble is told. */
static void connect_any(const struct storage_unc *unc, const struct addrinfo *list, int timeout_ms,
			struct share_result *result)
{
	const struct addrinfo *a;
	char address[NET_IP_LEN];
	int n = 0;

	for (a = list; a; a = a->ai_next)
		n++;
	for (a = list; a; a = a->ai_next) {
		int r = try_address(a, timeout_ms / n);

		print_address(a->ai_addr, a->ai_addrlen, address);
		if (r == 0) {
			result->reached = true;
			result->code = SHARE_OK;
			result->reason[0] = '\0';
			memcpy(result->address, address, sizeof(result->address));
			return;
		}
		if (result->code == SHARE_OK)
			end(unc, address, -r, result);
	}
}

void reach_server(const struct storage_unc *unc, int timeout_ms, struct share_result *result)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	scoped(drop_addresses) struct addrinfo *list = NULL;
	char port[12];
	int r;

	snprintf(port, sizeof(port), "%u", unc->port ? unc->port : SMB_PORT);
	r = getaddrinfo(unc->host, port, &hints, &list);
	if (r == 0) {
		result->resolved = true;
		connect_any(unc, list, timeout_ms, result);
	} else if (strpbrk(unc->host, ".:") || strlen(unc->host) > NETBIOS_NAME_MAX) {
		result->code = SHARE_UNKNOWN_NAME;
		snprintf(result->reason, sizeof(result->reason), "nobody knows the name '%s': %s",
			 unc->host, gai_strerror(r));
	}
}

void reach_peer(const struct storage_unc *unc, char address[static NET_IP_LEN])
{
	char port[12], want[12];
	int fd;

	snprintf(want, sizeof(want), "%u", unc->port ? unc->port : SMB_PORT);
	for (fd = 3; fd < FDS_MAX && !address[0]; fd++) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);

		if (getpeername(fd, (struct sockaddr *)&peer, &len) < 0 ||
		    getnameinfo((struct sockaddr *)&peer, len, NULL, 0, port, sizeof(port),
				NI_NUMERICSERV) != 0)
			continue;
		if (strcmp(port, want) == 0)
			print_address((struct sockaddr *)&peer, len, address);
	}
}
