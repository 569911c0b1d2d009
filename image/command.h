/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct complaints;
struct fault;
struct model;
struct text;

/* A command of `rackseed` is a row: main walks the table, help and completion come from it. */

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_MISUSE = 2, EXIT_BAD_FILE = 3 };

struct command_option {
	const char *name; /* long name without dashes */
	const char *argument; /* its name in the help, or NULL: a flag */
	const char *help;
};

/*
 * An option that means nothing unless another word is there, or where another is: "--wait", or the
 * first argument of the command. Neither: nothing ever comes of it.
 */
struct command_rule {
	const char *option; /* "--timeout" */
	const char *with, *without;
};

enum { COMMAND_MANY = 65535 };

struct invocation {
	const struct command *command;
	const char *file; /* -f, default "cluster.yaml" */
	bool json;
	bool quiet;
	char *const *args; /* what is left after the options */
	size_t n_args;
	const char *values[16]; /* by the row of command->options; "" for a flag that was given */
};

struct command {
	const char *name;
	const char *synopsis; /* "[NODE...]" */
	const char *help; /* one sentence */
	const struct command_option *options; /* ends with a NULL name; NULL: none */
	const struct command_rule *rules; /* ends with a NULL option; NULL: none */
	unsigned short min_args, max_args; /* COMMAND_MANY: as many as there are */
	bool uses_files; /* what the file names must be there too: archives, packages, secrets */
	/* An exit code, or negative with *why set: main prints it and exits 1. */
	int (*run)(const struct invocation *in, struct fault *why);
};

/* The value given for an option of this command, or NULL. */
const char *command_value(const struct invocation *in, const char *name)
	__attribute__((nonnull));

/* True when a word would be ignored or is missing; *ret says which. Called before run(). */
bool command_refuses(const struct invocation *in, struct text *ret) __attribute__((nonnull));

/*
 * The number that was given for an option; *ret is left as it is where none was. 0, or EXIT_MISUSE
 * when it is none from min to max, which is told on stderr.
 */
int command_number(const struct invocation *in, const char *name, uint64_t min, uint64_t max,
		   uint64_t *ret) __attribute__((nonnull, warn_unused_result));

/*
 * Reads in->file and collects all that is wrong with it, in its order: with libnetplan's word on
 * the nodes' own networks, and the files that it names where the command uses them. 0 even then;
 * negative when it cannot be read.
 */
int command_judge(const struct invocation *in, struct model *ret, struct complaints *c,
		  struct text *source, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * The same for a command that goes on only with a good file: complaints go to stderr. 0, or
 * EXIT_BAD_FILE when there are errors, or negative. source may be NULL.
 */
int command_load(const struct invocation *in, struct model *ret, struct text *source,
		 struct fault *why) __attribute__((nonnull(1, 2, 4), warn_unused_result));

/* The folder that in->file lies in, as an open directory fd, or negative. */
int command_folder(const struct invocation *in, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Appends where the disks are: --out, or out beside in->file. Memory errors are kept in *ret. */
void command_out(const struct invocation *in, struct text *ret) __attribute__((nonnull));

/* Refuses names that are no nodes: 0 or a fault that lists them. */
int command_nodes(const struct invocation *in, const struct model *m, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Each in its own file, image/cmd_NAME.c; the table is in main.c. */
extern const struct command cmd_init, cmd_check, cmd_plan, cmd_secrets, cmd_kubeconfig, cmd_build,
	cmd_inspect, cmd_audit, cmd_flash, cmd_vm, cmd_status, cmd_registry, cmd_drill, cmd_serve;
