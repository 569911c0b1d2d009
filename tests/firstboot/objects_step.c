/* SPDX-License-Identifier: MIT */
/*
 * objects_step SEED ROOT [TIMES [gpu]]: the step objects of the node whose seed it is, as the
 * service runs it; with a last word, of one whose step gpu found two GPUs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"

static bool always(void *data)
{
	(void)data;
	return true;
}

static void print(int result, struct fault *why)
{
	char *line;

	for (line = why->text; (line = strchr(line, '\n'));)
		*line = ':';
	if (result >= 0)
		printf("%s\n", result == STEP_CHANGED ? "changed" : "same");
	else
		printf("%s: %s\n", result == -EAGAIN ? "waiting" : "failed", why->text);
}

int main(int argc, char **argv)
{
	struct node node = { .root = -1, .alive = always };
	struct fault why = { 0 };
	long times = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
	int result = 0;

	if (argc < 3)
		return 2;
	node.seed_dir = argv[1];
	node.root = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (node_load(&node, &why) < 0) {
		printf("failed: %s\n", why.text);
		return 1;
	}
	if (argc > 4)
		node.gpu = (struct gpu_found){ .tested = true,
					       .count = 2,
					       .memory_mib = 81559,
					       .product = "NVIDIA-H100",
					       .driver = "580.95.05" };
	for (; times > 0; times--) {
		why = (struct fault){ 0 };
		result = task_objects(&node, &why);
	}
	print(result, &why);
	node_done(&node);
	return 0;
}
