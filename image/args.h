/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* An argument list that grows: for run(). Zeroed is empty; memory errors are kept until asked. */
struct args {
	char **list; /* NULL-terminated */
	size_t n;
	int error;
};

void args_add(struct args *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Each of a NULL-terminated list, as it is. */
void args_add_all(struct args *a, const char *const *words);

/* What run() takes, or NULL when memory ran out. */
const char *const *args_list(const struct args *a);

void args_done(struct args *a);
