/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/net.h"
#include "image/domain.h"

struct api_node;
struct leases;
struct model;
struct peer;
struct survey_row;
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
	const struct survey_row *survey;    /* one per node of the file, or NULL: none was asked */
};

struct status_row {
	const char *node;
	char expected[48];  /* its roles, "+" between */
	const char *booted; /* a domain's state, "yes", or "unknown" */
	/* Of a node without kubelet its own word; NONE: no Kubernetes node, and nobody was asked.
	 */
	enum status_ready ready;
	const char *phase; /* as the node itself says, "silent", or "" when nobody was asked */
	const struct peer *peer;  /* all that it says, or NULL */
	const char *version;	  /* kubelet's, or "" */
	char address[NET_IP_LEN]; /* as Kubernetes tells, else the file's */
	char reason[640];	  /* why it is not what it should be, or "" */
};

/*
 * rows has one place for each node of m, and points into facts. True when every node is Ready;
 * those without kubelet only where the nodes were asked.
 */
bool status_merge(const struct model *m, const struct status_facts *facts, struct status_row *rows)
	__attribute__((nonnull));

void status_table(const struct status_row *rows, size_t n, struct text *out)
	__attribute__((nonnull));
void status_json(const struct status_row *rows, size_t n, struct text *out)
	__attribute__((nonnull));

/*
 * One row as lines, as --wait prints those that change: the node, and each of its steps that has
 * something to say. How long something was waited for is left out: that is no change.
 */
void status_lines(const struct status_row *row, struct text *out) __attribute__((nonnull));
