/* SPDX-License-Identifier: MIT */
#pragma once

#include "cluster/model.h"

struct args;
struct fault;

/* What differs from release to release of a distribution: a table, and questions to it. Pure. */

/* What a golden image is for; nodes with the same uses share one. */
enum release_use {
	RELEASE_KUBERNETES = 1 << 0,
	RELEASE_STORAGE = 1 << 1,
	RELEASE_REGISTRY = 1 << 2,
};

struct release {
	enum model_distribution distribution;
	const char *name;	/* "bookworm" */
	const char *version;	/* "12" */
	unsigned bit;		/* in the table of packages */
	const char *components; /* of its archive */
	const char *keyring;	/* below /usr/share/keyrings on the host */
	const char *efi;	/* the folder of the ESP where its signed GRUB looks */
	int containerd_major, containerd_minor;
};

/* By code name or version number; a fault lists those that are known. */
int release_find(enum model_distribution distribution, const char *name, const struct release **ret,
		 struct fault *why) __attribute__((nonnull, warn_unused_result));

const char *release_distribution(enum model_distribution distribution);

unsigned release_uses(const struct model_node *node);

/* Adds the packages for these uses, Kubernetes' own excluded, sorted as in the table. */
void release_packages(const struct release *release, unsigned uses, struct args *out)
	__attribute__((nonnull));

/* Adds kubeadm, kubelet and kubectl as apt wants them: "kubeadm=1.20.2-*". */
void release_kubernetes(const struct model_version *version, struct args *out)
	__attribute__((nonnull));

/*
 * Adds "deb URL SUITE COMPONENTS" for the release, its updates and its security fixes, as they lie
 * on a mirror of the distribution. A mirror that begins with "deb " is taken as it is.
 */
void release_mirror(const struct release *release, const char *mirror, struct args *out)
	__attribute__((nonnull));
