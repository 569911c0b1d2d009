/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct fault;

/*
 * A large file by HTTP or HTTPS (libcurl): through the proxies of the environment, after redirects,
 * with the system's authorities, and for as long as bytes come. Who takes it knows its sum: nothing
 * that is said on the way is believed.
 */
struct download {
	const char *url;
	uint64_t from; /* bytes that are here already */
	/*
	 * Called once, before the first byte: where that belongs (from, or 0 where the server
	 * begins anew), and the size of the whole, or 0 where the server does not tell. Negative
	 * ends it.
	 */
	int (*begin)(uint64_t at, uint64_t total, void *data);
	int (*sink)(const char *bytes, size_t len, void *data); /* the same */
	void *data;
	int stall_ms; /* without a byte, after which it ends; 0: a minute */
};

/*
 * 0 when the whole is there. Else a fault with the URL in front, and
 *
 *   -ERANGE     the server has nothing beyond from
 *   -ECONNRESET, -ETIMEDOUT    it broke off, or stalled: another try may go on
 *   -ECANCELED  begin or sink ended it, and they know why
 *   -EPROTO     a status that brings no file
 *   -ENXIO, -ECONNREFUSED, -EKEYREJECTED, -EIO    there was no connection
 */
int download(const struct download *what, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
