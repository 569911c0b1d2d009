/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/complaint.h"
#include "cluster/model.h"
#include "image/command.h"
#include "image/live.h"

static const struct command_option options[] = {
	{ "live", NULL, "ask the servers of the shares as well, from this machine" },
	{ NULL, NULL, NULL },
};

/* shares: what was found out about them, or NULL when nobody asked. */
static void print_json(const struct invocation *in, const struct complaints *c, const char *shares)
{
	scoped(text_done) struct text out = { 0 };

	text_add(&out, shares ? "{\"complaints\": " : "");
	complaints_json(c, in->file, &out);
	if (shares)
		text_addf(&out, ",\"shares\": %s}\n", shares);
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
	scoped(text_done) struct text shares = { 0 };
	scoped(drop_fd) int folder = -1;
	bool live = command_value(in, "live") != NULL;
	int r;

	r = command_judge(in, &model, &complaints, &source, why);
	if (r < 0)
		return r;
	folder = command_folder(in, why);
	if (folder < 0)
		return folder;
	/* Of a file with errors nobody can say what it means. */
	live = live && !complaints.n_errors;
	r = live ? live_shares(&model, folder, in->json, &shares, why) : LIVE_GOOD;
	if (r < 0)
		return r;
	if (in->json)
		print_json(in, &complaints, live ? text_str(&shares) : NULL);
	else
		print_text(in, &model, &complaints, &source);
	if (!in->json)
		fputs(text_str(&shares), stdout);
	return complaints.n_errors ? EXIT_BAD_FILE : r == LIVE_BAD ? EXIT_FAILED : EXIT_DONE;
}

const struct command cmd_check = {
	.name = "check",
	.synopsis = "[--live]",
	.options = options,
	.help = "check the file and complain of all that is wrong with it",
	.uses_files = true,
	.run = check,
};
