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
#include "cluster/plan_registry.h"
#include "registry/registry.h"

DEFINE_DROP(dir, DIR *, closedir)

enum { HOSTS_MAX = 1 << 20 };

/* What the plan writes into a registry's folder; what shows that it is ours goes last. */
static const char *const files[] = { "ca.crt", "client.cert", "client.key", "hosts.toml" };

static bool is_planned(const struct plan *plan, const char *path)
{
	size_t i;

	for (i = 0; i < plan->n; i++)
		if (strcmp(plan->actions[i].path, path) == 0)
			return true;
	return false;
}

static bool is_ours(int root, const char *host)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_wipe) struct text hosts = { 0 };
	struct fault ignored = { 0 };

	text_addf(&path, PLAN_CERTS_D "%s/hosts.toml", host);
	return text_error(&path) == 0 &&
	       fs_read(root, text_str(&path), HOSTS_MAX, &hosts, &ignored) >= 0 &&
	       strncmp(text_str(&hosts), REGISTRY_HOSTS_HEAD, strlen(REGISTRY_HOSTS_HEAD)) == 0;
}

static int tidy(int root, const struct plan *plan, const char *host, struct fault *why)
{
	scoped(text_done) struct text folder = { 0 };
	int outcome = FS_SAME;
	size_t i;
	int r;

	for (i = 0; i < COUNT(files); i++) {
		scoped(text_done) struct text path = { 0 };

		text_addf(&path, PLAN_CERTS_D "%s/%s", host, files[i]);
		if (text_error(&path) < 0)
			return fault_errno(why, ENOMEM, "%s", host);
		r = is_planned(plan, text_str(&path)) ? FS_SAME
						      : fs_remove(root, text_str(&path), why);
		if (r < 0)
			return r;
		outcome = r == FS_CHANGED ? FS_CHANGED : outcome;
	}
	text_addf(&folder, PLAN_CERTS_D "%s", host);
	if (text_error(&folder) < 0)
		return fault_errno(why, ENOMEM, "%s", host);
	/* Where something else lies in it, it stays. */
	if (outcome == FS_CHANGED && unlinkat(root, text_str(&folder) + 1, AT_REMOVEDIR) < 0 &&
	    errno != ENOTEMPTY && errno != EEXIST)
		return fault_errno(why, errno, "%s", text_str(&folder));
	return outcome;
}

int stray_registries(int root, const struct plan *plan, struct fault *why)
{
	int fd = openat(root, &PLAN_CERTS_D[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(drop_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int outcome = FS_SAME;
	int r = 0;

	if (!dir) {
		r = errno;
		drop_fd(&fd);
		return r == ENOENT ? FS_SAME : fault_errno(why, r, PLAN_CERTS_D);
	}
	while (r >= 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !is_ours(root, entry->d_name))
			continue;
		r = tidy(root, plan, entry->d_name, why);
		outcome = r == FS_CHANGED ? FS_CHANGED : outcome;
	}
	return r < 0 ? r : outcome;
}
