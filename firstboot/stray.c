/* SPDX-License-Identifier: MIT */
#include "firstboot/stray.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/plan.h"
#include "firstboot/units.h"
#include "storage/storage.h"

DEFINE_DROP(dir, DIR *, closedir)

enum { UNIT_MAX = 64 << 10, STOP_S = 45 };

static const struct {
	const char *folder, *suffix;
	bool is_unit;
} places[] = {
	{ "/etc/systemd/system/", ".mount", true },
	{ PLAN_CREDENTIALS_D, ".cred", false },
};

static bool is_planned(const struct plan *plan, const char *path)
{
	size_t i;

	for (i = 0; i < plan->n; i++)
		if (strcmp(plan->actions[i].path, path) == 0)
			return true;
	return false;
}

static bool ends_so(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0;
}

static bool is_ours(int root, const char *path)
{
	scoped(text_done) struct text unit = { 0 };
	struct fault ignored = { 0 };

	return fs_read(root, path, UNIT_MAX, &unit, &ignored) >= 0 &&
	       strncmp(text_str(&unit), STORAGE_MOUNT_HEAD, strlen(STORAGE_MOUNT_HEAD)) == 0;
}

/* The paths of a place's files that the plan has not, a line each. */
static void list_strays(int root, const struct plan *plan, size_t place, struct text *out)
{
	int fd = openat(root, places[place].folder + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(drop_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		scoped(text_done) struct text path = { 0 };

		if (!ends_so(entry->d_name, places[place].suffix))
			continue;
		text_addf(&path, "%s%s", places[place].folder, entry->d_name);
		if (!is_planned(plan, text_str(&path)) &&
		    (!places[place].is_unit || is_ours(root, text_str(&path))))
			text_addf(out, "%s\n", text_str(&path));
	}
}

static int remove_one(int root, size_t place, const char *path, struct sd_bus *bus,
		      const struct units_tick *tick, struct fault *why)
{
	int r = 0;

	if (places[place].is_unit)
		r = units_stop(bus, path + strlen(places[place].folder), STOP_S, tick, why);
	return r < 0 ? r : fs_remove(root, path, why);
}

int stray_shares(int root, const struct plan *plan, struct sd_bus *bus,
		 const struct units_tick *tick, struct fault *why)
{
	int outcome = FS_SAME;
	size_t i, n;
	int r;

	for (i = 0; i < COUNT(places); i++) {
		scoped(text_done) struct text paths = { 0 };
		const char *at;

		list_strays(root, plan, i, &paths);
		for (at = text_str(&paths); *at; at += n + 1) {
			scoped(text_done) struct text path = { 0 };

			n = strcspn(at, "\n");
			text_add_n(&path, at, n);
			r = remove_one(root, i, text_str(&path), bus, tick, why);
			if (r < 0)
				return fault_wrap(why, "%s", text_str(&path));
			outcome = FS_CHANGED;
		}
	}
	return outcome;
}
