/* SPDX-License-Identifier: MIT */
#include "image/vm_data.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "cluster/model.h"

static int make(const char *path, uint64_t bytes, struct fault *why)
{
	scoped(text_done) struct text temp = { 0 };
	char size[32];
	const char *argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", NULL, size, NULL };
	struct fault ignored = { 0 };
	int r;

	text_addf(&temp, "%s.new", path);
	if (text_error(&temp) < 0)
		return fault_errno(why, ENOMEM, "%s", path);
	snprintf(size, sizeof(size), "%" PRIu64, bytes);
	argv[5] = text_str(&temp);
	r = run(&(struct run){ .argv = argv }, why);
	/* Fails where somebody else was quicker: what is there is data. */
	if (r >= 0 && renameat2(AT_FDCWD, argv[5], AT_FDCWD, path, RENAME_NOREPLACE) < 0)
		r = fault_errno(why, errno, "%s", path);
	if (r < 0 && fs_remove(AT_FDCWD, argv[5], &ignored) < 0)
		return fault_wrap(why, "%s", ignored.text);
	return r < 0 ? r : 1;
}

int vm_data_make(const char *folder, const struct model_node *node, struct text *path,
		 struct fault *why)
{
	if (node->vm.data_bytes == 0)
		return 0;
	text_addf(path, "%s/%s.data.qcow2", folder, node->name);
	if (text_error(path) < 0)
		return fault_errno(why, ENOMEM, "%s", folder);
	if (faccessat(AT_FDCWD, text_str(path), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno != ENOENT)
		return fault_errno(why, errno, "%s", text_str(path));
	return make(text_str(path), node->vm.data_bytes, why);
}
