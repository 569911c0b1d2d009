/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"
#include "image/command.h"

static void print_json(const struct invocation *in, const struct complaints *c)
{
	scoped(text_done) struct text out = { 0 };

	complaints_json(c, in->file, &out);
	fputs(text_str(&out), stdout);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* The complaints on stderr, as a compiler has it, and what it comes to. */
static void print_text(const struct invocation *in, const struct model *m,
		       const struct complaints *c, const struct text *source)
{
	scoped(text_done) struct text out = { 0 };
	size_t n_warnings = 0;
	size_t i;

	for (i = 0; i < c->n; i++)
		n_warnings += c->list[i].severity == COMPLAINT_WARNING;
	complaints_print(c, in->file, text_str(source), source->len, &out);
	fputs(text_str(&out), stderr);
	if (in->quiet)
		return;
	if (c->n_errors)
		fprintf(stderr, "%s: %zu error%s, %zu warning%s\n", in->file, c->n_errors,
			plural(c->n_errors), n_warnings, plural(n_warnings));
	else if (n_warnings)
		printf("%s: good: %zu node%s, %zu warning%s\n", in->file, m->n_nodes,
		       plural(m->n_nodes), n_warnings, plural(n_warnings));
	else
		printf("%s: good: %zu node%s\n", in->file, m->n_nodes, plural(m->n_nodes));
}

static int check(const struct invocation *in, struct fault *why)
{
	scoped(complaints_done) struct complaints complaints = { 0 };
	scoped(model_done) struct model model = { 0 };
	scoped(text_done) struct text source = { 0 };
	scoped(drop_fd) int folder = -1;
	int r;

	if (in->n_args) {
		fprintf(stderr, "rackseed: check takes no argument: name the file with -f\n");
		return EXIT_MISUSE;
	}
	r = document_load(AT_FDCWD, in->file, &model, &complaints, &source, why);
	if (r < 0)
		return r;
	folder = command_folder(in, why);
	if (folder < 0)
		return folder;
	document_check_files(&model, folder, &complaints);
	complaints_sort(&complaints);
	if (in->json)
		print_json(in, &complaints);
	else
		print_text(in, &model, &complaints, &source);
	return complaints.n_errors ? EXIT_BAD_FILE : EXIT_DONE;
}

const struct command cmd_check = {
	.name = "check",
	.synopsis = "",
	.help = "check the file and complain of all that is wrong with it",
	.run = check,
};
