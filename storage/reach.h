/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/net.h"

struct share_result;
struct storage_unc;

/* The way to the server, before any SMB is spoken: libsmbclient would not tell its parts apart. */

/*
 * Looks the host up and connects. result->code stays SHARE_OK when that went well, and when the
 * name may be one of NetBIOS, which libsmbclient knows to find (resolved is false then).
 */
void reach_server(const struct storage_unc *unc, int timeout_ms, struct share_result *result);

/* Unless it is known: the address at the other end of this process's connection to the server. */
void reach_peer(const struct storage_unc *unc, char address[static NET_IP_LEN]);
