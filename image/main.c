/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/streams.h"
#include "base/text.h"
#include "image/command.h"

#ifndef RACKSEED_VERSION
#define RACKSEED_VERSION "0"
#endif

static const struct command *const commands[] = {
	&cmd_init,   &cmd_check,   &cmd_plan,	  &cmd_secrets, &cmd_kubeconfig,
	&cmd_build,  &cmd_inspect, &cmd_audit,	  &cmd_flash,	&cmd_vm,
	&cmd_status, &cmd_drill,   &cmd_registry, &cmd_serve,
};

static const struct command_option common[] = {
	{ "file", "FILE", "the cluster's file (default cluster.yaml); also -f FILE" },
	{ "json", NULL, "results as JSON" },
	{ "quiet", NULL, "no progress; also -q" },
	{ "help", NULL, "this text; also -h" },
	{ "version", NULL, "the version of rackseed" },
	{ NULL, NULL, NULL },
};

static void print_options(const struct command_option *o)
{
	for (; o && o->name; o++)
		printf("  --%s%s%-*s %s\n", o->name, o->argument ? " " : "",
		       20 - (int)strlen(o->name) - (o->argument ? 1 : 0),
		       o->argument ? o->argument : "", o->help);
}

static int print_help(const struct command *command)
{
	size_t i;

	if (command) {
		printf("usage: rackseed [-f FILE] %s [OPTION...] %s\n\n%s.\n\n", command->name,
		       command->synopsis, command->help);
		print_options(command->options);
	} else {
		printf("usage: rackseed [OPTION...] COMMAND [ARGUMENT...]\n\n"
		       "One file describes a cluster; rackseed turns it into node images that\n"
		       "assemble themselves.\n\n");
		for (i = 0; i < COUNT(commands); i++)
			printf("  %-12s %s\n", commands[i]->name, commands[i]->help);
		printf("\n");
	}
	print_options(common);
	printf("\nExit status: 0 done, 1 failed, 2 misuse, 3 the file is wrong.\n");
	return EXIT_DONE;
}

/* For completion: the commands, or a command's options, a line each. */
static int list(const struct command *command)
{
	const struct command_option *o;
	size_t i;

	if (!command)
		for (i = 0; i < COUNT(commands); i++)
			printf("%s\t%s\n", commands[i]->name, commands[i]->help);
	for (o = command ? command->options : NULL; o && o->name; o++)
		printf("--%s\t%s\n", o->name, o->help);
	for (o = common; o->name; o++)
		printf("--%s\t%s\n", o->name, o->help);
	return EXIT_DONE;
}

static int misuse(const char *what, const char *name)
{
	fprintf(stderr, "rackseed: %s '%s' (see rackseed --help)\n", what, name);
	return EXIT_MISUSE;
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* The row of the option that word "name" or "name=value" means; *ret_value points behind '='. */
static const struct command_option *find_option(const struct command_option *o, const char *word,
						const char **ret_value)
{
	size_t n = strcspn(word, "=");

	*ret_value = word[n] ? word + n + 1 : NULL;
	for (; o && o->name; o++)
		if (strlen(o->name) == n && strncmp(o->name, word, n) == 0)
			return o;
	return NULL;
}

enum parsed { PARSED_GO, PARSED_HELP, PARSED_VERSION, PARSED_LIST, PARSED_MISUSE };

static enum parsed set_common(struct invocation *in, size_t row, const char *value)
{
	switch (row) {
	case 0:
		in->file = value;
		return PARSED_GO;
	case 1:
		in->json = true;
		return PARSED_GO;
	case 2:
		in->quiet = true;
		return PARSED_GO;
	case 3:
		return PARSED_HELP;
	default:
		return PARSED_VERSION;
	}
}

/* Takes one "--name[=value]" with its value; *at is moved past the value when it stands apart. */
static enum parsed take_option(struct invocation *in, int argc, char **argv, int *at)
{
	const char *word = argv[*at] + 2;
	const char *value;
	const struct command_option *own = in->command ? in->command->options : NULL;
	const struct command_option *o = find_option(own, word, &value);
	bool is_common = !o;

	if (strcmp(word, "list-options") == 0)
		return PARSED_LIST;
	if (is_common)
		o = find_option(common, word, &value);
	if (!o || (value && !o->argument)) {
		misuse(o ? "no value goes with" : "no such option", argv[*at]);
		return PARSED_MISUSE;
	}
	if (o->argument && !value) {
		if (*at + 1 >= argc) {
			misuse("a value is missing after", argv[*at]);
			return PARSED_MISUSE;
		}
		value = argv[++*at];
	}
	if (is_common)
		return set_common(in, (size_t)(o - common), value);
	in->values[o - own] = value ? value : "";
	return PARSED_GO;
}

static const struct {
	const char *letter, *word;
} short_options[] = { { "-f", "--file" }, { "-q", "--quiet" }, { "-h", "--help" } };

static char *long_option(char *word)
{
	size_t k;

	for (k = 0; k < COUNT(short_options); k++)
		if (strcmp(word, short_options[k].letter) == 0)
			return (char *)(uintptr_t)short_options[k].word;
	return word;
}

/* The first is the command. */
static enum parsed take_word(struct invocation *in, char *word, char **args)
{
	if (in->command) {
		args[in->n_args++] = word;
		return PARSED_GO;
	}
	in->command = find_command(word);
	if (in->command)
		return PARSED_GO;
	misuse("no such command", word);
	return PARSED_MISUSE;
}

/* Sorts argv into options, the command and its arguments; the latter are moved to the front. */
static enum parsed parse(int argc, char **argv, struct invocation *in, char **args)
{
	bool only_args = false;
	enum parsed r;
	int i;

	for (i = 1; i < argc; i++) {
		if (!only_args)
			argv[i] = long_option(argv[i]);
		if (!only_args && strcmp(argv[i], "--") == 0) {
			only_args = true;
		} else if (!only_args && strncmp(argv[i], "--", 2) == 0) {
			r = take_option(in, argc, argv, &i);
			if (r != PARSED_GO)
				return r;
		} else if (!only_args && argv[i][0] == '-' && argv[i][1]) {
			misuse("no such option", argv[i]);
			return PARSED_MISUSE;
		} else if (take_word(in, argv[i], args) != PARSED_GO) {
			return PARSED_MISUSE;
		}
	}
	return PARSED_GO;
}

static int print_version(void)
{
	printf("rackseed %s\n", RACKSEED_VERSION);
	return EXIT_DONE;
}

static int obey(const struct invocation *in)
{
	scoped(text_done) struct text refused = { 0 };
	struct fault why = { 0 };
	int r;

	if (!in->command) {
		fprintf(stderr, "rackseed: no command given (see rackseed --help)\n");
		return EXIT_MISUSE;
	}
	if (command_refuses(in, &refused)) {
		fprintf(stderr, "rackseed: %s: %s (see rackseed %s --help)\n", in->command->name,
			text_str(&refused), in->command->name);
		return EXIT_MISUSE;
	}
	r = in->command->run(in, &why);
	if (r >= 0)
		return r;
	fprintf(stderr, "rackseed: %s\n", why.text);
	return EXIT_FAILED;
}

static int act(enum parsed parsed, const struct invocation *in)
{
	switch (parsed) {
	case PARSED_GO:
		return obey(in);
	case PARSED_HELP:
		return print_help(in->command);
	case PARSED_VERSION:
		return print_version();
	case PARSED_LIST:
		return list(in->command);
	case PARSED_MISUSE:
	default:
		return EXIT_MISUSE;
	}
}

int main(int argc, char **argv)
{
	struct invocation in = { .file = "cluster.yaml", .args = argv };

	streams_open();
	return streams_end("rackseed", act(parse(argc, argv, &in, argv), &in));
}
