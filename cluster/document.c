/* SPDX-License-Identifier: MIT */
#include "cluster/document.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/complaint.h"
#include "cluster/model.h"

/* What is wrong with the file itself, as its first complaint and its last. */
static void not_read(int r, struct complaints *c)
{
	const struct model_mark first = { .line = 1, .column = 1 };

	if (r == -EISDIR)
		complaint_add(c, COMPLAINT_ERROR, first, "not-file", NULL,
			      "name the file in it, such as cluster.yaml", "this is a folder");
	else
		complaint_add(c, COMPLAINT_ERROR, first, "too-large", NULL, NULL,
			      "the file is larger than %d MiB", DOCUMENT_MAX >> 20);
}

int document_load(int dirfd, const char *path, struct model *ret, struct complaints *c,
		  struct text *source, struct fault *why)
{
	/* base/fs takes every path for one below its folder; an absolute one is below '/'. */
	scoped(drop_fd) int root = path[0] == '/' ? open("/", O_PATH | O_CLOEXEC) : -1;
	int r = fs_read(root >= 0 ? root : dirfd, path, DOCUMENT_MAX, source, why);

	*ret = (struct model){ 0 };
	if (r == -EFBIG || r == -EISDIR) {
		not_read(r, c);
		text_done(source);
		return 0;
	}
	if (r == 0)
		r = document_parse(path, text_str(source), source->len, ret, c, why);
	if (r < 0)
		return r;
	document_check(ret, c);
	complaints_sort(c);
	return 0;
}
