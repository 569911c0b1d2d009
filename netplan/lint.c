/* SPDX-License-Identifier: MIT */
#include "netplan/netplan.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* libnetplan's, by the path that pkg-config gives: <netplan/netplan.h> would be our own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <netplan.h>
#include <parse.h>
#include <util.h>
#pragma GCC diagnostic pop

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"

enum { PATH_LEN = 32 };

static void drop_parser(NetplanParser **parser)
{
	if (*parser)
		netplan_parser_clear(parser);
}

static void drop_state(NetplanState **state)
{
	if (*state)
		netplan_state_clear(state);
}

/* The library reads files only: a nameless one in memory, as private as the real one. */
static int open_text(const char *yaml, char path[static PATH_LEN], struct fault *why)
{
	size_t n = strlen(yaml);
	int fd = memfd_create("netplan", MFD_CLOEXEC);

	if (fd < 0)
		return fault_errno(why, errno, "netplan");
	errno = EIO;
	if (fchmod(fd, 0600) < 0 || write(fd, yaml, n) != (ssize_t)n) {
		int code = errno;

		close(fd);
		return fault_errno(why, code, "netplan");
	}
	snprintf(path, PATH_LEN, "/proc/self/fd/%d", fd);
	return fd;
}

/* ":5:7: …": a line and a column; false when there are none. */
static bool read_place(const char *s, struct netplan_flaw *ret)
{
	char *end = NULL;
	unsigned long line, column;

	line = *s == ':' ? strtoul(s + 1, &end, 10) : 0;
	if (line == 0 || line > UINT_MAX || *end != ':')
		return false;
	column = strtoul(end + 1, &end, 10);
	if (column > UINT_MAX || *end != ':')
		return false;
	ret->line = (unsigned)line;
	ret->column = (unsigned)column;
	return true;
}

/* "PATH:5:7: Error in network definition: …" and the source line below: place and reason. */
static void translate(NetplanError *error, const char *path, struct netplan_flaw *ret)
{
	static const char noise[] = "Error in network definition: ";
	char message[sizeof(ret->reason)] = "refused without a word";
	const char *at = NULL;
	size_t n = strlen(path);

	if (error) {
		netplan_error_message(error, message, sizeof(message));
		message[sizeof(message) - 1] = '\0';
		netplan_error_clear(&error);
		message[strcspn(message, "\n")] = '\0';
		at = strstr(message, noise);
	}
	*ret = (struct netplan_flaw){ 0 };
	if (at && strncmp(message, path, n) == 0 && read_place(message + n, ret))
		snprintf(ret->reason, sizeof(ret->reason), "%s", at + strlen(noise));
	else
		snprintf(ret->reason, sizeof(ret->reason), "%s", message);
}

int netplan_judge(const char *yaml, struct netplan_flaw *ret, struct fault *why)
{
	char path[PATH_LEN] = "";
	scoped(drop_fd) int fd = open_text(yaml, path, why);
	scoped(drop_parser) NetplanParser *parser = NULL;
	scoped(drop_state) NetplanState *state = NULL;
	NetplanError *error = NULL;

	if (fd < 0)
		return fd;
	parser = netplan_parser_new();
	state = netplan_state_new();
	if (netplan_parser_load_yaml(parser, path, &error) &&
	    netplan_state_import_parser_results(state, parser, &error))
		return 0;
	translate(error, path, ret);
	return 1;
}

int netplan_lint(const char *yaml, struct fault *why)
{
	struct netplan_flaw flaw;
	int r = netplan_judge(yaml, &flaw, why);

	if (r <= 0)
		return r;
	if (flaw.line)
		return fault_set(why, EINVAL, "netplan: line %u: %s", flaw.line, flaw.reason);
	return fault_set(why, EINVAL, "netplan: %s", flaw.reason);
}
