/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/pki.h"

static int kubeconfig_run(const struct invocation *in, struct fault *why)
{
	scoped(model_done) struct model m = { 0 };
	scoped(text_wipe) struct text config = { 0 };
	int r = command_load(in, &m, NULL, why);
	scoped(drop_fd) int folder = r == 0 ? command_folder(in, why) : -1;
	scoped(drop_fd) int secrets = -1;

	if (r != 0)
		return r;
	if (folder < 0)
		return folder;
	secrets = openat(folder, "secrets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (secrets < 0 && errno == ENOENT)
		return fault_set(why, ENOENT, "secrets/ is not there: run 'rackseed secrets'");
	if (secrets < 0)
		return fault_errno(why, errno, "secrets");
	r = pki_kubeconfig(&m, secrets, (int64_t)time(NULL), &config, why);
	if (r == 0)
		fputs(text_str(&config), stdout);
	return r;
}

static const struct command_rule rules[] = { { "--json", NULL, NULL }, { NULL, NULL, NULL } };

const struct command cmd_kubeconfig = {
	.name = "kubeconfig",
	.synopsis = "",
	.help = "prints a kubeconfig for the administrator, signed here and valid for a year",
	.rules = rules,
	.run = kubeconfig_run,
};
