/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct fault;
struct text;

/*
 * A small client for the Kubernetes API server (libcurl): HTTPS only, pinned to the cluster's CA
 * (the system's authorities count for nothing), never through a proxy, no redirects, every call
 * with a time limit.
 */
struct api {
	const char *server; /* "https://192.168.10.50:6443" */
	const char *ca; /* PEM */
	const char *crt, *key; /* PEM client certificate, or NULL */
	const char *token; /* bearer, or NULL */
	const char *login; /* "USER:PASSWORD" for HTTP's basic authentication, or NULL */
	/*
	 * A container registry: "http://" is taken too, a CA that is NULL means the system's
	 * authorities, and the faults speak of a registry.
	 */
	bool registry;
	const char *accept; /* "Accept: …", or NULL: JSON */
	const char *content_type; /* "Content-Type: …" of the body, or NULL: the method's */
	size_t body_len; /* bytes of the body; 0: it is text */
	struct text *head;  /* the heads of the answers are added here, or NULL */
	int timeout_ms; /* for the whole call; 0: 10000 */
	/*
	 * Where the body goes as it comes, instead of *out and without a limit of size, or NULL;
	 * negative ends the call.
	 */
	int (*sink)(const char *bytes, size_t len, void *data);
	void *sink_data;
	void *kept; /* of api_keep, or NULL: each call makes a connection of its own */
};

/*
 * From here on the calls share a connection for as long as the server leaves it open: a TLS
 * handshake costs a slow server more than the answer. The one who calls it calls api_close, too.
 * -ENOMEM.
 */
int api_keep(struct api *api, struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Ends what api_keep began, if it did; the rest of *api is as it was. */
void api_close(struct api *api) __attribute__((nonnull));

/*
 * method "GET", "PUT", "POST", "DELETE", or "PATCH" (server-side apply: body is the object as JSON,
 * content type application/apply-patch+yaml; the path carries ?fieldManager=rackseed&force=true),
 * or "MERGE" (PATCH with a JSON merge patch: what is null there is taken away).
 * Adds the answer's body to *out (at most 64 MiB; nothing when it fails). Returns the HTTP status,
 * 100 to 599, or a negative code when there was no whole answer, and the fault says which it was:
 *
 *   -ECONNREFUSED  nothing listens there     -ETIMEDOUT     no (whole) answer within the limit
 *   -ENXIO         the name is unknown       -EKEYREJECTED  its certificate is of another CA
 *   -ENETUNREACH, -EHOSTUNREACH              -EKEYEXPIRED   its certificate is over, or not begun
 *   -ECONNRESET    the answer broke off      -EADDRNOTAVAIL its certificate is for another name
 *   -EFBIG         larger than 64 MiB        -EPROTO        no TLS or no HTTP is spoken there
 *   -EINVAL        what was given here cannot be used
 */
int api_call(const struct api *api, const char *method, const char *path, const char *body,
	     struct text *out, struct fault *why)
	__attribute__((nonnull(1, 2, 3, 5, 6), warn_unused_result));

/*
 * The message of a Kubernetes Status object in body, or the status code alone, into a fault:
 * -ENOENT for 404, -EEXIST for 409, -EACCES for 401, -EPERM for 403, -EAGAIN for 429 and 503.
 */
int api_fault(int status, const char *body, struct fault *why) __attribute__((nonnull));

/* 0 when the server says that it is ready; else what keeps it, or why it does not answer. */
int api_ready(const struct api *api, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* One node as the API server tells it. */
struct api_node {
	char *name, *version, *address; /* kubelet's version, InternalIP; NULL: not told */
	char *reason; /* why it is not Ready, or NULL */
	bool ready;
};

/* GET /api/v1/nodes, page by page, parsed. The array is the caller's: api_nodes_free. */
int api_nodes(const struct api *api, struct api_node **ret_nodes, unsigned long *ret_n,
	      struct fault *why) __attribute__((nonnull, warn_unused_result));
void api_nodes_free(struct api_node *nodes, unsigned long n);

/*
 * The parser alone: adds the nodes of one NodeList (JSON) to the array, and the token of the next
 * page, if there is one, to *next. On failure the array is as it was, or longer; it stays yours.
 */
int api_nodes_parse(const char *json, size_t len, struct api_node **nodes, unsigned long *n,
		    struct text *next, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
