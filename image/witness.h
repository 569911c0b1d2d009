/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/text.h"

struct fault;
struct model;

/*
 * What a cluster must not forget, whatever becomes of its power: which cluster it is, and what it
 * was given to keep: a number in the ConfigMap rackseed-drill of its namespace kube-system.
 */
struct witness {
	struct text ca, crt, key, server; /* whom it asks, and with what */
	char uid[64];			  /* of the namespace kube-system; "": not known yet */
	unsigned long long written;	  /* the newest number that the cluster took, 0: none */
};

/* Asks as administrator, with a certificate made of the secrets in folder. For scoped():
 * witness_done. */
int witness_open(struct witness *ret, const struct model *m, int folder, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void witness_done(struct witness *w);

/* From now on another cluster is expected, one that was given nothing. */
void witness_forget(struct witness *w) __attribute__((nonnull));

/* Gives it the next number to keep. One try: negative when it was not taken. */
int witness_write(struct witness *w, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * That it is the same cluster and the newest number is there; then gives it another one. A busy API
 * server is asked for half a minute; -ESTALE: another cluster, -ENODATA: the number is lost.
 */
int witness_check(struct witness *w, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
