/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/swap.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"

DEFINE_DROP(bus, struct sd_bus *, units_close)

enum { SWAPS_MAX = 1 << 20 };

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' &&
	       s[2] <= '7';
}

bool swap_line(const char *line, struct text *ret_path)
{
	const char *p;
	char c;

	if (line[0] != '/')
		return false;
	for (p = line; *p && *p != ' ' && *p != '\t' && *p != '\n'; p++) {
		c = *p;
		if (c == '\\' && is_octal(p + 1)) {
			c = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			p += 3;
		}
		text_add_n(ret_path, &c, 1);
	}
	return true;
}

/* How many were turned off. */
static int turn_off_all(int root, struct fault *why)
{
	scoped(text_done) struct text swaps = { 0 };
	const char *line;
	int n = 0;
	int r = fs_read(root, "proc/swaps", SWAPS_MAX, &swaps, why);

	if (r < 0)
		return r == -ENOENT ? 0 : r; /* a kernel without swap */
	for (line = text_str(&swaps); line && *line; line = strchr(line, '\n')) {
		scoped(text_done) struct text path = { 0 };

		line += *line == '\n';
		if (!swap_line(line, &path))
			continue;
		if (swapoff(text_str(&path)) < 0)
			return fault_errno(why, errno, "cannot turn swap on '%s' off",
					   text_str(&path));
		n++;
	}
	return n;
}

/* systemd must hear of new masks, or a late device would bring its swap unit back. */
static int reload(struct fault *why)
{
	scoped(drop_bus) struct sd_bus *bus = NULL;
	int r = units_open(&bus, why);

	return r < 0 ? r : units_reload(bus, why);
}

int task_swap(struct node *node, struct fault *why)
{
	int changed = node_apply(node, PLAN_SWAP, why);
	int n, r;

	if (changed < 0)
		return changed;
	r = changed == FS_CHANGED ? reload(why) : 0;
	n = r < 0 ? r : turn_off_all(node->root, why);
	if (n < 0)
		return n;
	return n > 0 ? STEP_CHANGED : changed;
}
