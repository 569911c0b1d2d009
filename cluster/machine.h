/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/net.h"

struct fault;
struct model;
struct model_node;
struct text;

/* The machine we run on: its links by permanent MAC, its serial number; and whether it is the one.
 */

struct machine_link {
	char name[32];
	struct net_mac mac; /* the permanent one; the present one where the driver tells none */
};

enum { MACHINE_MAX_LINKS = 64 };

struct machine {
	struct machine_link links[MACHINE_MAX_LINKS];
	size_t n_links;
	char serial[128]; /* SMBIOS system serial, "" when there is none */
};

enum machine_verdict {
	MACHINE_IS_IT,
	MACHINE_LACKS_MAC, /* so far: a link may come up late */
	MACHINE_OTHER_SERIAL,
	MACHINE_UNNAMED, /* the file gives neither mac nor serial */
	MACHINE_N_VERDICTS,
};

/* Reads sys/class/net and sys/class/dmi below root; live: asks the kernel for permanent MACs, too.
 */
int machine_read(int root, bool live, struct machine *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The node that this machine is, of several that may be meant; NULL: none of them. */
const struct model_node *machine_find(const struct machine *machine, const struct model *m)
	__attribute__((nonnull));

enum machine_verdict machine_judge(const struct machine *machine, const struct model_node *node)
	__attribute__((nonnull));

/* "eth0 52:54:00:00:00:32, eth1 …", or "no network link". */
void machine_print_links(const struct machine *machine, struct text *out) __attribute__((nonnull));

/* The block for the console of a machine that is not the one: whose disk, what is here, what to do.
 */
void machine_print_refusal(const struct machine *machine, enum machine_verdict verdict,
			   const struct model *m, const struct model_node *node, struct text *out)
	__attribute__((nonnull));
