/* SPDX-License-Identifier: MIT */
#pragma once

#include "firstboot/status.h"

struct fault;
struct sd_bus;

/* org.rackseed.Node1 (firstboot/org.rackseed.Node1.xml tells what each member means). */

#define BUS_NAME "org.rackseed.Node1"
#define BUS_PATH "/org/rackseed/Node1"

struct bus_object {
	struct status shown; /* what the properties say; written by bus_show() only */
	void (*retry)(void *data);
	void *data;
};

/* Puts the object onto a connection; it has to outlive it. */
int bus_add(struct sd_bus *bus, struct bus_object *object, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Shows a new status and emits PropertiesChanged for what moved. bus may be NULL: only shown. */
int bus_show(struct sd_bus *bus, struct bus_object *object, const struct status *status);
