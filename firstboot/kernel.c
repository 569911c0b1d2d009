/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "firstboot/apply.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"

DEFINE_DROP(bus, struct sd_bus *, units_close)

enum { KEY_LEN = 128, VALUE_LEN = 256, SYSCTL_MAX = 4096, MODPROBE_S = 60 };

/* Copies the part of a line without spaces around it; false when it does not fit. */
static bool trimmed(const char *s, size_t n, char *out, size_t size)
{
	while (n > 0 && isspace((unsigned char)*s)) {
		s++;
		n--;
	}
	while (n > 0 && isspace((unsigned char)s[n - 1]))
		n--;
	if (n >= size)
		return false;
	memcpy(out, s, n);
	out[n] = '\0';
	return true;
}

/* The kernel shows lists with tabs where files have spaces. */
static bool same_value(const char *a, const char *b)
{
	for (;;) {
		a += strspn(a, " \t\n");
		b += strspn(b, " \t\n");
		if (!*a || !*b)
			return *a == *b;
		while (*a && !isspace((unsigned char)*a))
			if (*a++ != *b++)
				return false;
		if (*b && !isspace((unsigned char)*b))
			return false;
	}
}

static int read_sysctl(int root, const char *path, struct text *out, struct fault *why)
{
	text_done(out);
	return fs_read(root, path, SYSCTL_MAX, out, why);
}

static int write_sysctl(int root, const char *path, const char *value, struct fault *why)
{
	scoped(drop_fd) int fd = openat(root, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return fault_errno(why, errno, "/%s", path);
	return 0;
}

static int set_sysctl(int root, const char *key, const char *value, struct fault *why)
{
	scoped(text_done) struct text now = { 0 };
	char path[KEY_LEN + 16];
	char *p;
	int r;

	snprintf(path, sizeof(path), "proc/sys/%s", key);
	/* As sysctl.d(5): the first of '.' and '/' separates, the other is part of a name. */
	for (p = path + strcspn(path, "/"); !strchr(key, '/') && *p; p++)
		if (*p == '.')
			*p = '/';
	r = read_sysctl(root, path, &now, why);
	if (r < 0)
		return r;
	if (same_value(text_str(&now), value))
		return STEP_SAME;
	r = write_sysctl(root, path, value, why);
	if (r >= 0)
		r = read_sysctl(root, path, &now, why);
	if (r < 0)
		return r;
	if (!same_value(text_str(&now), value))
		return fault_set(why, EIO, "/%s stays '%.*s' where '%s' is wanted", path,
				 (int)strcspn(text_str(&now), "\n"), text_str(&now), value);
	return STEP_CHANGED;
}

int kernel_sysctls(int root, const char *text, struct fault *why)
{
	char key[KEY_LEN], value[VALUE_LEN];
	const char *line = text;
	int outcome = STEP_SAME;
	size_t n, k;
	int r;

	for (; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		k = strcspn(line, "=\n");
		if (line[strspn(line, " \t")] == '#' || k == n)
			continue;
		if (!trimmed(line, k, key, sizeof(key)) ||
		    !trimmed(line + k + 1, n - k - 1, value, sizeof(value)))
			return fault_set(why, EINVAL, "sysctl '%.*s' is too long", (int)n, line);
		r = set_sysctl(root, key, value, why);
		if (r < 0)
			return r;
		if (r == STEP_CHANGED)
			outcome = STEP_CHANGED;
	}
	return outcome;
}

static bool is_loaded(int root, const char *module)
{
	char path[KEY_LEN + 16];
	struct stat st;
	char *p;

	snprintf(path, sizeof(path), "sys/module/%s", module);
	for (p = path + 11; *p; p++)
		if (*p == '-')
			*p = '_';
	return fstatat(root, path, &st, 0) == 0;
}

/* By systemd, and not by this service: it may not load modules itself. */
static int load_module(struct node *node, const char *name, struct fault *why)
{
	static const char unit[] = "rackseed-modprobe.service";
	const char *const argv[] = { "/sbin/modprobe", "--", name, NULL };
	const struct units_transient modprobe = { .unit = unit,
						  .description = "modprobe of rackseed-firstboot",
						  .argv = argv,
						  .limit_s = MODPROBE_S };
	scoped(drop_bus) struct sd_bus *bus = NULL;
	struct units_tick tick = task_tick(node);
	int r = units_open(&bus, why);

	return r < 0 ? r : units_run(bus, &modprobe, &tick, why);
}

static int load_modules(struct node *node, const char *text, struct fault *why)
{
	char name[KEY_LEN];
	const char *line = text;
	int outcome = STEP_SAME;
	size_t n;
	int r;

	for (; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		if (!trimmed(line, n, name, sizeof(name)))
			return fault_set(why, EINVAL, "module '%.*s' is too long", (int)n, line);
		if (!name[0] || name[0] == '#' || is_loaded(node->root, name))
			continue;
		r = load_module(node, name, why);
		if (r < 0)
			return r;
		outcome = STEP_CHANGED;
	}
	return outcome;
}

static int set_sysctls(struct node *node, const char *text, struct fault *why)
{
	return kernel_sysctls(node->root, text, why);
}

static int each(struct node *node, const char *folder,
		int (*act)(struct node *node, const char *text, struct fault *why),
		struct fault *why)
{
	const struct plan_action *file;
	int outcome = STEP_SAME;
	size_t i;
	int r;

	for (i = 0; (file = apply_find(&node->plan, PLAN_KERNEL, folder, ".conf", i)); i++) {
		r = act(node, file->content, why);
		if (r < 0)
			return r;
		if (r == STEP_CHANGED)
			outcome = STEP_CHANGED;
	}
	return outcome;
}

int task_kernel(struct node *node, struct fault *why)
{
	int files = node_apply(node, PLAN_KERNEL, why);
	int modules = files < 0 ? files : each(node, "/etc/modules-load.d/", load_modules, why);
	int sysctls = modules < 0 ? modules : each(node, "/etc/sysctl.d/", set_sysctls, why);

	return sysctls < 0 ? sysctls : files | modules | sysctls;
}
