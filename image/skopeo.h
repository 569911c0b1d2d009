/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/text.h"
#include "cluster/depot.h"

struct fault;
struct model;

/*
 * Images copied by skopeo, with the CAs, certificates and logins that the document has for its
 * registries. What it logs in with lies in memory, and for its time.
 */

struct skopeo {
	const struct model *m;
	struct text folder; /* of the credentials and certificates, 0700 */
};

/* Lays down what skopeo needs, of all registries of m; skopeo_end() removes it. */
int skopeo_begin(const struct model *m, const struct depot_secrets *secrets, struct skopeo *ret,
		 struct fault *why) __attribute__((nonnull, warn_unused_result));
void skopeo_end(struct skopeo *s);

/*
 * Copies one image for linux/amd64, from and to in skopeo's words ("docker-archive:x.tar:a/b:1",
 * "docker://registry:5000/a/b:1"). A registry of our own is asked at its node's address.
 */
int skopeo_copy(const struct skopeo *s, const char *from, const char *to, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
