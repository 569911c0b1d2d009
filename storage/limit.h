/* SPDX-License-Identifier: MIT */
#pragma once

struct client_request;
struct fault;
struct share_result;

/*
 * Runs probe in a child and kills the child when limit_ms have gone; *result then tells how far it
 * got and that the server is silent. Negative only when no child could be had.
 */
int limit_probe(void (*probe)(const struct client_request *, struct share_result *),
		const struct client_request *request, int limit_ms, struct share_result *result,
		struct fault *why) __attribute__((nonnull, warn_unused_result));
