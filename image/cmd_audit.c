/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/audit.h"
#include "cluster/seed.h"
#include "image/audit.h"
#include "image/progress.h"

static const struct command_option options[] = {
	{ "root", "DIR", "audits a root file system in a folder, not an image" },
	{ "seed", "DIR", "with --root: the folder of the seed that belongs to it" },
	{ "junit", NULL, "the results as JUnit's XML, for CI" },
	{ NULL, NULL, NULL },
};

static int look_in_folder(const char *root, const char *seed_dir, struct audit *ret,
			  struct fault *why)
{
	scoped(drop_fd) int fd = seed_dir ? open(seed_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	scoped(seed_done) struct seed seed = { 0 };
	int r = seed_dir && fd < 0 ? fault_errno(why, errno, "%s", seed_dir) : 0;

	if (r == 0 && seed_dir)
		r = seed_read(fd, &seed, why);
	return r < 0 ? r : audit_folder(root, seed_dir ? &seed : NULL, ret, why);
}

static int look(const struct invocation *in, const char *root, struct audit *ret, struct fault *why)
{
	struct progress progress;
	int r;

	if (root)
		return look_in_folder(root, command_value(in, "seed"), ret, why);
	progress_init(&progress, in->quiet);
	progress_phase(&progress, 0, "looking at every file of %s", in->args[0]);
	r = audit_image(in->args[0], ret, why);
	progress_drop(&progress);
	return r;
}

static int audit(const struct invocation *in, struct fault *why)
{
	const char *root = command_value(in, "root");
	scoped(audit_done) struct audit found = { 0 };
	scoped(text_done) struct text out = { 0 };
	const char *what;
	int r;

	if (in->n_args != (root ? 0 : 1) || (command_value(in, "seed") && !root)) {
		fprintf(stderr, "rackseed: audit takes one image, or --root with a folder "
				"(see rackseed audit --help)\n");
		return EXIT_MISUSE;
	}
	what = root ? root : in->args[0];
	r = look(in, root, &found, why);
	if (r < 0)
		return r;
	if (command_value(in, "junit"))
		audit_junit(&found, what, &out);
	else if (in->json)
		audit_json(&found, what, &out);
	else
		audit_print(&found, what, &out);
	if (text_error(&out) < 0)
		return fault_errno(why, ENOMEM, "%s", what);
	fputs(text_str(&out), stdout);
	return found.counts[AUDIT_FAIL] ? EXIT_FAILED : EXIT_DONE;
}

const struct command cmd_audit = {
	.name = "audit",
	.synopsis = "IMAGE",
	.help = "judges an image by the CIS benchmark and rackseed's own rules; changes nothing",
	.options = options,
	.run = audit,
};
