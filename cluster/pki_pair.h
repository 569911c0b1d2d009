/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "base/text.h"

struct fault;
struct model;

/* For cluster/pki*.c: what `rackseed secrets` makes in pairs. */

/* Two files that are one thing: they are made together, and one without the other is a fault. */
struct pki_pair {
	const char *crt, *key; /* the public and the private half, below secrets/ */
	const char *name;      /* the certificate's CN */
	const char *what;
	int (*make)(const struct pki_pair *p, int dirfd, int64_t now, struct text *crt,
		    struct text *key, struct fault *why);
	int (*check)(const struct pki_pair *p, int dirfd, int64_t now, const char *crt,
		     const char *key, struct fault *why);
	const char *ca_crt, *ca_key; /* of a server's certificate: who signs it */
	const char *names;	     /* and what it is for: "DNS:a,IP:10.0.0.1" */
};

/* A pair made of the model, with the words that it points into. */
struct pki_server {
	struct text crt, key, names;
};
void pki_server_done(struct pki_server *s);

/*
 * The certificate of the node's registries, signed by the registry CA. 1 when the node serves any
 * over TLS, else 0; *pair points into *s.
 */
int pki_server_registry(const struct model *m, const char *node, struct pki_server *s,
			struct pki_pair *pair) __attribute__((nonnull));
