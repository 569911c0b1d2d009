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
	RELEASE_NVIDIA = 1 << 3, /* with RELEASE_KUBERNETES only, like the next two */
	RELEASE_AMD = 1 << 4,
	RELEASE_INTEL = 1 << 5,
	RELEASE_N_USES = 1 << 6,
};

/* Rows of the tables say with these which releases they are for. */
enum release_bit {
	RELEASE_BOOKWORM = 1 << 0,
	RELEASE_TRIXIE = 1 << 1,
	RELEASE_JAMMY = 1 << 2,
	RELEASE_NOBLE = 1 << 3,
	RELEASE_RESOLUTE = 1 << 4,
	RELEASE_DEBIAN = RELEASE_BOOKWORM | RELEASE_TRIXIE,
	RELEASE_UBUNTU = RELEASE_JAMMY | RELEASE_NOBLE | RELEASE_RESOLUTE,
	RELEASE_ALL = RELEASE_DEBIAN | RELEASE_UBUNTU,
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
 * Adds what drives the GPUs of these uses, as the document wants it: kernel modules, firmware,
 * tools; nothing without such a use. All of it is held, together with the kernel that it fits.
 */
void release_gpus(const struct release *release, unsigned uses, const struct model *m,
		  struct args *out) __attribute__((nonnull));

/* Adds what of the release's own packages must not change by itself on a node with GPUs. */
void release_gpus_held(const struct release *release, unsigned uses, const struct model *m,
		       struct args *out) __attribute__((nonnull));

/* The components of the archive that these uses need. */
const char *release_components(const struct release *release, unsigned uses)
	__attribute__((nonnull));

/*
 * Adds "deb URL SUITE COMPONENTS" for the release, its updates and its security fixes, as they lie
 * on a mirror of the distribution. A mirror that begins with "deb " is taken as it is.
 */
void release_mirror(const struct release *release, const char *components, const char *mirror,
		    struct args *out) __attribute__((nonnull));
