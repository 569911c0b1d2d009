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

void table_render(const char *const *cells, size_t n_rows, size_t n_columns, struct text *out)
{
	size_t row, column, i, width, n;

	for (row = 0; row < n_rows; row++) {
		for (column = 0; column < n_columns; column++) {
			const char *cell = shown(cells[row * n_columns + column]);

			text_add(out, cell);
			if (column + 1 == n_columns)
				break;
			for (width = 0, i = 0; i < n_rows; i++) {
				n = strlen(shown(cells[i * n_columns + column]));
				width = n > width ? n : width;
			}
			text_addf(out, "%*s", (int)(width - strlen(cell) + 2), "");
		}
		text_add(out, "\n");
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
