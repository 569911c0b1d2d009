/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libvirt/libvirt.h>

struct fault;
struct invocation;
struct model;
struct model_node;

/* What one `rackseed vm ACTION` works on. */
struct vm {
	const struct invocation *in;
	const struct model *model;
	virConnectPtr connect;
	const struct model_node **nodes; /* those meant, each with vm: */
	size_t n_nodes;
	bool all; /* no node was named */
	uint64_t timeout_s; /* of down */
};

/* Prints the machines as a table or, with --json, as an array of objects. */
int vm_list(const struct vm *s, struct fault *why) __attribute__((nonnull, warn_unused_result));
