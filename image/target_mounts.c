/* SPDX-License-Identifier: MIT */
#include "image/target_probe.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"

enum { TABLE_MAX = 16 << 20, PATH_SIZE = 1024 };

static bool has_number(const struct target_family *family, unsigned major, unsigned minor)
{
	size_t i;

	for (i = 0; i < family->n; i++)
		if (family->list[i].major == major && family->list[i].minor == minor)
			return true;
	return false;
}

/*
 * Whether a path of a device leads into the family: by its number where the path is there, else by
 * its last part (a device whose node is gone, or another mount namespace's).
 */
static bool has_path(int root, const struct target_family *family, const char *path)
{
	const char *name = strrchr(path, '/');
	struct stat st;
	size_t i;

	if (strncmp(path, "/dev/", 5) != 0)
		return false;
	if (fstatat(root, path + 1, &st, 0) == 0 && S_ISBLK(st.st_mode))
		return has_number(family, major(st.st_rdev), minor(st.st_rdev));
	for (i = 0; i < family->n; i++)
		if (strcmp(name + 1, family->list[i].name) == 0)
			return true;
	return false;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Takes word n (from 0) of a line into buf, the kernel's \040 and its like undone. */
static void take_word(const char *line, unsigned n, char buf[static PATH_SIZE])
{
	size_t at = 0;

	for (; n && *line && *line != '\n'; n--) {
		line += strcspn(line, " \t\n");
		line += strspn(line, " \t");
	}
	for (; *line && !isspace((unsigned char)*line) && at < PATH_SIZE - 1; at++) {
		bool escaped = line[0] == '\\' && is_octal(line[1]) && is_octal(line[2]) &&
			       is_octal(line[3]);

		if (escaped)
			buf[at] =
				(char)((line[1] - '0') * 64 + (line[2] - '0') * 8 + line[3] - '0');
		else
			buf[at] = *line;
		line += escaped ? 4 : 1;
	}
	buf[at] = '\0';
}

static void show(const char *path, char word[static TARGET_WORD])
{
	size_t i;

	snprintf(word, TARGET_WORD, "%.*s", TARGET_WORD - 1, path);
	for (i = 0; word[i]; i++)
		if (iscntrl((unsigned char)word[i]))
			word[i] = '?';
}

/* "22 27 8:1 / /mnt rw shared:1 - ext4 /dev/sda1 rw": see proc(5). */
static void look_mount(int root, const char *line, const struct target_family *family,
		       struct target_facts *f)
{
	char point[PATH_SIZE], source[PATH_SIZE], number[PATH_SIZE];
	const char *end = strchr(line, '\n');
	const char *dash = strstr(line, " - ");
	unsigned major, minor;

	take_word(line, 2, number);
	if (!target_device(number, &major, &minor))
		return;
	take_word(line, 4, point);
	source[0] = '\0';
	if (dash && (!end || dash < end))
		take_word(dash + 3, 1, source);
	/* Btrfs shows a number of its own, 0:x: there the source tells. */
	if (!has_number(family, major, minor) && !(major == 0 && has_path(root, family, source)))
		return;
	if (strcmp(point, "/") == 0)
		f->holds_root = true;
	if (!f->mount[0])
		show(point, f->mount);
}

static void look_swap(int root, const char *line, const struct target_family *family,
		      struct target_facts *f)
{
	char path[PATH_SIZE];

	take_word(line, 0, path);
	if (has_path(root, family, path))
		show(path, f->swap);
}

int target_look_mounts(int root, const struct target_family *family, struct target_facts *f,
		       struct fault *why)
{
	static const struct {
		const char *path;
		void (*look)(int, const char *, const struct target_family *,
			     struct target_facts *);
		bool may_be_absent; /* a kernel without swap */
	} tables[] = { { "proc/self/mountinfo", look_mount, false },
		       { "proc/swaps", look_swap, true } };
	size_t i;
	int r;

	for (i = 0; i < COUNT(tables); i++) {
		scoped(text_done) struct text t = { 0 };
		const char *line;

		/* Not to know who uses the disk is a reason to stop, not to go on. */
		r = fs_read(root, tables[i].path, TABLE_MAX, &t, why);
		if (r < 0 && !(r == -ENOENT && tables[i].may_be_absent))
			return fault_wrap(why, "/");
		for (line = text_str(&t); line && *line;
		     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
			tables[i].look(root, line, family, f);
	}
	return 0;
}
