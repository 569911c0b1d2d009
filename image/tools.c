/* SPDX-License-Identifier: MIT */
#include "image/tools.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"

#define PROGRAM "usr/sbin/rackseed-firstboot"

DEFINE_DROP(string, char *, free)

static const struct {
	const char *program, *package;
	bool only_qcow2;
} tools[] = {
	{ "mmdebstrap", "mmdebstrap", false }, { "tar", "tar", false },
	{ "chroot", "coreutils", false },      { "sha256sum", "coreutils", false },
	{ "unshare", "util-linux", false },    { "setpriv", "util-linux", false },
	{ "mke2fs", "e2fsprogs", false },      { "mformat", "mtools", false },
	{ "mcopy", "mtools", false },	       { "dpkg-deb", "dpkg", false },
	{ "qemu-img", "qemu-utils", true },    { "qemu-io", "qemu-utils", true },
};

static bool on_path(const char *program)
{
	const char *path = getenv("PATH");
	char full[PATH_MAX];

	for (; path && *path; path += strspn(path, ":")) {
		size_t n = strcspn(path, ":");

		snprintf(full, sizeof(full), "%.*s/%s", (int)n, path, program);
		if (access(full, X_OK) == 0)
			return true;
		path += n;
	}
	return false;
}

int tools_check(bool qcow2, struct fault *why)
{
	scoped(text_done) struct text missing = { 0 };
	size_t i;

	for (i = 0; i < COUNT(tools); i++)
		if ((qcow2 || !tools[i].only_qcow2) && !on_path(tools[i].program))
			text_addf(&missing, "%s'%s' (package %s)", missing.len ? ", " : "",
				  tools[i].program, tools[i].package);
	if (missing.len == 0)
		return 0;
	return fault_set(why, ENOENT, "not installed on this machine: %s", text_str(&missing));
}

/* The absolute path of a candidate that holds the program, or NULL. */
static char *accept(const char *candidate)
{
	scoped(text_done) struct text program = { 0 };

	text_addf(&program, "%s/" PROGRAM, candidate);
	return access(text_str(&program), R_OK) == 0 ? realpath(candidate, NULL) : NULL;
}

int tools_node_tree(char **ret_path, struct fault *why)
{
	static const char *const places[] = { "node", "../lib/rackseed/node" };
	const char *own = getenv("RACKSEED_NODE_TREE");
	scoped(drop_string) char *exe = realpath("/proc/self/exe", NULL);
	char *found = NULL;
	size_t i;

	if (own && *own) {
		found = accept(own);
		if (!found)
			return fault_set(why, ENOENT,
					 "RACKSEED_NODE_TREE: no '" PROGRAM "' in '%s'", own);
	}
	for (i = 0; !found && exe && i < COUNT(places); i++) {
		scoped(text_done) struct text candidate = { 0 };

		text_addf(&candidate, "%.*s/%s", (int)(strrchr(exe, '/') - exe), exe, places[i]);
		found = accept(text_str(&candidate));
	}
	if (!found)
		return fault_set(why, ENOENT,
				 "what goes onto nodes is not beside this program: "
				 "install it, or let RACKSEED_NODE_TREE name it");
	*ret_path = found;
	return 0;
}
