/* SPDX-License-Identifier: MIT */
#include "firstboot/snapshots.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "firstboot/etcd.h"
#include "firstboot/node.h"
#include "firstboot/steps.h"
#include "firstboot/tasks.h"

static const char *below_root(const char *path)
{
	path += strspn(path, "/");
	return *path ? path : ".";
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

bool snapshots_lie_below(const struct node *node, const char *folder)
{
	return is_below(node->model.snapshots.path, folder);
}

/* The mount of a share of the file that the snapshots lie on, or NULL: this node's own disk. */
static const char *share_of(const struct node *node)
{
	const struct model_share *s = node->model.shares;
	const struct model_share *end = s + node->model.n_shares;

	for (; s < end; s++)
		if (s->mount && is_below(node->model.snapshots.path, s->mount))
			return s->mount;
	return NULL;
}

/* A folder that nothing is mounted on lies on the file system of its parent. */
static bool is_mounted(int root, const char *mount)
{
	scoped(drop_fd) int fd = openat(root, below_root(mount), O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat own, parent;

	return fd >= 0 && fstat(fd, &own) == 0 && fstatat(fd, "..", &parent, 0) == 0 &&
	       own.st_dev != parent.st_dev;
}

void snapshots_look(const struct node *node, struct snapshots_found *ret)
{
	const char *path = node->model.snapshots.path;
	const char *share = share_of(node);
	scoped(drop_fd) int folder = -1;
	struct fault ignored = { 0 };
	int r;

	*ret = (struct snapshots_found){ .state = SNAPSHOTS_NONE };
	if (share && !is_mounted(node->root, share)) {
		ret->state = SNAPSHOTS_SILENT;
		return;
	}
	folder = openat(node->root, below_root(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		/* Not there is empty; what cannot be read may hold something. */
		if (errno != ENOENT)
			ret->state = SNAPSHOTS_SILENT;
		return;
	}
	r = snapshot_newest(folder, ret->name, &ignored);
	ret->state = r == 0 ? SNAPSHOTS_FOUND : r == -ENOENT ? SNAPSHOTS_NONE : SNAPSHOTS_SILENT;
}

/* By its name; one that lies on a share that went away is found by nobody. */
static bool is_latest(const struct node *node, const char *name)
{
	const char *share = share_of(node);
	char latest[SNAPSHOT_NAME_LEN];
	scoped(drop_fd) int folder = -1;
	struct fault ignored = { 0 };

	if (!name[0] || (share && !is_mounted(node->root, share)))
		return false;
	folder = openat(node->root, below_root(node->model.snapshots.path),
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder >= 0 && snapshot_latest(folder, latest, &ignored) == 0 &&
	       strcmp(latest, name) == 0;
}

int64_t snapshots_due_s(struct node *node, int64_t now)
{
	const int64_t every = (int64_t)node->model.snapshots.every_s;
	struct snapshots_found found = { .state = SNAPSHOTS_FOUND };
	int64_t taken, due;

	/* All of it is hashed once, and not at every look at the time. */
	if (!is_latest(node, node->whole_snapshot)) {
		snapshots_look(node, &found);
		memcpy(node->whole_snapshot, found.name, sizeof(found.name));
	}
	if (found.state != SNAPSHOTS_FOUND || snapshot_time(node->whole_snapshot, &taken) < 0)
		return 0;
	due = taken + every - now;
	/* One from the future was made while the clock was wrong. */
	return due < 0 || due > every ? 0 : due;
}

int snapshots_take(const struct node *node, struct fault *why)
{
	const char *path = node->model.snapshots.path;
	const char *share = share_of(node);
	char name[SNAPSHOT_NAME_LEN];
	scoped(drop_fd) int folder = -1;
	int r;

	if (!(node->self->roles & MODEL_CONTROL_PLANE))
		return STEP_SAME;
	/* Of such a time it would be the newest for years, and drive out the others. */
	if (!clock_fits(node, (int64_t)time(NULL)))
		return clock_wait(node, why);
	if (share && !is_mounted(node->root, share)) {
		fault_set(why, EAGAIN, "it is not mounted");
		return step_wait(why, "the share at %s for a snapshot of etcd", share);
	}
	r = fs_mkdirs(node->root, path, 0700, why);
	if (r < 0)
		return r;
	folder = openat(node->root, below_root(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return fault_errno(why, errno, "%s", path);
	snapshot_name((int64_t)time(NULL), name);
	r = etcd_snapshot(node, folder, name, why);
	if (r >= 0)
		r = snapshot_prune(folder, node->model.snapshots.keep, why);
	return r < 0 ? fault_wrap(why, "snapshot of etcd to %s", path) : STEP_CHANGED;
}

int task_snapshots(struct node *node, struct fault *why)
{
	int r;

	if (!(node->self->roles & MODEL_CONTROL_PLANE) ||
	    snapshots_due_s(node, (int64_t)time(NULL)) > 0)
		return STEP_SAME;
	if (!clock_fits(node, (int64_t)time(NULL)))
		return clock_wait(node, why);
	r = snapshots_take(node, why);
	/* A disk that is full is for a person; etcd itself comes and goes. */
	if (r < 0 && r != -EAGAIN && r != -ENOSPC && r != -EROFS && r != -EIO)
		return step_wait(why, "etcd to give a snapshot");
	return r;
}
