/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

struct fault;

/* A root's own containerd, run on the host for as long as images are imported. */

#define DAEMON_FOLDER "run/rackseed" /* below the root: socket, state, log */
#define DAEMON_SOCKET DAEMON_FOLDER "/containerd.sock"

struct daemon {
	pid_t pid;
};

/*
 * Starts it in the root and in a mount namespace of its own, so that nothing of it stays mounted
 * whatever happens, and waits until it answers. It dies with this process.
 */
int daemon_start(const char *root, struct daemon *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Ends it and waits; 0 when it ended by itself. */
int daemon_stop(struct daemon *daemon, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
