/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/streams.h"
#include "base/text.h"
#include "image/install.h"

#ifndef RACKSEED_VERSION
#define RACKSEED_VERSION "0"
#endif

/* The program of the installer stick: its unit starts it, there is nothing to give it. */

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_MISUSE = 2, CMDLINE_MAX = 8192, LOOK_S = 3 };

static const struct option_row {
	const char *name, *help;
} option_rows[] = {
	{ "--help", "this text" },
	{ "--version", "the version of rackseed-install" },
};

static void close_install(struct install *in)
{
	install_stick_done(&in->stick);
	install_console_done(&in->console);
	drop_fd(&in->root);
}

/* Only a kernel that a stick has started says where the stick is. */
static int find_stick(struct install *in, struct fault *why)
{
	scoped(text_done) struct text cmdline = { 0 };
	char uuid[64], nothing[8];
	int r = fs_read(in->root, "proc/cmdline", CMDLINE_MAX, &cmdline, why);

	if (r < 0)
		return r;
	in->again = install_argument(text_str(&cmdline), INSTALLER_AGAIN, nothing, sizeof(nothing));
	if (!install_argument(text_str(&cmdline), INSTALLER_ARGUMENT, uuid, sizeof(uuid)) ||
	    uuid[strspn(uuid, "0123456789abcdefABCDEF-")])
		return fault_set(why, ENODEV,
				 "this machine was not started from an installer "
				 "stick: rackseed build --installer makes one");
	return install_stick_open(in->root, uuid, &in->stick, why);
}

static int reboot(const struct install *in, struct fault *why)
{
	static const char *const argv[] = { "systemctl", "--no-block", "reboot", NULL };
	static const struct timespec pause = { .tv_sec = LOOK_S };

	install_console_say(&in->console,
			    "*** rackseed: DONE. The machine reboots into its node in %d s; the "
			    "stick can be taken out. ***\n",
			    LOOK_S);
	nanosleep(&pause, NULL);
	sync();
	return run(&(struct run){ .argv = argv }, why);
}

static int install(struct fault *why)
{
	scoped(close_install) struct install in = { .root = -1, .stick = { .fd = -1 } };
	int r;

	in.root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in.root < 0)
		return fault_errno(why, errno, "/");
	r = install_console_open(in.root, &in.console, why);
	if (r == 0)
		r = find_stick(&in, why);
	if (r == 0)
		r = install_run(&in, why);
	if (r > 0)
		r = reboot(&in, why);
	if (r < 0)
		install_console_say(&in.console, "\n*** rackseed: %s ***\n", why->text);
	return r;
}

static int print_help(void)
{
	size_t i;

	printf("usage: rackseed-install\n\n"
	       "Started from an installer stick (rackseed build --installer), writes to this "
	       "machine's\ndisk the node that the machine is.\n\n");
	for (i = 0; i < COUNT(option_rows); i++)
		printf("  %-10s %s\n", option_rows[i].name, option_rows[i].help);
	printf("\nExit status: 0 done, 1 failed, 2 misuse.\n");
	return EXIT_DONE;
}

static int print_version(void)
{
	printf("rackseed-install %s\n", RACKSEED_VERSION);
	return EXIT_DONE;
}

/* For the man page's test. */
static int list_words(void)
{
	size_t i;

	for (i = 0; i < COUNT(option_rows); i++)
		printf("%s\t%s\n", option_rows[i].name, option_rows[i].help);
	return EXIT_DONE;
}

static int obey(int argc, char **argv)
{
	struct fault why = { 0 };

	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return print_help();
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return print_version();
	if (argc == 2 && strcmp(argv[1], "--list-options") == 0)
		return list_words();
	if (argc != 1) {
		fprintf(stderr,
			"rackseed-install: '%s' is not understood (see rackseed-install "
			"--help)\n",
			argv[1]);
		return EXIT_MISUSE;
	}
	if (install(&why) < 0) {
		fprintf(stderr, "rackseed-install: %s\n", why.text);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	streams_open();
	return streams_end("rackseed-install", obey(argc, argv));
}
