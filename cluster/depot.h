/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "base/text.h"
#include "cluster/api.h"

struct fault;
struct model;

/* A container registry of the document, asked over HTTP as its clients ask. */

/* Adds the file of secrets/ named by path ("registry", "pki/registry/ca.crt") to *out. */
struct depot_secrets {
	int (*read)(void *data, const char *path, struct text *out, struct fault *why);
	void *data;
};

struct depot {
	struct text server, login, ca; /* what api points into */
	struct text crt, key;	       /* as well: what the registry is shown */
	struct text basic;	       /* the login in base64 */
	struct api api;
};

/*
 * host is "HOST[:PORT]"; what the document says of it, if it does, decides on TLS, CA and login.
 * Nothing is asked yet. The depot is the caller's: depot_done(), which accepts a zeroed one.
 */
int depot_open(const struct model *m, const char *host, const struct depot_secrets *secrets,
	       struct depot *ret, struct fault *why) __attribute__((nonnull, warn_unused_result));
void depot_done(struct depot *d);

/*
 * "HOST:PORT" at which to ask it from outside the cluster, where its name need not be known: the
 * address of the node that serves it, else its own name.
 */
void depot_place(const struct model *m, const char *host, struct text *out)
	__attribute__((nonnull));

/* Makes an opened depot ask there. */
int depot_by_address(struct depot *d, const struct model *m, const char *host, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

enum depot_outcome {
	DEPOT_YES,
	DEPOT_TOKEN, /* it wants a token of another server, which containerd and skopeo fetch */
};

/*
 * Whether it speaks the registry's protocol and lets us in. The codes of api_call(), and -EACCES
 * (401), -EPERM (403), -EPROTO (no registry is there).
 */
int depot_login(const struct depot *d, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Whether it has "library/busybox:1.36" (or @sha256:…). As above; -ENOENT: it has not. */
int depot_has(const struct depot *d, const char *image, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * An image of ours, of a kilobyte and with nothing in it, by which a registry can be proven that
 * has no other yet; depot_push_proof() puts it there (OCI distribution specification, "Pushing").
 * As above; the user must be allowed to push.
 */
#define DEPOT_PROOF "rackseed/proof:1"
int depot_push_proof(const struct depot *d, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

struct depot_names { /* owned; zeroed is empty */
	char **list;
	size_t n, size;
};
void depot_names_done(struct depot_names *names);

/* Adds all repositories, or all tags of one, page by page. As above. */
int depot_repositories(const struct depot *d, struct depot_names *names, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
int depot_tags(const struct depot *d, const char *repository, struct depot_names *names,
	       struct fault *why) __attribute__((nonnull, warn_unused_result));
