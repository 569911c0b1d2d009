/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "image/inspect.h"
#include "image/progress.h"

static int inspect_image(const struct invocation *in, struct fault *why)
{
	scoped(inspection_done) struct inspection found = { 0 };
	scoped(text_done) struct text out = { 0 };
	struct progress progress;
	int r;

	progress_init(&progress, in->quiet);
	progress_phase(&progress, 0, "starting libguestfs");
	r = inspect(in->args[0], &found, why);
	progress_drop(&progress);
	if (r < 0)
		return r;
	if (in->json)
		inspection_json(&found, &out);
	else
		inspection_print(&found, &out);
	if (text_error(&out) < 0)
		return fault_errno(why, ENOMEM, "%s", in->args[0]);
	fputs(text_str(&out), stdout);
	return found.seed_good < 0 ? EXIT_FAILED : EXIT_DONE;
}

const struct command cmd_inspect = {
	.name = "inspect",
	.synopsis = "IMAGE",
	.help = "shows what an image holds, without starting or changing it",
	.min_args = 1,
	.max_args = 1,
	.run = inspect_image,
};
