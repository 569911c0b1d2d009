/* SPDX-License-Identifier: MIT */
#pragma once

struct fault;
struct text;

/*
 * The status endpoint: HTTPS, one thing to read and nothing to change. It shows GET /v1/status to
 * clients whose certificate is of the cluster's CA and belongs to an administrator or a node; all
 * others are told 401, 403, 404 or 405 and no more. A thread of its own serves it, another one ends
 * connections that last too long, whatever they are doing.
 */

enum { ENDPOINT_PORT = 10270 };

struct endpoint_options {
	const char *address;	    /* to listen at; NULL: all of IPv4, "::": all */
	unsigned port;		    /* 0: any that is free */
	const char *crt, *key, *ca; /* PEM */
	/* Adds the JSON to show; called on the thread that serves. */
	void (*describe)(void *data, struct text *out);
	void *data;
};

struct endpoint;

/* What the options point to has to outlive it, describe's data included. */
int endpoint_start(const struct endpoint_options *options, struct endpoint **ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

unsigned endpoint_port(const struct endpoint *e) __attribute__((nonnull));

/* Accepts NULL. No thread of it runs afterwards. */
void endpoint_stop(struct endpoint *e);
