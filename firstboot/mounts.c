/* SPDX-License-Identifier: MIT */
#include "firstboot/mounts.h"

#include <stddef.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"
#include "firstboot/tasks.h"

enum { POINT_FIELD = 4 };

static const char *next_field(const char *s)
{
	s += strcspn(s, " \n");
	return *s == ' ' ? s + 1 : s;
}

/* "36 35 98:0 /root /mnt/point options shared:1 - type source options" */
static bool is_mount(const char *line, const char *path)
{
	scoped(text_done) struct text point = { 0 };
	const char *s = line;
	size_t i;

	for (i = 0; i < POINT_FIELD; i++)
		s = next_field(s);
	if (!swap_line(s, &point) || strcmp(text_str(&point), path) != 0)
		return false;
	while (*s && *s != '\n' && strncmp(s, "- ", 2) != 0)
		s = next_field(s);
	return strncmp(s, "- ", 2) == 0 && strncmp(s + 2, "autofs ", 7) != 0;
}

bool mounts_has(const char *mountinfo, const char *path)
{
	const char *line;

	for (line = mountinfo; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (is_mount(line, path))
			return true;
	}
	return false;
}
