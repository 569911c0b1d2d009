/* SPDX-License-Identifier: MIT */
#include "firstboot/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"

static int find_owner(const char *owner, uid_t *ret_uid, gid_t *ret_gid, struct fault *why)
{
	size_t n = strcspn(owner, ":");
	scoped(text_done) struct text user = { 0 };
	const struct passwd *pw;
	const struct group *gr;

	text_add_n(&user, owner, n);
	if (text_error(&user) < 0)
		return fault_errno(why, ENOMEM, "account");
	pw = getpwnam(text_str(&user));
	gr = getgrnam(owner[n] ? owner + n + 1 : text_str(&user));
	if (!pw || !gr)
		return fault_set(why, ENOENT, "there is no %s '%s' on this machine",
				 pw ? "group" : "account", owner);
	*ret_uid = pw->pw_uid;
	*ret_gid = gr->gr_gid;
	return 0;
}

static int open_folder(int root, const char *path, bool *made, struct fault *why)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	const char *below = path + strspn(path, "/");
	int fd = openat(root, below, flags);
	int r;

	if (fd < 0 && errno == ENOENT) {
		*made = true;
		r = fs_mkdirs(root, path, 0755, why);
		if (r < 0)
			return r;
		fd = openat(root, below, flags);
	}
	return fd < 0 ? fault_errno(why, errno, "%s", path) : fd;
}

int folder_make(int root, const char *path, mode_t mode, const char *owner, struct fault *why)
{
	bool made = false;
	scoped(drop_fd) int fd = open_folder(root, path, &made, why);
	struct stat st;
	uid_t uid = 0;
	gid_t gid = 0;
	int r = fd < 0 ? fd : find_owner(owner, &uid, &gid, why);

	if (r < 0)
		return fault_wrap(why, "folder '%s'", path);
	if (fstat(fd, &st) < 0)
		return fault_errno(why, errno, "folder '%s'", path);
	if (!made && st.st_uid == uid && st.st_gid == gid && (st.st_mode & 07777) == mode)
		return FS_SAME;
	if (fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return fault_errno(why, errno, "folder '%s'", path);
	return FS_CHANGED;
}
