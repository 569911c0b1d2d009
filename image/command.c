/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"
#include "image/lint.h"

const char *command_value(const struct invocation *in, const char *name)
{
	const struct command_option *o = in->command->options;
	size_t i;

	for (i = 0; o && o[i].name; i++)
		if (strcmp(o[i].name, name) == 0)
			return in->values[i];
	return NULL;
}

static int check_files(const struct invocation *in, const struct model *m, struct complaints *c,
		       struct fault *why)
{
	int folder = command_folder(in, why);

	if (folder < 0)
		return folder;
	document_check_files(m, folder, c);
	close(folder);
	return 0;
}

int command_judge(const struct invocation *in, struct model *ret, struct complaints *c,
		  struct text *source, struct fault *why)
{
	int r = document_load(AT_FDCWD, in->file, ret, c, source, why);

	if (r == -ENOENT)
		return fault_set(why, ENOENT,
				 "%s is not there: `rackseed init` writes one to begin with",
				 in->file);
	if (r == 0)
		r = lint_networks(ret, source, c, why);
	if (r == 0 && in->command->uses_files)
		r = check_files(in, ret, c, why);
	complaints_sort(c);
	return r;
}

int command_load(const struct invocation *in, struct model *ret, struct text *source,
		 struct fault *why)
{
	scoped(complaints_done) struct complaints complaints = { 0 };
	scoped(text_done) struct text bytes = { 0 };
	scoped(text_done) struct text shown = { 0 };
	int r = command_judge(in, ret, &complaints, &bytes, why);

	if (r < 0)
		return r;
	complaints_print(&complaints, in->file, text_str(&bytes), bytes.len, &shown);
	fputs(text_str(&shown), stderr);
	if (source) {
		*source = bytes;
		bytes = (struct text){ 0 };
	}
	return complaints.n_errors ? EXIT_BAD_FILE : 0;
}

int command_folder(const struct invocation *in, struct fault *why)
{
	const char *slash = strrchr(in->file, '/');
	scoped(text_done) struct text dir = { 0 };
	int fd;

	if (slash)
		text_add_n(&dir, in->file, (size_t)(slash - in->file) + 1);
	else
		text_add(&dir, ".");
	fd = open(text_str(&dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fault_errno(why, errno, "%s", text_str(&dir)) : fd;
}

void command_out(const struct invocation *in, struct text *ret)
{
	const char *given = command_value(in, "out");
	const char *slash = strrchr(in->file, '/');

	if (!given && slash)
		text_add_n(ret, in->file, (size_t)(slash - in->file) + 1);
	text_add(ret, given ? given : "out");
}

int command_nodes(const struct invocation *in, const struct model *m, struct fault *why)
{
	scoped(text_done) struct text unknown = { 0 };
	size_t i;

	for (i = 0; i < in->n_args; i++)
		if (!model_node(m, in->args[i]))
			text_addf(&unknown, "%s'%s'", unknown.len ? ", " : "", in->args[i]);
	if (unknown.len == 0)
		return 0;
	return fault_set(why, EINVAL, "%s: no such node: %s", in->file, text_str(&unknown));
}
