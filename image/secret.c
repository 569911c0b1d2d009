/* SPDX-License-Identifier: MIT */
#include "image/secret.h"

#include <errno.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"

enum { MAX_SECRET = 1 << 20 };

int secret_read(void *folder, const char *path, struct text *out, struct fault *why)
{
	scoped(text_done) struct text full = { 0 };
	int r;

	text_addf(&full, "secrets/%s", path);
	if (text_error(&full) < 0)
		return fault_errno(why, ENOMEM, "secrets");
	r = fs_read(*(const int *)folder, text_str(&full), MAX_SECRET, out, why);
	if (r == -ENOENT)
		return fault_set(why, ENOENT, "%s is not there: run 'rackseed secrets'",
				 text_str(&full));
	return r;
}
