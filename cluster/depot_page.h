/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cluster/depot.h"

/* The pure part of cluster/depot.c: what answers hold. */

/* Adds the strings of the sequence named key. */
int depot_page_names(const char *json, size_t len, const char *key, struct depot_names *names,
		     struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * The path of the next page, from a head with "Link: </v2/_catalog?last=b&n=2>; rel="next"", added
 * to *path; false when there is none. A link to another server is none.
 */
bool depot_page_next(const char *head, struct text *path) __attribute__((nonnull));

/*
 * The path and query at which what was begun goes on, from a head with "Location: …", added to
 * *path; false when there is none. Of a whole address the server is left out: it is called by
 * another name there, such as one without its port, and the one that was asked is meant.
 */
bool depot_page_location(const char *head, struct text *path) __attribute__((nonnull));

/* Whether a head asks for a token: "WWW-Authenticate: Bearer …". */
bool depot_page_wants_token(const char *head) __attribute__((nonnull));
