/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/text.h"
#include "cluster/depot.h"

struct fault;
struct model;

/* Images copied to a registry by skopeo. What it logs in with lies in memory, and for its time. */

struct push {
	const struct model *m;
	const struct depot_secrets *secrets;
	const char *host;   /* of the registry, as the file has it */
	const char *prefix; /* "hub/", or "" */
	struct text folder; /* of the credentials and certificates, 0700 */
};

/* Lays down what skopeo needs; push_end() removes it. */
int push_begin(struct push *p, struct fault *why) __attribute__((nonnull, warn_unused_result));
void push_end(struct push *p);

/*
 * Copies one image: source in skopeo's words ("docker-archive:x.tar:busybox:1"), name as the
 * registry shall know it. what is told about it goes to *out, such as its place.
 */
int push_image(const struct push *p, const char *source, const char *name, struct text *out,
	       struct fault *why) __attribute__((nonnull, warn_unused_result));
