/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct fault;
struct text;

struct run {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up on PATH */
	/* "NAME=value" put over this process's own, "NAME" taken out of it; or NULL */
	const char *const *env;
	const char *input; /* bytes for its stdin, or NULL: /dev/null */
	size_t input_len;
	struct text *out; /* its stdout is added here, or NULL: thrown away */
	int out_fd; /* where its stdout goes instead of .out when > 0 */
	const char *dir; /* its working directory, or NULL: this one's */
	int timeout_ms; /* it is killed with its process group after this; 0: 60000 */
	/* Called with each whole line of its stderr as it comes, or NULL. */
	void (*line)(const char *line, void *data);
	void *data;
};

/*
 * Starts a program in a process group of its own and waits for it. 0 when it exited 0. Otherwise
 * the fault names the program, how it ended and the last line of its stderr: -ETIMEDOUT when it was
 * killed for time, -ENOENT when there is no such program, else -EREMOTEIO.
 */
int run(const struct run *what, struct fault *why) __attribute__((nonnull, warn_unused_result));
