/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "cluster/model.h"

struct text;

/* What differs from vendor to vendor of GPUs: a table, and the texts that follow from it. Pure. */

enum { GPU_NAMES_MAX = 4, GPU_VOLUMES_MAX = 3 };

struct gpu_volume { /* of the host, that a device plugin works with */
	const char *path;
	bool read_only;
};

struct gpu_vendor {
	const char *name;			 /* as the file and labels say */
	unsigned pci;				 /* vendor in PCI's words */
	const char *drivers[GPU_NAMES_MAX];	 /* in the kernel; any of them will do */
	const char *modules[GPU_NAMES_MAX];	 /* loaded by name; none: the kernel finds them */
	const char *strangers[GPU_NAMES_MAX];	 /* drivers that must not take the devices first */
	bool accelerators;			 /* PCI calls some of them that, not displays */
	const char *spec_program, *test_program; /* of the vendor, or NULL */
	const char *fabric_unit, *persistence_unit;
	const char *runtime; /* the handler in containerd and RuntimeClass, or NULL */
	const char *runtime_binary;
	struct gpu_volume volumes[GPU_VOLUMES_MAX]; /* up to a NULL path */
};

/* NULL for MODEL_GPU_NONE. */
const struct gpu_vendor *gpu_vendor(enum model_gpu gpu) __attribute__((const));

/* The node's, or NULL when it has none or runs no pods. */
const struct gpu_vendor *gpu_vendor_of(const struct model_node *node) __attribute__((nonnull));

/* Files below / of such a node. */
#define GPU_MODPROBE_PATH "/etc/modprobe.d/rackseed-gpu.conf"
#define GPU_MODULES_PATH "/etc/modules-load.d/rackseed-gpu.conf"
#define GPU_SPEC_PATH "/etc/cdi/nvidia.yaml"

/* GPU_MODPROBE_PATH: what keeps strangers off; nothing where the vendor has none. */
void gpu_modprobe(const struct gpu_vendor *vendor, struct text *out) __attribute__((nonnull));

/* GPU_MODULES_PATH; nothing where the kernel finds the modules by itself. */
void gpu_modules(const struct gpu_vendor *vendor, struct text *out) __attribute__((nonnull));

/*
 * Labels that a node gives itself: GPU_LABEL with "vendor" and, once its self-test passed, "state"
 * (GPU_TESTED), "count", "product", "memory" (MiB of the smallest) and "driver".
 */
#define GPU_LABEL "gpu.rackseed/"
#define GPU_TESTED "tested"

/* The taint of a node whose GPUs have not been tested; it goes when GPU_LABEL "state" says so. */
#define GPU_TAINT "gpu.rackseed/untested"
#define GPU_TAINT_EFFECT "NoSchedule"
