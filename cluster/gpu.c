/* SPDX-License-Identifier: MIT */
#include "cluster/gpu.h"

#include <stddef.h>

#include "base/text.h"

#define HEAD "# Written by rackseed from cluster.yaml; changes here do not last.\n"
#define PLUGINS "/var/lib/kubelet/device-plugins"

static const struct gpu_vendor vendors[MODEL_N_GPUS] = {
	[MODEL_GPU_NVIDIA] = { .name = "nvidia",
			       .pci = 0x10de,
			       .drivers = { "nvidia" },
			       .modules = { "nvidia", "nvidia-uvm" },
			       .strangers = { "nouveau", "nova_core", "nvidiafb" },
			       .spec_program = "/usr/bin/nvidia-ctk",
			       .test_program = "/usr/bin/nvidia-smi",
			       .fabric_unit = "nvidia-fabricmanager.service",
			       .persistence_unit = "nvidia-persistenced.service",
			       .runtime = "nvidia",
			       .runtime_binary = "/usr/bin/nvidia-container-runtime",
			       .volumes = { { PLUGINS, false } } },
	[MODEL_GPU_AMD] = { .name = "amd",
			    .pci = 0x1002,
			    .drivers = { "amdgpu" },
			    .modules = { "amdgpu" },
			    .strangers = { "radeon" },
			    .accelerators = true,
			    .volumes = { { PLUGINS, false }, { "/sys", true } } },
	/* Which of the two it is, the kernel knows by the device. */
	[MODEL_GPU_INTEL] = { .name = "intel",
			      .pci = 0x8086,
			      .drivers = { "xe", "i915" },
			      .volumes = { { PLUGINS, false },
					   { "/dev/dri", true },
					   { "/sys/class/drm", true } } },
};

const struct gpu_vendor *gpu_vendor(enum model_gpu gpu)
{
	return vendors[gpu].name ? &vendors[gpu] : NULL;
}

const struct gpu_vendor *gpu_vendor_of(const struct model_node *node)
{
	return model_is_kubernetes(node) ? gpu_vendor(node->gpu) : NULL;
}

/* "install" as well: a blacklist alone does not keep off who loads the module by its name. */
void gpu_modprobe(const struct gpu_vendor *vendor, struct text *out)
{
	const char *const *name = vendor->strangers;

	if (*name)
		text_add(out, HEAD);
	for (; *name; name++)
		text_addf(out, "blacklist %s\ninstall %s /bin/false\n", *name, *name);
}

void gpu_modules(const struct gpu_vendor *vendor, struct text *out)
{
	const char *const *name = vendor->modules;

	if (*name)
		text_add(out, HEAD);
	for (; *name; name++)
		text_addf(out, "%s\n", *name);
}
