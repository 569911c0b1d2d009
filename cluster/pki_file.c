/* SPDX-License-Identifier: MIT */
#include "cluster/pki_crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/text.h"

enum { FILE_MAX = 1 << 20 };

int pki_present(int dirfd, const char *prefix, const char *path, struct fault *why)
{
	struct stat st;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;
	/* A link is the owner's business: what it leads to counts, and it must lead somewhere. */
	if (fstatat(dirfd, path, &st, 0) < 0)
		return fault_errno(why, errno, "%s%s", prefix, path);
	if (!S_ISREG(st.st_mode))
		return fault_set(why, EINVAL, "%s%s is not a file", prefix, path);
	if (st.st_mode & 077)
		return fault_set(why, EPERM,
				 "%s%s is open to others (mode %04o): run 'chmod 600 %s%s'", prefix,
				 path, st.st_mode & 07777, prefix, path);
	return 1;
}

/* Makes the folders that path lies in. A mode given to mkdir would be cut by the umask. */
static int make_parents(int dirfd, const char *path, struct fault *why)
{
	char dir[PATH_MAX];
	const char *slash = strchr(path, '/');

	for (; slash; slash = strchr(slash + 1, '/')) {
		if ((size_t)(slash - path) >= sizeof(dir))
			return fault_errno(why, ENAMETOOLONG, "%s", path);
		memcpy(dir, path, (size_t)(slash - path));
		dir[slash - path] = '\0';
		if (mkdirat(dirfd, dir, 0700) == 0) {
			if (fchmodat(dirfd, dir, 0700, 0) < 0)
				return fault_errno(why, errno, "%s", dir);
		} else if (errno != EEXIST) {
			return fault_errno(why, errno, "cannot make folder %s", dir);
		}
	}
	return 0;
}

int pki_write_file(int dirfd, const char *path, const struct text *content, struct fault *why)
{
	int r = text_error(content);

	if (r < 0)
		return fault_errno(why, r, "%s", path);
	r = make_parents(dirfd, path, why);
	if (r == 0)
		r = fs_write(dirfd, path, 0600, text_str(content), content->len, why);
	return r < 0 ? r : 0;
}

int pki_read_file(int dirfd, const char *path, struct text *out, struct fault *why)
{
	struct fault found = { 0 };
	int r = fs_read(dirfd, path, FILE_MAX, out, &found);

	if (r == -ENOENT)
		return fault_set(why, ENOENT, "secrets/%s is not there: run 'rackseed secrets'",
				 path);
	if (r < 0)
		return fault_set(why, r, "secrets/%s", found.text);
	if (strlen(text_str(out)) != out->len)
		return fault_set(why, EBADMSG, "secrets/%s is not text", path);
	return 0;
}
