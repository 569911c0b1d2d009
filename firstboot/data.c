/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "cluster/decide_data.h"
#include "cluster/disk.h"
#include "cluster/plan_data.h"
#include "firstboot/datadisk.h"
#include "firstboot/mounts.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"

/*
 * The step data: where a node has a disk of its own for what it serves, that is mounted before
 * anything is served. It is made a file system of only when nothing at all is on it.
 */

/* Which disk we began with, from before mkfs until after its label is written. */
#define BEGUN_PATH "/var/lib/rackseed/data-begun"

DEFINE_DROP(bus, struct sd_bus *, units_close)

enum { MOUNT_S = 90, MAKE_S = 600, LOOK_MS = 30000, FILE_MAX = 1 << 20 };

struct work {
	struct node *node;
	struct sd_bus *bus;
	struct units_tick tick;
	struct disk disk;
	char label[DECIDE_DATA_LABEL_LEN];
	struct text device, identity;
};

static void work_done(struct work *w)
{
	text_done(&w->device);
	text_done(&w->identity);
}

static int reload(struct fault *why)
{
	scoped(drop_bus) struct sd_bus *bus = NULL;
	int r = units_open(&bus, why);

	return r < 0 ? r : units_reload(bus, why);
}

/* The file has no such disk (any more): a unit of ours would keep the registry waiting for it. */
static int retire(struct node *node, struct fault *why)
{
	scoped(text_done) struct text unit = { 0 };
	struct fault ignored = { 0 };
	int r;

	if (fs_read(node->root, PLAN_DATA_PATH, FILE_MAX, &unit, &ignored) < 0 ||
	    strncmp(text_str(&unit), PLAN_DATA_HEAD, sizeof(PLAN_DATA_HEAD) - 1) != 0)
		return STEP_SAME;
	r = fs_remove(node->root, PLAN_DATA_PATH, why);
	if (r >= 0)
		r = reload(why);
	return r < 0 ? r : STEP_CHANGED;
}

/* 1: the disk is mounted where it belongs; 0: nothing is. */
static int is_mounted(const struct work *w, struct fault *why)
{
	scoped(text_done) struct text mountinfo = { 0 };
	struct stat st;
	int r = fs_read(w->node->root, "proc/self/mountinfo", FILE_MAX, &mountinfo, why);

	if (r < 0)
		return r;
	if (!mounts_has(text_str(&mountinfo), MODEL_DATA_FOLDER))
		return 0;
	if (fstatat(w->node->root, &MODEL_DATA_FOLDER[1], &st, AT_NO_AUTOMOUNT) < 0)
		return fault_errno(why, errno, MODEL_DATA_FOLDER);
	if (st.st_dev == makedev(w->disk.major, w->disk.minor))
		return 1;
	return fault_set(why, EBUSY,
			 "%u:%u is mounted at " MODEL_DATA_FOLDER " and not the disk for data, %s",
			 major(st.st_dev), minor(st.st_dev), w->disk.name);
}

static bool is_begun(const struct work *w)
{
	scoped(text_done) struct text begun = { 0 };
	struct fault ignored = { 0 };

	return fs_read(w->node->root, BEGUN_PATH, FILE_MAX, &begun, &ignored) >= 0 &&
	       strcmp(text_str(&begun), text_str(&w->identity)) == 0;
}

/* Signatures by libblkid's eyes, and with ours whether it is empty elsewhere. */
static int look(struct work *w, enum decide_data *ret, struct text *holds, struct fault *why)
{
	const char *const argv[] = { "wipefs", "--parsable", text_str(&w->device), NULL };
	scoped(text_done) struct text signatures = { 0 };
	scoped(text_done) struct text held = { 0 };
	struct data_facts facts = { .begun = is_begun(w) };
	scoped(drop_fd) int fd =
		openat(w->node->root, text_str(&w->device) + 1, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int r;

	if (fd < 0)
		return fault_errno(why, errno, "%s", text_str(&w->device));
	r = datadisk_zeros(fd, &w->tick, why);
	if (r < 0)
		return fault_wrap(why, "%s", text_str(&w->device));
	facts.zeros = r;
	r = run(&(struct run){ .argv = argv, .out = &signatures, .timeout_ms = LOOK_MS }, why);
	if (r < 0)
		return r;
	datadisk_held(w->node->root, &w->disk, &held);
	facts.signatures = text_str(&signatures);
	facts.held = text_str(&held);
	if (text_error(&signatures) < 0 || text_error(&held) < 0)
		return fault_errno(why, ENOMEM, "%s", text_str(&w->device));
	*ret = decide_data(&facts, w->label, holds);
	return 0;
}

/* As a unit of its own: this service may read disks, but not write them. */
static int let_run(struct work *w, const char *unit, const char *const *argv, struct fault *why)
{
	const struct units_transient what = { .unit = unit,
					      .description = "Make the file system for data",
					      .argv = argv,
					      .limit_s = MAKE_S };

	return units_run(w->bus, &what, &w->tick, why);
}

/*
 * The note comes before the first byte, and the label after the last: whatever a power cut leaves
 * is either whole, or known as ours to be made again.
 */
static int make(struct work *w, struct fault *why)
{
	const char *const mkfs[] = {
		"/usr/sbin/mkfs.ext4", "-q", "-F", "-E", "nodiscard", "-L", DECIDE_DATA_MAKING,
		text_str(&w->device),  NULL
	};
	const char *const label[] = { "/usr/sbin/tune2fs", "-L", w->label, text_str(&w->device),
				      NULL };
	int r = fs_write(w->node->root, BEGUN_PATH, 0600, text_str(&w->identity), w->identity.len,
			 why);

	if (r >= 0)
		r = let_run(w, "rackseed-data-make.service", mkfs, why);
	if (r >= 0)
		r = let_run(w, "rackseed-data-label.service", label, why);
	return r < 0 ? r : fs_remove(w->node->root, BEGUN_PATH, why);
}

/* Another disk may bear the label, too; then this one is not what was mounted. */
static int mount(struct work *w, struct fault *why)
{
	struct fault ignored = { 0 };
	int r = units_start(w->bus, PLAN_DATA_UNIT, MOUNT_S, &w->tick, why);

	if (r < 0)
		return r;
	r = is_mounted(w, why);
	if (r == 0)
		return fault_set(why, EIO, PLAN_DATA_UNIT " is up, but nothing is mounted");
	if (r == -EBUSY && units_stop(w->bus, PLAN_DATA_UNIT, MOUNT_S, &w->tick, &ignored) < 0)
		return fault_wrap(why, "%s", ignored.text);
	return r < 0 ? r : STEP_CHANGED;
}

static int bring_up(struct work *w, struct fault *why)
{
	scoped(text_done) struct text holds = { 0 };
	enum decide_data decision = DECIDE_DATA_REFUSE;
	int r = look(w, &decision, &holds, why);

	if (r < 0)
		return r;
	switch (decision) {
	case DECIDE_DATA_REFUSE:
		return fault_set(why, EEXIST,
				 "the disk for data, %s, %s: it is left as it is. When nothing of "
				 "it is needed, empty it with blkdiscard -z",
				 w->disk.name, text_str(&holds));
	case DECIDE_DATA_MAKE:
		r = make(w, why);
		break;
	case DECIDE_DATA_MOUNT:
		/* Whole, though perhaps the power went before we could say so. */
		r = fs_remove(w->node->root, BEGUN_PATH, why);
		break;
	}
	return r < 0 ? r : mount(w, why);
}

static int begin(struct work *w, struct fault *why)
{
	const struct model_disk *want = &w->node->self->data;
	int r = datadisk_find(w->node->root, want, &w->disk, why);

	if (r < 0)
		return r;
	decide_data_label(w->node->model.name, w->node->self->name, w->label);
	text_addf(&w->device, "/dev/%s", w->disk.name);
	text_addf(&w->identity, "serial=%s wwn=%s bytes=%llu\n", w->disk.serial, w->disk.wwn,
		  (unsigned long long)w->disk.size_bytes);
	if (text_error(&w->device) < 0 || text_error(&w->identity) < 0)
		return fault_errno(why, ENOMEM, "%s", w->disk.name);
	return is_mounted(w, why);
}

int task_data(struct node *node, struct fault *why)
{
	scoped(work_done) struct work w = { .node = node, .tick = task_tick(node) };
	scoped(drop_bus) struct sd_bus *bus = NULL;
	int changed, r;

	if (!model_has_data(node->self))
		return retire(node, why);
	changed = node_apply(node, PLAN_DATA, why);
	if (changed < 0)
		return changed;
	r = changed == STEP_CHANGED ? reload(why) : 0;
	if (r >= 0)
		r = begin(&w, why);
	if (r != 0)
		return r < 0 ? r : changed;
	r = units_open(&bus, why);
	w.bus = bus;
	return r < 0 ? r : bring_up(&w, why);
}
