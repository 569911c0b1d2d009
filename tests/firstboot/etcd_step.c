/* SPDX-License-Identifier: MIT */
/*
 * etcd_step SEED ROOT take | look | leave | due | data FOLDER: what the node whose seed it is does
 * with etcd and its snapshots, once and below ROOT. Prints how that ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "firstboot/etcd.h"
#include "firstboot/node.h"
#include "firstboot/snapshots.h"
#include "firstboot/steps.h"
#include "firstboot/tasks.h"

static bool always(void *data)
{
	(void)data;
	return true;
}

static int take(const struct node *node, struct fault *why)
{
	int r = snapshots_take(node, why);

	if (r >= 0)
		puts(r == STEP_CHANGED ? "changed" : "same");
	return r;
}

static int look(const struct node *node)
{
	static const char *const states[] = { [SNAPSHOTS_NONE] = "none",
					      [SNAPSHOTS_FOUND] = "found",
					      [SNAPSHOTS_SILENT] = "silent" };
	struct snapshots_found found;

	snapshots_look(node, &found);
	printf("%s %s\n", states[found.state], found.name);
	return 0;
}

static int data(const struct node *node, const char *folder, struct fault *why)
{
	static const char *const kinds[] = { [ETCD_NONE] = "none",
					     [ETCD_FIT] = "fit",
					     [ETCD_DAMAGED] = "damaged" };
	enum etcd_data found;
	int r = etcd_look(node->root, folder, &found, why);

	if (r >= 0)
		puts(kinds[found]);
	return r;
}

static int leave(const struct node *node, struct fault *why)
{
	int r = etcd_leave(node, why);

	if (r >= 0)
		puts("gone");
	return r;
}

static int due(struct node *node)
{
	printf("%lld\n", (long long)snapshots_due_s(node, (int64_t)time(NULL)));
	return 0;
}

static int act(struct node *node, char **argv, struct fault *why)
{
	if (strcmp(argv[0], "take") == 0)
		return take(node, why);
	if (strcmp(argv[0], "look") == 0)
		return look(node);
	if (strcmp(argv[0], "leave") == 0)
		return leave(node, why);
	if (strcmp(argv[0], "due") == 0)
		return due(node);
	if (strcmp(argv[0], "data") == 0 && argv[1])
		return data(node, argv[1], why);
	return fault_set(why, EINVAL, "what is '%s'", argv[0]);
}

int main(int argc, char **argv)
{
	struct node node = { .root = -1, .alive = always };
	struct fault why = { 0 };
	int r;

	if (argc < 4)
		return 2;
	node.seed_dir = argv[1];
	node.root = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = node_load(&node, &why);
	if (r >= 0)
		r = act(&node, argv + 3, &why);
	if (r < 0)
		printf("%s: %s\n", r == -EAGAIN ? "waiting" : "failed", why.text);
	node_done(&node);
	drop_fd(&node.root);
	return 0;
}
