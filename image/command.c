/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

/* Whether an option was given, or is the first argument what it has to be. */
static bool has_word(const struct invocation *in, const char *word)
{
	if (strncmp(word, "--", 2) != 0)
		return in->n_args > 0 && strcmp(in->args[0], word) == 0;
	return strcmp(word, "--json") == 0 ? in->json : command_value(in, word + 2) != NULL;
}

static bool breaks_rule(const struct invocation *in, const struct command_rule *rule,
			struct text *ret)
{
	if (!has_word(in, rule->option))
		return false;
	if (!rule->with && !rule->without)
		text_addf(ret, "nothing comes of %s", rule->option);
	else if (rule->with && !has_word(in, rule->with))
		text_addf(ret, "%s goes with %s only", rule->option, rule->with);
	else if (rule->without && has_word(in, rule->without))
		text_addf(ret, "%s does not go with %s", rule->option, rule->without);
	return ret->len > 0;
}

bool command_refuses(const struct invocation *in, struct text *ret)
{
	const struct command *command = in->command;
	const struct command_rule *rule = command->rules;

	if (command->max_args != COMMAND_MANY && in->n_args > command->max_args) {
		text_addf(ret, "%s '%s'",
			  command->max_args ? "one argument too many:" : "no argument is taken:",
			  in->args[command->max_args]);
		return true;
	}
	if (in->n_args < command->min_args) {
		text_addf(ret, "%s is missing", command->synopsis);
		return true;
	}
	for (; rule && rule->option; rule++)
		if (breaks_rule(in, rule, ret))
			return true;
	return false;
}

int command_number(const struct invocation *in, const char *name, uint64_t min, uint64_t max,
		   uint64_t *ret)
{
	const char *value = command_value(in, name);
	uintmax_t number;
	char *end;

	if (!value)
		return 0;
	errno = 0;
	number = strtoumax(value, &end, 10);
	if (isdigit((unsigned char)*value) && !*end && !errno && number >= min && number <= max) {
		*ret = number;
		return 0;
	}
	fprintf(stderr, "rackseed: --%s '%s' is no number from %" PRIu64 " to %" PRIu64 "\n", name,
		value, min, max);
	return EXIT_MISUSE;
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
		r = lint_networks(ret, source, in->command->uses_files, c, why);
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
