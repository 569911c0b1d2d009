/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cluster/installer.h"
#include "image/flash_job.h"

struct fault;
struct flash_list;
struct machine;
struct text;

/*
 * rackseed-install: started from an installer stick, it finds out which node this machine is, which
 * of its disks is meant, says so, waits, and writes it with the code of `rackseed flash`.
 */

/* The terminals that the kernel calls consoles: what is said goes to all, each may answer. */
enum { INSTALL_MAX_CONSOLES = 8, INSTALL_LINE = 256 };

struct install_console {
	int fds[INSTALL_MAX_CONSOLES];
	size_t n;
};

/* Opens those of sys/class/tty/console/active below root; those that cannot be are left out. */
int install_console_open(int root, struct install_console *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void install_console_done(struct install_console *c);

void install_console_say(const struct install_console *c, const char *format, ...)
	__attribute__((format(printf, 2, 3), nonnull));

/* Forgets what was typed so far: it answers nothing that is asked from now on. */
void install_console_forget(const struct install_console *c) __attribute__((nonnull));

/*
 * Waits for a line from any of them, at most timeout_ms (negative: for ever). 1: it is in buf,
 * without its end; 0: none came. hidden: it is not shown while it is typed.
 */
int install_console_ask(const struct install_console *c, bool hidden, int timeout_ms,
			char buf[static INSTALL_LINE]);

/* The stick: its partition mounted read-only, what it says, a node's disk as golden and seed. */
struct install_stick {
	int fd;
	struct installer says;
};

int install_stick_open(int root, const char *uuid, struct install_stick *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
/* The folder that the stick is mounted on, for tests any other. */
int install_stick_read(int fd, struct install_stick *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void install_stick_done(struct install_stick *s);

/* passphrase "" where the stick is not sealed. -EKEYREJECTED: it is another one. */
int install_stick_source(const struct install_stick *s, size_t node, const char *passphrase,
			 struct flash_source *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* ---- decisions and texts: pure ---- */

/*
 * Which row of list is the node's disk. -ENOENT: none is; -ENOTUNIQ: several may be and the file
 * does not say which.
 */
int install_choose(const struct flash_list *list, const struct model_node *node, size_t *ret_row,
		   struct fault *why) __attribute__((nonnull, warn_unused_result));

/* The value behind a word of the kernel's command line, copied: false when it is not there. */
bool install_argument(const char *cmdline, const char *word, char *ret, size_t size)
	__attribute__((nonnull));

/* For a machine that no node is: what it is, as lines for the file. */
void install_print_stranger(const struct machine *machine, const struct flash_list *disks,
			    const char *cluster, struct text *out) __attribute__((nonnull));

/* What is about to be done. */
void install_print_plan(const struct machine *machine, const struct flash_job *job,
			struct text *out) __attribute__((nonnull));

/* ---- all of it ---- */

struct install {
	int root; /* "/" */
	struct install_console console;
	struct install_stick stick;
	bool again; /* also a disk that this stick has installed already */
};

/* 1: written, the machine is to be rebooted. 0: there was nothing to do. */
int install_run(struct install *in, struct fault *why) __attribute__((nonnull, warn_unused_result));
