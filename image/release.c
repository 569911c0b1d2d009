/* SPDX-License-Identifier: MIT */
#include "image/release.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "image/args.h"

enum {
	TRIXIE = RELEASE_TRIXIE,
	JAMMY = RELEASE_JAMMY,
	NOBLE = RELEASE_NOBLE,
	RESOLUTE = RELEASE_RESOLUTE,
	DEBIAN = RELEASE_DEBIAN,
	UBUNTU = RELEASE_UBUNTU,
	ALL = RELEASE_ALL,
	T64 = TRIXIE | NOBLE | RESOLUTE, /* libraries with 64-bit time_t bear other names */
};

#define DEBIAN_ARCHIVE "main non-free-firmware", "debian-archive-keyring.gpg", "debian"
#define UBUNTU_ARCHIVE "main restricted universe", "ubuntu-archive-keyring.gpg", "ubuntu"

static const struct release releases[] = {
	{ MODEL_DEBIAN, "bookworm", "12", RELEASE_BOOKWORM, DEBIAN_ARCHIVE, 1, 6 },
	{ MODEL_DEBIAN, "trixie", "13", TRIXIE, DEBIAN_ARCHIVE, 1, 7 },
	{ MODEL_UBUNTU, "jammy", "22.04", JAMMY, UBUNTU_ARCHIVE, 1, 7 },
	{ MODEL_UBUNTU, "noble", "24.04", NOBLE, UBUNTU_ARCHIVE, 1, 7 },
	{ MODEL_UBUNTU, "resolute", "26.04", RESOLUTE, UBUNTU_ARCHIVE, 2, 2 },
};

static const struct {
	unsigned releases;
	unsigned uses; /* any of these; 0: always */
	const char *name;
} packages[] = {
	/* the boot */
	{ DEBIAN, 0, "linux-image-amd64" },
	{ UBUNTU, 0, "linux-image-generic" },
	{ ALL, 0, "linux-base" },
	{ ALL, 0, "initramfs-tools" },
	{ ALL, 0, "zstd" },
	{ ALL, 0, "shim-signed" },
	{ ALL, 0, "grub-efi-amd64-signed" },
	{ ALL, 0, "grub-efi-amd64-bin" },
	{ ALL, 0, "grub-pc-bin" },
	/* the system */
	{ ALL, 0, "apt" }, /* Ubuntu does not hold it for required */
	{ ALL, 0, "systemd" },
	{ ALL, 0, "systemd-sysv" },
	{ ALL & ~JAMMY, 0, "systemd-resolved" },
	{ ALL, 0, "systemd-timesyncd" },
	{ TRIXIE | RESOLUTE, 0, "systemd-repart" },
	{ ALL, 0, "libpam-systemd" },
	{ ALL, 0, "dbus" },
	{ ALL, 0, "udev" },
	{ ALL, 0, "kmod" },
	{ ALL, 0, "e2fsprogs" },
	{ ALL, 0, "fdisk" },
	{ ALL, 0, "mtools" }, /* rackseed-install reads seeds with it */
	{ ALL, 0, "procps" },
	{ ALL, 0, "sudo" },
	{ ALL, 0, "less" },
	{ ALL, 0, "openssh-server" },
	{ ALL, 0, "unattended-upgrades" },
	/* the network */
	{ ALL, 0, "netplan.io" },
	{ ALL, 0, "netbase" },
	{ ALL, 0, "iproute2" },
	{ ALL, 0, "iputils-ping" },
	{ ALL, 0, "ethtool" },
	{ ALL, 0, "nftables" },
	{ ALL, 0, "ca-certificates" },
	/* what rackseed-firstboot is linked with, and what mounts shares */
	{ ALL, 0, "libsystemd0" },
	{ ALL, 0, "libnftables1" },
	{ ALL, 0, "libfyaml0" },
	{ ALL & ~T64, 0, "libcurl4" },
	{ T64, 0, "libcurl4t64" },
	{ ALL & ~T64, 0, "libssl3" },
	{ T64, 0, "libssl3t64" },
	{ ALL & ~T64, 0, "libmicrohttpd12" },
	{ T64, 0, "libmicrohttpd12t64" },
	{ ALL & ~T64, 0, "libgnutls30" },
	{ T64, 0, "libgnutls30t64" },
	{ ALL & ~T64, RELEASE_KUBERNETES | RELEASE_STORAGE, "libsmbclient" },
	{ T64, RELEASE_KUBERNETES | RELEASE_STORAGE, "libsmbclient0" },
	{ ALL, 0, "cifs-utils" },
	/* Kubernetes */
	{ ALL, RELEASE_KUBERNETES, "containerd" },
	{ ALL, RELEASE_KUBERNETES, "containernetworking-plugins" },
	{ ALL, RELEASE_KUBERNETES, "iptables" },
	{ ALL, RELEASE_KUBERNETES, "conntrack" },
	{ ALL, RELEASE_KUBERNETES, "ebtables" },
	{ ALL, RELEASE_KUBERNETES, "socat" },
	/* the server of shares */
	{ ALL, RELEASE_STORAGE, "samba" },
	{ ALL, RELEASE_STORAGE, "samba-common-bin" },
	/* the registry */
	{ ALL, RELEASE_REGISTRY, "docker-registry" },
};

const char *release_distribution(enum model_distribution distribution)
{
	static const char *const names[] = { [MODEL_DEBIAN] = "debian", [MODEL_UBUNTU] = "ubuntu" };

	return names[distribution];
}

int release_find(enum model_distribution distribution, const char *name, const struct release **ret,
		 struct fault *why)
{
	scoped(text_done) struct text known = { 0 };
	const struct release *row;

	for (row = releases; row < releases + COUNT(releases); row++) {
		if (row->distribution != distribution)
			continue;
		if (strcmp(row->name, name) == 0 || strcmp(row->version, name) == 0) {
			*ret = row;
			return 0;
		}
		text_addf(&known, "%s%s", known.len ? ", " : "", row->name);
	}
	return fault_set(why, EINVAL, "os: release '%s' of %s is not known; known are: %s", name,
			 release_distribution(distribution), text_str(&known));
}

unsigned release_uses(const struct model_node *node)
{
	static const unsigned gpus[MODEL_N_GPUS] = { [MODEL_GPU_NVIDIA] = RELEASE_NVIDIA,
						     [MODEL_GPU_AMD] = RELEASE_AMD,
						     [MODEL_GPU_INTEL] = RELEASE_INTEL };
	unsigned uses = model_is_kubernetes(node) ? RELEASE_KUBERNETES : 0;

	uses |= node->roles & MODEL_STORAGE ? RELEASE_STORAGE : 0;
	uses |= node->roles & MODEL_REGISTRY ? RELEASE_REGISTRY : 0;
	return uses | (model_is_kubernetes(node) ? gpus[node->gpu] : 0);
}

void release_packages(const struct release *release, unsigned uses, struct args *out)
{
	size_t i;

	for (i = 0; i < COUNT(packages); i++)
		if ((packages[i].releases & release->bit) &&
		    (packages[i].uses == 0 || (packages[i].uses & uses)))
			args_add(out, "%s", packages[i].name);
}

void release_kubernetes(const struct model_version *version, struct args *out)
{
	static const char *const names[] = { "kubeadm", "kubelet", "kubectl" };
	size_t i;

	/* An asterisk at the end makes apt compare the beginning only. */
	for (i = 0; i < COUNT(names); i++)
		if (version->patch >= 0)
			args_add(out, "%s=%d.%d.%d-*", names[i], version->major, version->minor,
				 version->patch);
		else
			args_add(out, "%s=%d.%d.*", names[i], version->major, version->minor);
}

/* Debian keeps its security fixes in an archive of their own, which mirrors place beside. */
static void add_debian_security(const struct release *release, const char *components,
				const char *mirror, size_t len, struct args *out)
{
	static const char tail[] = "/debian";

	if (len > strlen(tail) && memcmp(mirror + len - strlen(tail), tail, strlen(tail)) == 0)
		args_add(out, "deb %.*s-security %s-security %s", (int)len, mirror, release->name,
			 components);
}

void release_mirror(const struct release *release, const char *components, const char *mirror,
		    struct args *out)
{
	size_t len = strlen(mirror);

	if (strncmp(mirror, "deb ", 4) == 0) {
		args_add(out, "%s", mirror);
		return;
	}
	while (len > 0 && mirror[len - 1] == '/')
		len--;
	args_add(out, "deb %.*s %s %s", (int)len, mirror, release->name, components);
	args_add(out, "deb %.*s %s-updates %s", (int)len, mirror, release->name,
		 components);
	if (release->distribution == MODEL_UBUNTU)
		args_add(out, "deb %.*s %s-security %s", (int)len, mirror, release->name,
			 components);
	else
		add_debian_security(release, components, mirror, len, out);
}
