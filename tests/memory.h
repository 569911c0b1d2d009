/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory that runs out. A test that the Makefile lists under WRAPS has each allocation of our own
 * objects led here by the linker; those of foreign libraries are their own affair.
 */

#include "tests/test.h"

#include <errno.h>
#include <stdbool.h>

enum { MEMORY_TOLD = 10 };

static size_t memory_countdown; /* the allocation that is refused, counted down; 0: none */
static bool memory_ran_out, memory_shows;

void __sanitizer_print_stack_trace(void) __attribute__((weak));

static bool memory_gives(void)
{
	if (memory_countdown == 0 || --memory_countdown > 0)
		return true;
	memory_ran_out = true;
	if (memory_shows && __sanitizer_print_stack_trace)
		__sanitizer_print_stack_trace();
	errno = ENOMEM;
	return false;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n);

void *__wrap_malloc(size_t size)
{
	return memory_gives() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return memory_gives() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
	return memory_gives() ? __real_realloc(p, size) : NULL;
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return memory_gives() ? __real_reallocarray(p, n, size) : NULL;
}

char *__wrap_strdup(const char *s)
{
	return memory_gives() ? __real_strdup(s) : NULL;
}

char *__wrap_strndup(const char *s, size_t n)
{
	return memory_gives() ? __real_strndup(s, n) : NULL;
}

/* What makes *out of nothing but the row's number: 0, or negative as its functions say. */
typedef int memory_maker(size_t row, struct text *out);

/* With the n-th allocation refused: 0 when the same came out of it, -EILSEQ when something else
 * did. */
static int memory_try(memory_maker *make, size_t row, size_t n, const struct text *want)
{
	struct text out = { 0 };
	int r;

	memory_ran_out = false;
	memory_countdown = n;
	r = make(row, &out);
	memory_countdown = 0;
	if (r == 0)
		r = text_error(&out);
	if (r == 0 && strcmp(text_str(&out), text_str(want)) != 0)
		r = -EILSEQ;
	text_done(&out);
	return r;
}

/*
 * Refuses each allocation in turn, until there is one more than it makes: it must say -ENOMEM each
 * time, or have made the same without. Leaks are ASan's to see.
 */
static void assert_refusals_are_told(memory_maker *make, size_t row)
{
	struct text want = { 0 };
	size_t n = 0, bad = 0;

	assert_int_equal(make(row, &want), 0);
	do {
		int r = memory_try(make, row, ++n, &want);

		if (r == 0 || (r == -ENOMEM && memory_ran_out) || bad++ >= MEMORY_TOLD)
			continue;
		print_error("row %zu, allocation %zu: %s\n", row, n, strerror(-r));
		memory_shows = true;
		(void)memory_try(make, row, n, &want);
		memory_shows = false;
	} while (memory_ran_out);
	text_done(&want);
	assert_true(n > 1);
	assert_int_equal(bad, 0);
}
