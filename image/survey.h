/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "cluster/peer.h"

struct model;

/* What the nodes say of themselves, all asked at once. */

struct survey_row {
	bool answered;
	char silent[256]; /* why it did not answer */
	struct peer peer;
};

struct survey {
	const char *ca, *crt, *key; /* PEM */
	int timeout_ms;
};

/* rows has one place for each node of m. */
void survey_ask(const struct survey *survey, const struct model *m, struct survey_row *rows)
	__attribute__((nonnull));
