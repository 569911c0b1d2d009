/* SPDX-License-Identifier: MIT */
#include "image/flash_map.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/macros.h"
#include "image/flash_source.h"

void flash_map_done(struct flash_map *map)
{
	free(map->runs);
	*map = (struct flash_map){ 0 };
}

static int add(struct flash_map *map, enum flash_kind kind, uint64_t start, uint64_t end,
	       struct fault *why)
{
	struct flash_run *last = map->n ? &map->runs[map->n - 1] : NULL;

	if (start >= end)
		return 0;
	*(kind == FLASH_DATA ? &map->data_bytes : &map->zero_bytes) += end - start;
	if (last && last->kind == kind && last->start + last->length == start) {
		last->length += end - start;
		return 0;
	}
	if (!map->runs || map->n == map->room) {
		size_t room = map->room ? map->room * 2 : 64;
		struct flash_run *runs = realloc(map->runs, room * sizeof(*runs));

		if (!runs)
			return fault_errno(why, ENOMEM, "map of the image");
		map->runs = runs;
		map->room = room;
	}
	map->runs[map->n++] = (struct flash_run){ start, end - start, kind };
	return 0;
}

/* The parts of [start, end) outside the unused ranges; *at is the first range that may matter. */
static int add_zeros(struct flash_map *map, uint64_t start, uint64_t end,
		     const struct flash_range *unused, size_t n_unused, size_t *at,
		     struct fault *why)
{
	int r = 0;

	while (*at < n_unused && unused[*at].start + unused[*at].length <= start)
		++*at;
	while (r == 0 && *at < n_unused && unused[*at].start < end) {
		r = add(map, FLASH_ZERO, start, unused[*at].start, why);
		if (start < unused[*at].start + unused[*at].length)
			start = unused[*at].start + unused[*at].length;
		if (start >= end)
			return r; /* the range may reach into the next zeros, too */
		++*at;
	}
	return r < 0 ? r : add(map, FLASH_ZERO, start, end, why);
}

int flash_map_make(const struct flash_source *source, const struct flash_range *unused,
		   size_t n_unused, uint64_t first, uint64_t end, struct flash_map *ret,
		   struct fault *why)
{
	scoped(flash_map_done) struct flash_map map = { 0 };
	uint64_t at = first;
	size_t i, next = 0;
	int r = 0;

	for (i = 0; r == 0 && i < source->n_extents; i++) {
		const struct flash_extent *e = &source->extents[i];
		uint64_t from = e->start / FLASH_BLOCK * FLASH_BLOCK;
		uint64_t to = (e->start + e->length + FLASH_BLOCK - 1) / FLASH_BLOCK * FLASH_BLOCK;

		/* Rounded outwards, so that two extents may share a block. */
		from = from < at ? at : from;
		to = to > end ? end : to;
		if (to <= from)
			continue;
		r = add_zeros(&map, at, from, unused, n_unused, &next, why);
		if (r == 0)
			r = add(&map, FLASH_DATA, from, to, why);
		at = to;
	}
	if (r == 0)
		r = add_zeros(&map, at, end, unused, n_unused, &next, why);
	if (r < 0)
		return r;
	*ret = map;
	map = (struct flash_map){ 0 };
	return 0;
}
