/* SPDX-License-Identifier: MIT */
#pragma once

#include "cluster/model.h"

struct text;

/* A node as a libvirt domain, a cluster as a libvirt network: XML and identities. Pure. */

enum { MACHINE_UUID_LEN = 37 };

/* The namespace of our element in a domain's or network's <metadata>. */
#define MACHINE_NAMESPACE "urn:rackseed:machine:1"

struct machine {
	const struct model *model;
	const struct model_node *node;
	enum model_accel accel; /* AUTO must have been resolved; it renders as TCG */
	const char *file;	/* the document, absolute */
	const char *disk;	/* its image, absolute */
	const char *format;	/* "qcow2" or "raw" */
	const char *data;	/* its disk for data, qcow2, absolute; or NULL */
	const char *log;	/* where the serial console is kept, absolute */
};

/* The domain. What is rendered was checked before; the file names may hold anything. */
void machine_render(const struct machine *machine, struct text *out) __attribute__((nonnull));

/*
 * The isolated network of the cluster: no DHCP, no DNS, no way out. The host has the gateway's
 * address on it when that lies in the subnet.
 */
void machine_network_render(const struct model *m, const char *file, struct text *out)
	__attribute__((nonnull));

/* CLUSTER-NODE. */
void machine_name(const struct model *m, const struct model_node *node, struct text *out)
	__attribute__((nonnull));

/* The same names give the same UUID everywhere; node is "" for the network. */
void machine_uuid(const char *cluster, const char *node, char buf[static MACHINE_UUID_LEN]);

/* The file='...' of our element as libvirt gives it back, or nothing. */
void machine_file(const char *metadata, struct text *out) __attribute__((nonnull));
