/* SPDX-License-Identifier: MIT */
#include "firstboot/own_labels.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/gpu.h"
#include "firstboot/mounts.h"
#include "firstboot/node.h"

enum { FILE_MAX = 4 << 20 };

static bool is_mounted(const struct model *m, const char *share, const char *mountinfo)
{
	size_t i;

	for (i = 0; i < m->n_shares; i++)
		if (strcmp(m->shares[i].name, share) == 0)
			return mounts_has(mountinfo, m->shares[i].mount);
	return false;
}

static bool is_deserved(const struct model *m, const char *label, const char *mountinfo)
{
	const size_t n = strlen(PLAN_SHARE_LABEL);

	return strncmp(label, PLAN_SHARE_LABEL, n) != 0 || is_mounted(m, label + n, mountinfo);
}

static int leave_out(struct node *node, struct yaml *labels, struct fault *why)
{
	scoped(text_done) struct text mountinfo = { 0 };
	size_t i = 0;
	int r = fs_read(node->root, "proc/self/mountinfo", FILE_MAX, &mountinfo, why);

	if (r < 0)
		return r;
	while (i + 1 < labels->n_items) {
		struct yaml *pair = &labels->items[i];

		if (is_deserved(&node->model, pair[0].text, text_str(&mountinfo))) {
			i += 2;
			continue;
		}
		yaml_done(&pair[0]);
		yaml_done(&pair[1]);
		labels->n_items -= 2;
		pair[0] = labels->items[labels->n_items];
		pair[1] = labels->items[labels->n_items + 1];
	}
	return 0;
}

static int add(struct yaml *labels, const char *key, const char *value)
{
	struct yaml *items =
		reallocarray(labels->items, labels->n_items + 2, sizeof(*labels->items));
	struct yaml *pair;

	if (!items)
		return -ENOMEM;
	labels->items = items;
	pair = &items[labels->n_items];
	pair[0] = (struct yaml){ .kind = YAML_SCALAR, .text = strdup(key) };
	pair[1] = (struct yaml){ .kind = YAML_SCALAR, .text = strdup(value) };
	labels->n_items += 2;
	return pair[0].text && pair[1].text ? 0 : -ENOMEM;
}

/* What passed its test is told of; all else is a matter for the status. */
static int add_gpus(const struct gpu_found *found, struct yaml *labels)
{
	char count[16], memory[32];
	const struct {
		const char *key, *value;
	} rows[] = {
		{ GPU_LABEL "state", GPU_TESTED },	 { GPU_LABEL "count", count },
		{ GPU_LABEL "product", found->product }, { GPU_LABEL "memory", memory },
		{ GPU_LABEL "driver", found->driver },
	};
	size_t i;
	int r = 0;

	snprintf(count, sizeof(count), "%u", found->count);
	snprintf(memory, sizeof(memory), "%" PRIu64, found->memory_mib);
	for (i = 0; i < COUNT(rows) && r == 0; i++) {
		if (rows[i].value == memory && found->memory_mib == 0)
			continue;
		if (rows[i].value[0])
			r = add(labels, rows[i].key, rows[i].value);
	}
	return r;
}

int own_labels(struct node *node, struct yaml *want, struct fault *why)
{
	struct yaml *labels = (struct yaml *)yaml_get(yaml_get(want, "metadata"), "labels");
	int r = labels ? leave_out(node, labels, why) : 0;

	if (r < 0 || !labels || !node->gpu.tested)
		return r;
	r = add_gpus(&node->gpu, labels);
	return r < 0 ? fault_errno(why, r, "labels of GPUs") : 0;
}
