/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct fault;
struct node;

/*
 * `rackseed-firstboot run`: the steps on a thread of their own, and on this one the bus, systemd's
 * watchdog and its notices. Returns when systemd says stop; negative only when it could not begin.
 */
int service_run(struct node *node, bool under_systemd, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
