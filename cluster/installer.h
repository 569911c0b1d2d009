/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cluster/model.h"

struct fault;
struct text;

/*
 * installer.json: what an installer stick must know before any seed is open. How each machine and
 * its disk are told apart, and which files make that disk. No secret is in it. Pure.
 */

#define INSTALLER_FILE "installer.json"
#define INSTALLER_ARGUMENT "rackseed.installer=" /* of the kernel: UUID of the stick's partition   \
						  */
#define INSTALLER_AGAIN "rackseed.again" /* a disk that is installed already is meant, too */

struct installer_files {
	char *golden, *seed; /* names on the stick */
};

struct installer {
	struct model model; /* of it: name, installer, and each node's name, mac, serial, disk */
	struct installer_files *files; /* one for each node */
	bool sealed;		       /* the seeds are under a passphrase: cluster/envelope.h */
};

void installer_done(struct installer *i);

/* Room for so many nodes, all empty. -ENOMEM, or 0. */
int installer_make(struct installer *ret, size_t n_nodes)
	__attribute__((nonnull, warn_unused_result));

void installer_render(const struct installer *i, struct text *out) __attribute__((nonnull));

int installer_parse(const char *json, size_t len, struct installer *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
