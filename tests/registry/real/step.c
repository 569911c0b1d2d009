/* SPDX-License-Identifier: MIT */
/*
 * step apply|run ROOT SEED STEP: what rackseed-firstboot does in one step, by itself and once,
 * below ROOT. Prints how the step ended as the runner would tell it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"

static bool alive(void *data)
{
	(void)data;
	return true;
}

static int apply(struct node *node, const char *name, struct fault *why)
{
	enum plan_step step;

	for (step = 0; step < PLAN_N_STEPS; step++)
		if (strcmp(plan_step_name(step), name) == 0)
			return node_apply(node, step, why);
	return fault_set(why, 22, "no step '%s'", name);
}

static int run_step(struct node *node, const char *name, struct fault *why)
{
	size_t i;

	for (i = 0; i < task_table_n; i++)
		if (strcmp(task_table[i].name, name) == 0)
			return task_table[i].run(node, why);
	return fault_set(why, 22, "no step '%s'", name);
}

int main(int argc, char **argv)
{
	struct node node = { .alive = alive };
	struct fault why = { 0 };
	int r;

	if (argc != 5)
		return 2;
	node.root = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	node.seed_dir = argv[3];
	r = node.root < 0 ? fault_errno(&why, 2, "%s", argv[2]) : node_load(&node, &why);
	if (r >= 0)
		r = strcmp(argv[1], "run") == 0 ? run_step(&node, argv[4], &why)
						: apply(&node, argv[4], &why);
	if (r < 0)
		printf("%s: %s\n", why.code == 11 ? "waiting" : "failed", why.text);
	else
		printf("done: %s\n", why.code == 0 ? why.text : "");
	node_done(&node);
	drop_fd(&node.root);
	return r < 0;
}
