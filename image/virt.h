/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "base/macros.h"

struct fault;
struct model;

/* libvirt itself: the connection, what its errors mean for a person, the cluster's network. */

DEFINE_DROP(connect, virConnectPtr, virConnectClose)
DEFINE_DROP(domain, virDomainPtr, virDomainFree)
DEFINE_DROP(network, virNetworkPtr, virNetworkFree)

/*
 * uri NULL: what the environment says (LIBVIRT_DEFAULT_URI), else the system's daemon. Silences
 * libvirt's own printing from then on.
 */
int virt_open(const char *uri, virConnectPtr *ret_connect, struct fault *why)
	__attribute__((nonnull(2, 3), warn_unused_result));

/*
 * libvirt's last error into a fault behind "text: ", with a remedy where one is known. No call of
 * libvirt may stand among the arguments: each one forgets the last error.
 */
int virt_fault(struct fault *why, const char *format, ...)
	__attribute__((format(printf, 2, 3), nonnull(1, 2)));

/* The same from the parts of an error: pure, a table. */
int virt_explain(int code, int os_error, const char *message, struct fault *why)
	__attribute__((nonnull));

/* Makes the isolated network of the cluster and starts it. 1: did something, 0: was so already. */
int virt_network_up(virConnectPtr connect, const struct model *m, const char *file,
		    struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Stops and forgets it, if it is ours. 1 or 0 as above. */
int virt_network_remove(virConnectPtr connect, const struct model *m, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Whether UUID text equals the one of cluster and node ("": the network). */
bool virt_is_ours(const char *uuid, const struct model *m, const char *node)
	__attribute__((nonnull));
