/* SPDX-License-Identifier: MIT */
#include "image/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"

static const char *shown(const char *cell)
{
	return cell && *cell ? cell : "-";
}

static size_t width_of(const char *const *cells, size_t n_rows, size_t n_columns, size_t column)
{
	size_t row, n, width = 0;

	for (row = 0; row < n_rows; row++) {
		n = strlen(shown(cells[row * n_columns + column]));
		width = n > width ? n : width;
	}
	return width;
}

/* Quadratic in the rows, and a screenful of them is what there is. */
void table_render(const char *const *cells, size_t n_rows, size_t n_columns, struct text *out)
{
	size_t row, column, width;

	for (row = 0; row < n_rows; row++) {
		for (column = 0; column + 1 < n_columns; column++) {
			width = width_of(cells, n_rows, n_columns, column);
			text_addf(out, "%-*s  ", (int)width,
				  shown(cells[row * n_columns + column]));
		}
		text_addf(out, "%s\n", shown(cells[row * n_columns + column]));
	}
}

void table_size(uint64_t bytes, char buf[static 24])
{
	static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti" };
	size_t i = 0;

	while (bytes && bytes % 1024 == 0 && i + 1 < COUNT(units)) {
		bytes /= 1024;
		i++;
	}
	snprintf(buf, 24, "%" PRIu64 "%s", bytes, units[i]);
}
