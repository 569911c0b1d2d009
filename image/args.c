/* SPDX-License-Identifier: MIT */
#include "image/args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void args_add(struct args *a, const char *format, ...)
{
	char **list = realloc(a->list, (a->n + 2) * sizeof(*list));
	va_list ap;

	if (!list) {
		a->error = -ENOMEM;
		return;
	}
	a->list = list;
	va_start(ap, format);
	if (vasprintf(&list[a->n], format, ap) < 0) {
		a->error = -ENOMEM;
		list[a->n] = NULL;
	} else {
		list[++a->n] = NULL;
	}
	va_end(ap);
}

void args_add_all(struct args *a, const char *const *words)
{
	for (; words && *words; words++)
		args_add(a, "%s", *words);
}

const char *const *args_list(const struct args *a)
{
	return a->error || !a->list ? NULL : (const char *const *)(uintptr_t)a->list;
}

void args_done(struct args *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		free(a->list[i]);
	free(a->list);
	*a = (struct args){ 0 };
}
