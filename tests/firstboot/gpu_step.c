/* SPDX-License-Identifier: MIT */
/*
 * gpu_step SEED ROOT HANDS [TIMES]: the step gpu of the node whose seed it is, over the tree ROOT.
 * What systemd runs on a node is run here from the folder HANDS by its last name, with ROOT in its
 * environment: tests/firstboot/gpu has stand-ins for modprobe and the vendor's programs. A unit is
 * made active by HANDS/start, which ends with 5 where there is none of that name.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/run.h"
#include "base/text.h"
#include "firstboot/gpu.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"

struct place {
	const char *root, *hands;
};

static bool always(void *data)
{
	(void)data;
	return true;
}

static int run_at(const struct place *place, const char *const *argv, struct fault *why)
{
	const char *words[16] = { NULL };
	struct text program = { 0 }, root = { 0 };
	const char *env[] = { NULL, NULL };
	const char *slash = strrchr(argv[0], '/');
	size_t i;
	int r;

	text_addf(&program, "%s/%s", place->hands, slash ? slash + 1 : argv[0]);
	text_addf(&root, "ROOT=%s", place->root);
	words[0] = text_str(&program);
	for (i = 1; argv[i] && i + 1 < sizeof(words) / sizeof(words[0]); i++)
		words[i] = argv[i];
	env[0] = text_str(&root);
	r = run(&(struct run){ .argv = words, .env = env }, why);
	text_done(&program);
	text_done(&root);
	return r;
}

static int run_program(void *data, const char *const *argv, struct fault *why)
{
	return run_at(data, argv, why);
}

static int start_unit(void *data, const char *unit, struct fault *why)
{
	const char *const argv[] = { "start", unit, NULL };
	int r = run_at(data, argv, why);

	if (r < 0 && strstr(why->text, "is not installed"))
		return fault_set(why, ENOENT, "%s is not installed", unit);
	return r;
}

static void print(int result, const struct node *node, const struct fault *why)
{
	if (result >= 0)
		printf("%s: %s\n", result == STEP_CHANGED ? "changed" : "same", why->text);
	else
		printf("failed: %s\n", why->text);
	if (node->gpu.tested)
		printf("labels: %u %s %" PRIu64 " %s\n", node->gpu.count, node->gpu.product,
		       node->gpu.memory_mib, node->gpu.driver);
}

int main(int argc, char **argv)
{
	struct node node = { .root = -1, .alive = always };
	struct place place = { 0 };
	const struct gpu_hands hands = { .run = run_program, .start = start_unit, .data = &place };
	struct fault why = { 0 };
	long times = argc > 4 ? strtol(argv[4], NULL, 10) : 1;

	if (argc < 4)
		return 2;
	node.seed_dir = argv[1];
	place = (struct place){ argv[2], argv[3] };
	node.root = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (node_load(&node, &why) < 0) {
		printf("failed: %s\n", why.text);
		return 1;
	}
	for (; times > 0; times--) {
		why = (struct fault){ 0 };
		print(gpu_settle(&node, &hands, &why), &node, &why);
	}
	node_done(&node);
	return 0;
}
