/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/net.h"
#include "image/domain.h"

struct api_node;
struct leases;
struct model;
struct text;

/* What is known of each node of the file, put together from several witnesses. Pure. */

enum status_ready { STATUS_READY, STATUS_NOT_READY, STATUS_UNKNOWN, STATUS_NONE };

/* What was found out; the arrays follow the order of the file's nodes or are NULL. */
struct status_facts {
	const struct api_node *nodes; /* what the API server says, any order */
	size_t n_nodes;
	const struct leases *leases;	    /* the heartbeats, or NULL: not known */
	const char *api_silent;		    /* why it says nothing, or NULL: it answered */
	const struct domain_facts *domains; /* one per node of the file, or NULL: no libvirt */
};

struct status_row {
	const char *node;
	char expected[48];	  /* its roles, "+" between */
	const char *booted;	  /* a domain's state, "yes", or "unknown" */
	enum status_ready ready;  /* NONE: no Kubernetes node by its roles */
	const char *version;	  /* kubelet's, or "" */
	char address[NET_IP_LEN]; /* as Kubernetes tells, else the file's */
	char reason[256];	  /* why it is not what it should be, or "" */
};

/* rows has one place for each node of m. True when every Kubernetes node is Ready. */
bool status_merge(const struct model *m, const struct status_facts *facts, struct status_row *rows)
	__attribute__((nonnull));

void status_table(const struct status_row *rows, size_t n, struct text *out)
	__attribute__((nonnull));
void status_json(const struct status_row *rows, size_t n, struct text *out)
	__attribute__((nonnull));

/* One row as one line without its end, as --wait prints it when it changes. */
void status_line(const struct status_row *row, struct text *out) __attribute__((nonnull));
