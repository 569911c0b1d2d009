/* SPDX-License-Identifier: MIT */
#include "cluster/check.h"

#include "base/macros.h"
#include "cluster/gpu.h"

static void check_node(struct check *k, const struct model_node *node)
{
	if (!node->gpu_mark.line || node->gpu == MODEL_GPU_NONE)
		return;
	if (node->role_mark.line && !model_is_kubernetes(node))
		complaint_add(k->c, COMPLAINT_ERROR, node->gpu_mark, "gpu-role", node->name,
			      "give it the role worker, or leave gpu: out",
			      "it runs no pods that could use its GPUs");
	if (node->vm.mark.line)
		complaint_add(k->c, COMPLAINT_WARNING, node->gpu_mark, "gpu-vm", node->name, NULL,
			      "a VM that rackseed makes has no GPU: this node stays tainted");
}

/* Neither distribution has what makes a container of a pod see a GPU of nvidia's. */
static void check_source(struct check *k)
{
	const struct model_node *node = model_first_gpu(k->m, MODEL_GPU_NVIDIA);

	/* Lines that were refused are complained of where they stand. */
	if (!node || k->m->mark.sources || k->m->os.cloud_image || k->c->truncated)
		return;
	complaint_add(k->c, COMPLAINT_ERROR, node->gpu_mark, "gpu-no-source", node->name,
		      "name it under os.sources, beside the one that Kubernetes then comes from",
		      "nothing says where nvidia-container-toolkit comes from");
}

static void check_driver(struct check *k)
{
	const struct model_gpus *nvidia = &k->m->gpus[MODEL_GPU_NVIDIA];

	if (k->m->os.distribution != MODEL_DEBIAN || !k->m->mark.distribution.line)
		return;
	if (nvidia->driver_mark.line)
		complaint_add(k->c, COMPLAINT_ERROR, nvidia->driver_mark, "gpu-driver", NULL,
			      "leave it out",
			      "gpus: Debian has one branch of nvidia's driver for each release");
	if (nvidia->fabric_manager)
		complaint_add(k->c, COMPLAINT_ERROR, nvidia->fabric_manager_mark, "gpu-driver",
			      NULL, "build these nodes with Ubuntu",
			      "gpus: Debian has no fabric manager");
}

static void check_vendor(struct check *k, enum model_gpu gpu)
{
	const struct model_gpus *said = &k->m->gpus[gpu];

	if (said->mark.line && !model_first_gpu(k->m, gpu) && k->m->mark.nodes.line)
		complaint_add(k->c, COMPLAINT_WARNING, said->mark, "gpu-unused", NULL, NULL,
			      "gpus: no node that runs pods has gpu: %s", gpu_vendor(gpu)->name);
	if (said->device_plugin_mark.line && model_image_is_file(said->device_plugin))
		complaint_add(k->c, COMPLAINT_ERROR, said->device_plugin_mark, "gpu-plugin", NULL,
			      "list the archive under images:, and write here what is in it",
			      "gpus: pods start from the reference of an image, not from its file");
}

void check_gpus(struct check *k)
{
	size_t i;
	int gpu;

	for (i = 0; i < k->m->n_nodes; i++)
		check_node(k, &k->m->nodes[i]);
	check_source(k);
	check_driver(k);
	for (gpu = 0; gpu < MODEL_N_GPUS; gpu++)
		if (gpu_vendor((enum model_gpu)gpu))
			check_vendor(k, (enum model_gpu)gpu);
}
