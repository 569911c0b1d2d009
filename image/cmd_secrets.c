/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/pki.h"

/* Opens secrets/ in the folder, made 0700 where it is missing: mkdir alone would obey the umask. */
static int open_secrets(int folder, struct fault *why)
{
	int made = mkdirat(folder, "secrets", 0700);
	int fd;

	if (made < 0 && errno != EEXIST)
		return fault_errno(why, errno, "cannot make folder secrets");
	fd = openat(folder, "secrets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(why, errno, "secrets");
	if (made == 0 && (fchmod(fd, 0700) < 0 || fsync(folder) < 0)) {
		int r = fault_errno(why, errno, "secrets");

		close(fd);
		return r;
	}
	return fd;
}

static int secrets_run(const struct invocation *in, struct fault *why)
{
	scoped(model_done) struct model m = { 0 };
	scoped(text_done) struct text report = { 0 };
	int r = command_load(in, &m, NULL, why);
	scoped(drop_fd) int folder = r == 0 ? command_folder(in, why) : -1;
	scoped(drop_fd) int secrets = folder >= 0 ? open_secrets(folder, why) : -1;

	if (r != 0)
		return r;
	if (secrets < 0)
		return -why->code;
	r = pki_create(&m, secrets, (int64_t)time(NULL), &report, why);
	if (r == 0)
		r = pki_passwords(&m, folder, &report, why);
	/* What was made is told even when the rest was not. */
	fputs(text_str(&report), stdout);
	if (r == 0 && report.len == 0)
		puts("nothing to do");
	return r < 0 ? r : EXIT_DONE;
}

const struct command cmd_secrets = {
	.name = "secrets",
	.synopsis = "",
	.help = "makes what is missing in secrets/: authorities, keys, token, passwords",
	.run = secrets_run,
};
