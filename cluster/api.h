/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct fault;
struct text;

/*
 * A small client for the Kubernetes API server (libcurl): TLS pinned to the cluster's CA, never
 * through a proxy, every call with a time limit.
 */
struct api {
	const char *server; /* "https://192.168.10.50:6443" */
	const char *ca; /* PEM */
	const char *crt, *key; /* PEM client certificate, or NULL */
	const char *token; /* bearer, or NULL */
	int timeout_ms; /* 0: 10000 */
};

/*
 * method "GET", "PUT", "POST", "DELETE", or "PATCH" (server-side apply: body is the object as JSON,
 * content type application/apply-patch+yaml). Adds the answer's body to *out (at most 64 MiB).
 * Returns the HTTP status, 100 to 599, or a negative code when there was no whole answer: the fault
 * tells refused, silent, wrong CA and unknown name apart.
 */
int api_call(const struct api *api, const char *method, const char *path, const char *body,
	     struct text *out, struct fault *why)
	__attribute__((nonnull(1, 2, 3, 5, 6), warn_unused_result));

/* The message of a Kubernetes Status object in body, or the status code alone: into a fault. */
int api_fault(int status, const char *body, struct fault *why) __attribute__((nonnull));

/* One node as the API server tells it. */
struct api_node {
	char *name, *version, *address; /* kubelet's version, InternalIP */
	char *reason; /* why it is not Ready, or NULL */
	bool ready;
};

/* GET /api/v1/nodes, parsed. The array is the caller's: api_nodes_free. */
int api_nodes(const struct api *api, struct api_node **ret_nodes, unsigned long *ret_n,
	      struct fault *why) __attribute__((nonnull, warn_unused_result));
void api_nodes_free(struct api_node *nodes, unsigned long n);
