/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct text;

/* Rows of words in aligned columns, as list and status print them. Pure. */

/* cells: n_rows times n_columns words, row by row, the heading first; NULL and "" show as "-". */
void table_render(const char *const *cells, size_t n_rows, size_t n_columns, struct text *out)
	__attribute__((nonnull));

/* "3Gi", "512Mi", "700Ki": the largest unit that leaves a whole number. */
void table_size(uint64_t bytes, char buf[static 24]);
