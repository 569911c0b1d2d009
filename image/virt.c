/* SPDX-License-Identifier: MIT */
#include "image/virt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "cluster/model.h"
#include "image/machine.h"

static void keep_quiet(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

/*
 * What a libvirt error means. The first row that fits counts: code 0 fits any, os_error 0 any,
 * words NULL any. Daemons speak English unless told otherwise, and then the text alone is shown.
 */
static const struct {
	int code, os_error;
	const char *words;
	int as;
	const char *remedy;
} meanings[] = {
	{ 0, ENOENT, "socket to", ENOENT, "is libvirt's daemon there? systemctl start libvirtd" },
	{ 0, ECONNREFUSED, "socket to", ECONNREFUSED,
	  "is libvirt's daemon running? systemctl start libvirtd" },
	{ 0, EACCES, "socket to", EACCES,
	  "you may not use libvirt: join its group (usermod -aG libvirt USER, then log in again)" },
	{ VIR_ERR_AUTH_FAILED, 0, NULL, EACCES,
	  "you may not use libvirt: join the group 'libvirt'" },
	{ VIR_ERR_AUTH_CANCELLED, 0, NULL, EACCES,
	  "you may not use libvirt: join the group 'libvirt'" },
	{ VIR_ERR_AUTH_UNAVAILABLE, 0, NULL, EACCES,
	  "you may not use libvirt: join the group 'libvirt', or be root" },
	{ VIR_ERR_OPERATION_DENIED, 0, NULL, EACCES, "this connection may only look" },
	{ 0, 0, "Cannot get interface MTU", ENODEV,
	  "the bridge named by vm.bridge is not on the host: make it, or take vm.bridge out" },
	{ 0, 0, "already in use by interface", EADDRINUSE,
	  "the host itself uses that subnet: choose another network.subnet, or name vm.bridge" },
	{ 0, 0, "Unable to find 'efi' firmware", ENOENT, "install the package ovmf" },
	{ 0, 0, "Cannot allocate memory", ENOMEM,
	  "the host has not enough memory: stop something, or make vm.memory smaller" },
	{ 0, 0, "cannot set up guest memory", ENOMEM,
	  "the host has not enough memory: stop something, or make vm.memory smaller" },
	{ 0, 0, "phys-bits too low", ENOMEM,
	  "no processor of this host can address so much: make vm.memory smaller" },
	{ 0, 0, "Failed to get \"write\" lock", EBUSY,
	  "another program has the disk image open: end it first" },
	{ 0, 0, "Failed to get shared \"write\" lock", EBUSY,
	  "another program has the disk image open: end it first" },
	{ 0, 0, "KVM kernel module", ENODEV, "write vm: {accel: tcg} to run without KVM" },
	{ 0, 0, "does not support virt type 'kvm'", ENODEV,
	  "write vm: {accel: tcg} to run without KVM" },
	{ 0, 0, "virtType=kvm", ENODEV, "write vm: {accel: tcg} to run without KVM" },
	{ 0, 0, "Cannot access storage file", EACCES,
	  "libvirt's own user must be able to reach the image: chmod o+x the folders above it" },
	{ VIR_ERR_OPERATION_FAILED, 0, "already exists with uuid", EEXIST,
	  "something else bears that name: rename it, or choose another cluster.name" },
	{ VIR_ERR_DOM_EXIST, 0, NULL, EEXIST,
	  "something else bears that name: rename it, or choose another cluster.name" },
	{ 0, EACCES, NULL, EACCES, "libvirt's own user must be able to reach that file" },
};

int virt_explain(int code, int os_error, const char *message, struct fault *why)
{
	size_t i;

	for (i = 0; i < COUNT(meanings); i++) {
		if ((meanings[i].code == 0 || meanings[i].code == code) &&
		    (meanings[i].os_error == 0 || meanings[i].os_error == os_error) &&
		    (!meanings[i].words || strstr(message, meanings[i].words)))
			return fault_set(why, meanings[i].as, "%s (%s)", message,
					 meanings[i].remedy);
	}
	return fault_set(why, os_error ? os_error : EIO, "%s", message);
}

int virt_fault(struct fault *why, const char *format, ...)
{
	virErrorPtr error = virGetLastError();
	bool is_system = error && error->code == VIR_ERR_SYSTEM_ERROR;
	char what[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	if (!error || !error->message)
		fault_set(why, EIO, "libvirt gave no reason");
	else
		virt_explain(error->code, is_system && error->int1 > 0 ? error->int1 : 0,
			     error->message, why);
	return fault_wrap(why, "%s", what);
}

int virt_open(const char *uri, virConnectPtr *ret_connect, struct fault *why)
{
	const char *environment = getenv("LIBVIRT_DEFAULT_URI");

	virSetErrorFunc(NULL, keep_quiet);
	if (!uri)
		uri = environment && *environment ? environment : "qemu:///system";
	*ret_connect = virConnectOpenAuth(uri, virConnectAuthPtrDefault, 0);
	return *ret_connect ? 0 : virt_fault(why, "cannot reach libvirt at '%s'", uri);
}

bool virt_is_ours(const char *uuid, const struct model *m, const char *node)
{
	char ours[MACHINE_UUID_LEN];

	machine_uuid(m->name, node, ours);
	return strcmp(uuid, ours) == 0;
}

/* The network of the cluster's name: *ret is NULL when there is none. A stranger's is a fault. */
static int find_network(virConnectPtr connect, const struct model *m, virNetworkPtr *ret,
			struct fault *why)
{
	char uuid[VIR_UUID_STRING_BUFLEN];
	scoped(drop_network) virNetworkPtr network = virNetworkLookupByName(connect, m->name);

	if (!network && virGetLastErrorCode() != VIR_ERR_NO_NETWORK)
		return virt_fault(why, "cannot look for network '%s'", m->name);
	if (network && virNetworkGetUUIDString(network, uuid) < 0)
		return virt_fault(why, "network '%s'", m->name);
	if (network && !virt_is_ours(uuid, m, ""))
		return fault_set(
			why, EEXIST,
			"libvirt has a network '%s' that is not ours (uuid %s): choose another "
			"cluster.name, or name it in vm.bridge by its bridge",
			m->name, uuid);
	*ret = take(network);
	return 0;
}

int virt_network_up(virConnectPtr connect, const struct model *m, const char *file,
		    struct fault *why)
{
	scoped(drop_network) virNetworkPtr network = NULL;
	scoped(text_done) struct text xml = { 0 };
	int r = find_network(connect, m, &network, why);

	if (r < 0)
		return r;
	if (network && virNetworkIsActive(network) == 1)
		return 0;
	machine_network_render(m, file, &xml);
	if (text_error(&xml) < 0)
		return fault_errno(why, text_error(&xml), "network '%s'", m->name);
	drop_network(&network);
	network = virNetworkDefineXML(connect, text_str(&xml));
	if (!network)
		return virt_fault(why, "cannot define network '%s'", m->name);
	if (virNetworkCreate(network) < 0)
		return virt_fault(why, "cannot start network '%s'", m->name);
	return 1;
}

int virt_network_remove(virConnectPtr connect, const struct model *m, struct fault *why)
{
	scoped(drop_network) virNetworkPtr network = NULL;
	int r = find_network(connect, m, &network, why);

	if (r < 0 || !network)
		return r;
	if (virNetworkIsActive(network) == 1 && virNetworkDestroy(network) < 0)
		return virt_fault(why, "cannot stop network '%s'", m->name);
	if (virNetworkUndefine(network) < 0)
		return virt_fault(why, "cannot remove network '%s'", m->name);
	return 1;
}
