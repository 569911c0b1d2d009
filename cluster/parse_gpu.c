/* SPDX-License-Identifier: MIT */
#include "cluster/parse.h"

#include <stddef.h>
#include <string.h>

/* What a node says of its GPUs, and what is said once of all GPUs of a vendor. */

#define NODE(field) .offset = offsetof(struct model_node, field)
#define MARK(field) .mark = offsetof(struct model_gpus, field)
#define AT(field) .offset = offsetof(struct model_gpus, field)
#define VENDOR(gpu)                                                                                \
	.offset = (gpu) * sizeof(struct model_gpus),                                               \
	.mark = (gpu) * sizeof(struct model_gpus) + offsetof(struct model_gpus, mark)

static const struct parse_word vendors[] = {
	{ .word = "nvidia", .value = MODEL_GPU_NVIDIA },
	{ .word = "amd", .value = MODEL_GPU_AMD },
	{ .word = "intel", .value = MODEL_GPU_INTEL },
	{ 0 },
};
const struct parse_words parse_gpu_words = { vendors, "word-unknown" };

static const struct parse_key gpu_keys[] = {
	{ "vendor", parse_one_word, NODE(gpu), .required = true, .words = &parse_gpu_words },
	{ "count", parse_count, NODE(gpu_count) },
	{ 0 },
};
const struct parse_table parse_gpu_table = { "gpu", gpu_keys };

PARSE_READER(parse_gpu)
{
	if (y->kind == YAML_MAPPING)
		parse_mapping(p, y, y, key->table, object);
	else
		parse_one_word(p, y, key, object);
}

/* It becomes part of the names of packages. */
static bool is_branch(const char *s)
{
	return strlen(s) == 3 && strspn(s, "0123456789") == 3;
}

static const struct parse_form branch = { "version-form", "a branch of the driver",
					  "its first number, such as \"580\"", is_branch };

static const struct parse_word modules[] = {
	{ .word = "open", .value = MODEL_GPU_OPEN },
	{ .word = "proprietary", .value = MODEL_GPU_PROPRIETARY },
	{ 0 },
};
static const struct parse_words modules_words = { modules, "word-unknown" };

static const struct parse_key nvidia_keys[] = {
	{ "driver", parse_text, AT(driver), MARK(driver_mark), .form = &branch },
	{ "modules", parse_one_word, AT(modules), .words = &modules_words },
	{ "fabricManager", parse_bool, AT(fabric_manager), MARK(fabric_manager_mark) },
	{ "devicePlugin", parse_text, AT(device_plugin), MARK(device_plugin_mark),
	  .form = &parse_form_image },
	{ 0 },
};
static const struct parse_table nvidia_table = { "gpus", nvidia_keys };

static const struct parse_key other_keys[] = {
	{ "devicePlugin", parse_text, AT(device_plugin), MARK(device_plugin_mark),
	  .form = &parse_form_image },
	{ 0 },
};
static const struct parse_table other_table = { "gpus", other_keys };

static const struct parse_key gpus_keys[] = {
	{ "nvidia", parse_submapping, VENDOR(MODEL_GPU_NVIDIA), .table = &nvidia_table },
	{ "amd", parse_submapping, VENDOR(MODEL_GPU_AMD), .table = &other_table },
	{ "intel", parse_submapping, VENDOR(MODEL_GPU_INTEL), .table = &other_table },
	{ 0 },
};
const struct parse_table parse_gpus_table = { "gpus", gpus_keys };
