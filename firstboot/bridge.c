/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "firstboot/mend.h"
#include "firstboot/node.h"

#define BRIDGE "cni0"

DEFINE_DROP(addresses, struct ifaddrs *, freeifaddrs)

static bool is_within(const struct sockaddr *address, const struct net_cidr *part)
{
	struct net_ip ip = { .family = address->sa_family };

	if (ip.family == AF_INET)
		memcpy(ip.bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	else
		memcpy(ip.bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
		       16);
	return net_cidr_contains(part, &ip);
}

/* Whether the bridge has an address of the family that is not of the part. */
static bool is_foreign(const struct ifaddrs *list, const struct net_cidr *part)
{
	for (; list; list = list->ifa_next)
		if (strcmp(list->ifa_name, BRIDGE) == 0 && list->ifa_addr &&
		    list->ifa_addr->sa_family == part->ip.family &&
		    !is_within(list->ifa_addr, part))
			return true;
	return false;
}

int mend_bridge(const struct node *node, struct fault *why)
{
	static const char *const argv[] = { "ip", "link", "delete", BRIDGE, NULL };
	static const struct run delete = { .argv = argv, .timeout_ms = 10000 };
	scoped(drop_addresses) struct ifaddrs *list = NULL;
	struct net_cidr part;

	if (!node->live || node->model.pod_network != MODEL_PODS_ROUTED ||
	    if_nametoindex(BRIDGE) == 0)
		return FS_SAME;
	if (model_pod_cidr(&node->model, node->self, &part) < 0)
		return FS_SAME;
	if (getifaddrs(&list) < 0)
		return fault_errno(why, errno, "addresses of " BRIDGE);
	if (!is_foreign(list, &part))
		return FS_SAME;
	if (run(&delete, why) < 0)
		return fault_wrap(why, BRIDGE " has an address of another pod network");
	return fs_remove_tree(node->root, "var/lib/cni/networks", why) < 0 ? -why->code
									   : FS_CHANGED;
}
