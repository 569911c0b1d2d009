/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct build;
struct fault;
struct golden;
struct model_node;
struct render;
struct text;

/*
 * The installer stick: a golden disk that boots, and behind its root one more partition with the
 * golden disks and seeds of the nodes that it is for. Its own GRUB settings lie there, too: a
 * golden disk's GRUB looks for them before it goes its usual way.
 */

struct stick_part {
	const struct model_node *node;
	const struct golden *golden;
};

struct stick {
	struct build *build;
	const struct stick_part *parts; /* the first one's golden disk is what boots */
	size_t n;
	const char *passphrase; /* or NULL: the seeds lie open */
	int folder;		/* where it goes, as STICK_NAME */
	const char *path;	/* the same, absolute */
};

#define STICK_NAME "installer.raw"

/* Makes it, under another name until it is whole; only its owner may read it. */
int stick_make(const struct stick *s, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Adds the first line of the file, or of standard input for "-". */
int stick_passphrase(const char *path, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Its grub.cfg: what is installed already goes first, by the numbers of the seeds' file systems.
 * root_part and part are the UUIDs of the stick's root and of the partition behind it. Pure.
 */
void stick_render_grub(const struct render *in, const char *root_part, const char *part,
		       const unsigned *seeds, size_t n, struct text *out)
	__attribute__((nonnull(1, 2, 3, 6)));
