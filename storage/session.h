/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_request;

/* One login at one server through a context of libsmbclient of its own. */

struct session {
	const struct client_request *request;
	struct _SMBCCTX *context;
	struct _SMBCFILE *folder;  /* the one that was opened last, or NULL */
	char share[81], path[512]; /* what it is */
	int conf_fd;
	bool started;
	char refusal[256]; /* how the server refused the login, in Samba's words, or "" */
};

/* Makes the context; sign: nothing but signed answers will do. Negative errno. */
int session_start(struct session *s, const struct client_request *request, bool sign);

/* Opens and lists the folder of the share ("" is the share itself). Negative errno. */
int session_open(struct session *s, const char *share, const char *path);

/* Lists the shares of the server; 0 shows that its name is known. */
int session_lists(struct session *s);

/* Of the folder that is open. */
int session_space(struct session *s, uint64_t *ret_free, uint64_t *ret_total);

/* Makes a new file in the folder that is open, writes data, and removes it again. */
int session_write(struct session *s, const char *name, const void *data, size_t len);

void session_done(struct session *s);
