/* SPDX-License-Identifier: MIT */
#include "image/release.h"

#include <string.h>

#include "base/macros.h"
#include "image/args.h"

/* What drives the GPUs of each vendor on each release, and where the archives keep it. */

enum { OPEN = 1, PROPRIETARY = 2, FABRIC = 4 }; /* only where the document wants that */

/*
 * Of nvidia's driver Ubuntu has the kernel modules ready and signed with a key that its shim
 * trusts; Debian has their sources, which are made into modules while the image is built, and which
 * nobody signs. The server's flavour comes with no desktop. "%s" is the branch.
 */
static const struct {
	unsigned releases, uses, only; /* only 0: always */
	const char *name;
} packages[] = {
	{ RELEASE_UBUNTU, RELEASE_NVIDIA, OPEN, "linux-modules-nvidia-%s-server-open-generic" },
	{ RELEASE_UBUNTU, RELEASE_NVIDIA, OPEN, "nvidia-headless-no-dkms-%s-server-open" },
	{ RELEASE_UBUNTU, RELEASE_NVIDIA, PROPRIETARY, "linux-modules-nvidia-%s-server-generic" },
	{ RELEASE_UBUNTU, RELEASE_NVIDIA, PROPRIETARY, "nvidia-headless-no-dkms-%s-server" },
	{ RELEASE_UBUNTU, RELEASE_NVIDIA, 0, "nvidia-compute-utils-%s-server" },
	{ RELEASE_UBUNTU, RELEASE_NVIDIA, 0, "nvidia-utils-%s-server" },
	{ RELEASE_UBUNTU, RELEASE_NVIDIA, FABRIC, "nvidia-fabricmanager-%s" },
	{ RELEASE_DEBIAN, RELEASE_NVIDIA, 0, "linux-headers-amd64" },
	{ RELEASE_DEBIAN, RELEASE_NVIDIA, OPEN, "nvidia-open-kernel-dkms" },
	{ RELEASE_DEBIAN, RELEASE_NVIDIA, PROPRIETARY, "nvidia-kernel-dkms" },
	{ RELEASE_DEBIAN, RELEASE_NVIDIA, 0, "libcuda1" },
	{ RELEASE_DEBIAN, RELEASE_NVIDIA, 0, "nvidia-persistenced" },
	{ RELEASE_DEBIAN, RELEASE_NVIDIA, 0, "nvidia-smi" },
	/* In neither archive: from one of os.sources. */
	{ RELEASE_ALL, RELEASE_NVIDIA, 0, "nvidia-container-toolkit" },
	{ RELEASE_DEBIAN, RELEASE_AMD, 0, "firmware-amd-graphics" },
	{ RELEASE_BOOKWORM, RELEASE_INTEL, 0, "firmware-misc-nonfree" },
	{ RELEASE_TRIXIE, RELEASE_INTEL, 0, "firmware-intel-graphics" },
	{ RELEASE_UBUNTU, RELEASE_AMD | RELEASE_INTEL, 0, "linux-firmware" },
};

/* The kernel that modules were made for: it must not move on without them. */
static const struct {
	unsigned releases;
	const char *name;
} kernels[] = {
	{ RELEASE_DEBIAN, "linux-image-amd64" },
	{ RELEASE_UBUNTU, "linux-image-generic" },
};

/* The newest branch for servers that each of Ubuntu's releases has. */
static const char branch[] = "580";

static const struct {
	unsigned releases, uses;
	const char *components;
} archives[] = {
	{ RELEASE_DEBIAN, RELEASE_NVIDIA, "main contrib non-free non-free-firmware" },
	/* Newer branches and the fabric manager are in multiverse. */
	{ RELEASE_UBUNTU, RELEASE_NVIDIA, "main restricted universe multiverse" },
};

void release_gpus(const struct release *release, unsigned uses, const struct model *m,
		  struct args *out)
{
	const struct model_gpus *nvidia = &m->gpus[MODEL_GPU_NVIDIA];
	unsigned wanted = nvidia->modules == MODEL_GPU_OPEN ? OPEN : PROPRIETARY;
	size_t i;

	wanted |= nvidia->fabric_manager ? FABRIC : 0;
	for (i = 0; i < COUNT(packages); i++) {
		const char *name = packages[i].name;
		const char *hole;

		if (!(packages[i].releases & release->bit) || !(packages[i].uses & uses) ||
		    (packages[i].only && !(packages[i].only & wanted)))
			continue;
		hole = strstr(name, "%s");
		if (hole)
			args_add(out, "%.*s%s%s", (int)(hole - name), name,
				 nvidia->driver ? nvidia->driver : branch, hole + 2);
		else
			args_add(out, "%s", name);
	}
}

void release_gpus_held(const struct release *release, unsigned uses, const struct model *m,
		       struct args *out)
{
	size_t i;

	release_gpus(release, uses & RELEASE_NVIDIA, m, out);
	for (i = 0; i < COUNT(kernels); i++)
		if ((kernels[i].releases & release->bit) && (uses & RELEASE_NVIDIA))
			args_add(out, "%s", kernels[i].name);
}

const char *release_components(const struct release *release, unsigned uses)
{
	size_t i;

	for (i = 0; i < COUNT(archives); i++)
		if ((archives[i].releases & release->bit) && (archives[i].uses & uses))
			return archives[i].components;
	return release->components;
}
