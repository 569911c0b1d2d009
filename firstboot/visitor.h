/* SPDX-License-Identifier: MIT */
#pragma once

/* Who asks the status endpoint, by the client certificate of a TLS session. */

enum visitor {
	VISITOR_UNKNOWN,  /* no certificate, or none that is good: not of our CA, over, for a server
			   */
	VISITOR_STRANGER, /* one of our CA's, but neither an administrator's nor a node's */
	VISITOR_NODE,
	VISITOR_ADMINISTRATOR,
};

/* session is a gnutls_session_t with the CA as its trust. NULL is nobody. */
enum visitor visitor_judge(void *session);
