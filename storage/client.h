/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct share_result;
struct storage_credentials;
struct storage_unc;

/* The adapter to libsmbclient, for rackseed-share only: nothing else may pull it in. */

struct client_request {
	const struct storage_unc *unc;
	const struct storage_credentials *credentials; /* NULL: as guest */
	int timeout_ms;				       /* for each answer of the server */
	bool write;
};

/*
 * Tries the share step by step and fills in *result as it goes, so that whoever shares that memory
 * sees how far it got even if this never returns.
 */
void client_probe(const struct client_request *request, struct share_result *result)
	__attribute__((nonnull));
