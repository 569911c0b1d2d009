/* SPDX-License-Identifier: MIT */
#include "storage/share.h"

#include <errno.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"

/* The program keeps its own limit; ours is for a program that cannot. */
enum { DEFAULT_TIMEOUT_S = 10, MAX_TIMEOUT_S = 3600, GRACE_S = 5 };

int share_probe(const char *program, const struct share_request *request, struct share_result *ret,
		struct fault *why)
{
	scoped(text_done) struct text out = { 0 };
	int timeout_s = request->timeout_s > 0 ? request->timeout_s : DEFAULT_TIMEOUT_S;
	const char *argv[10];
	struct run what = { .argv = argv, .out = &out };
	char limit[16];
	size_t n = 0;
	int r;

	if (timeout_s > MAX_TIMEOUT_S)
		timeout_s = MAX_TIMEOUT_S;
	snprintf(limit, sizeof(limit), "%d", timeout_s);
	argv[n++] = program;
	argv[n++] = "--json";
	argv[n++] = "--timeout";
	argv[n++] = limit;
	if (request->credentials) {
		argv[n++] = "--credentials";
		argv[n++] = request->credentials;
	}
	if (request->write)
		argv[n++] = "--write";
	argv[n++] = request->share;
	argv[n] = NULL;
	what.timeout_ms = (timeout_s + GRACE_S) * 1000;
	r = run(&what, why);
	/* A share that cannot be used is an answer, though the program then exits with its code. */
	if (r == -EREMOTEIO && out.len > 0)
		r = 0;
	if (r == 0)
		r = text_error(&out) < 0 ? fault_errno(why, ENOMEM, "%s", program)
					 : share_result_parse(text_str(&out), out.len, ret, why);
	return r < 0 ? fault_wrap(why, "share '%s'", request->share) : 0;
}
