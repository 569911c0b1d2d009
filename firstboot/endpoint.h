/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct fault;
struct text;

/*
 * The status endpoint: HTTPS, a few things to read and nothing to change. It shows its pages to
 * clients whose certificate is of the cluster's CA and belongs to an administrator or, where the
 * page says so, to a node; all others are told 401, 403, 404 or 405 and no more. A thread of its
 * own serves it, another one ends connections that last too long, whatever they are doing.
 */

enum { ENDPOINT_PORT = 10270 };

struct endpoint_page {
	const char *path; /* "/v1/status" */
	bool for_nodes;	  /* not for administrators alone */
	/* Adds the JSON to show, or why there is none (false). Called on the thread that serves. */
	bool (*describe)(void *data, struct text *out);
};

struct endpoint_options {
	const char *address;	    /* to listen at; NULL: all of IPv4, "::": all */
	unsigned port;		    /* 0: any that is free */
	const char *crt, *key, *ca; /* PEM */
	const struct endpoint_page *pages;
	size_t n_pages;
	void *data; /* for describe */
};

struct endpoint;

/* What the options point to has to outlive it, pages and their data included. */
int endpoint_start(const struct endpoint_options *options, struct endpoint **ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

unsigned endpoint_port(const struct endpoint *e) __attribute__((nonnull));

/* Accepts NULL. No thread of it runs afterwards. */
void endpoint_stop(struct endpoint *e);
