/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/net.h"

struct api;
struct fault;

/* What a node's status endpoint says of it: GET /v1/status over mutual TLS, pinned to our CA. */

enum { PEER_PORT = 10270, PEER_STEPS_MAX = 32, PEER_URL_LEN = 80 };

struct peer_step {
	char name[24], state[16];
	char reason[512];
	uint64_t since_usec; /* when it came into this state; 0: not told */
};

struct peer {
	char name[256];
	char phase[16]; /* "starting", "working", "waiting", "failing", "ready" */
	char step[24];	/* the one at work, or "" */
	char version[32], boot[40];
	uint64_t uptime_s;
	bool has_etcd_data; /* unless it says clearly that it has none */
	char began[160];    /* that the cluster began anew there, and when; else "" */
	struct peer_step steps[PEER_STEPS_MAX];
	size_t n_steps;
};

/* "https://192.168.10.50:10270" */
const char *peer_url(const struct net_ip *address, char buf[static PEER_URL_LEN]);

/*
 * Asks the one at api->server, with the limits of api. 0, or what api_call() and peer_fault() say;
 * -EBADMSG when the answer is none of ours.
 */
int peer_ask(const struct api *api, struct peer *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* What an endpoint says when it shows nothing: -ENOENT, -EACCES, -EPERM, or -EAGAIN. */
int peer_fault(int status, const char *body, struct fault *why) __attribute__((nonnull));

/* The parser alone. Texts are cut where they are too long, control characters become spaces. */
int peer_parse(const char *json, size_t len, struct peer *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
