/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct fault;
struct node;
struct text;

/* What the steps registry (the server) and registries (its clients) share. */

/* struct depot_secrets' read() for a node: data is the struct node. */
int registry_secret(void *data, const char *path, struct text *out, struct fault *why);

/* 5000 for "5000.yml"; 0 for any other name. */
unsigned registry_port_of(const char *name) __attribute__((nonnull));
