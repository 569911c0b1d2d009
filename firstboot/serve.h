/* SPDX-License-Identifier: MIT */
#pragma once

struct fault;
struct text;

/* The folder that the node service leaves things in for `serve`, and what they are called. */
#define SERVE_FOLDER "run/rackseed/status"
#define SERVE_REPORT "report"
#define SERVE_AUDIT "audit" /* of rackseed-audit.service */
#define SERVE_CRT "crt"
#define SERVE_KEY "key"
#define SERVE_CA "ca"
#define SERVE_ADDRESS "address" /* to listen at */

/* Serves the report until it is told to end. credentials: a folder with the four others. */
int serve(const char *credentials, const char *folder, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Adds the report in the folder; when the node service has not renewed it for too long, a status
 * that says so.
 */
void serve_report(int folder, struct text *out) __attribute__((nonnull));
