/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct fault;
struct text;

/* `rackseed-firstboot status`: asks the service over the system bus; a table, or its JSON. */
int show_status(bool json, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
