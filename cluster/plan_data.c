/* SPDX-License-Identifier: MIT */
#include "cluster/plan_data.h"

#include "base/macros.h"
#include "base/text.h"
#include "cluster/decide_data.h"
#include "cluster/plan_parts.h"

/* The mount of a node's disk for data. */

/*
 * Nothing wants it: the step starts it when it has looked at the disk. At later boots the registry
 * requires it, and waits for it: the label is on what the step has found to be whole, only.
 */
int plan_data(struct plan_work *w, struct fault *why)
{
	scoped(text_done) struct text unit = { 0 };
	char label[DECIDE_DATA_LABEL_LEN];
	const char *number;

	(void)why;
	if (!model_has_data(w->node))
		return 0;
	decide_data_label(w->m->name, w->node->name, label);
	number = label + sizeof("rackseed-") - 1;
	text_addf(&unit,
		  PLAN_DATA_HEAD
		  "Description=Data of node %s\n"
		  "Documentation=man:cluster.yaml(5)\n"
		  "Requires=systemd-fsck@dev-disk-by\\x2dlabel-rackseed\\x2d%s.service\n"
		  "After=systemd-fsck@dev-disk-by\\x2dlabel-rackseed\\x2d%s.service\n"
		  "\n"
		  "[Mount]\n"
		  "What=/dev/disk/by-label/%s\n"
		  "Where=" MODEL_DATA_FOLDER "\n"
		  "Type=ext4\n"
		  "Options=nodev,nosuid,noexec\n",
		  w->node->name, number, number, label);
	plan_put_file(w->plan, PLAN_DATA, PLAN_DATA_PATH, &unit);
	return 0;
}
