/* SPDX-License-Identifier: MIT */
#include "storage/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/macros.h"
#include "base/text.h"
#include "storage/reach.h"
#include "storage/session.h"
#include "storage/share.h"
#include "storage/storage.h"

/* A share that no server has: asking for it tells a refused user from a refused share. */
#define NO_SHARE "rackseed-no-such-share"

enum { TEST_BYTES = 4096 };

static void end(struct share_result *result, enum share_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void end(struct share_result *result, enum share_code code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(result->reason, sizeof(result->reason), format, ap);
	va_end(ap);
	result->code = code;
}

/* A server that turns this host away says so in as many ways as there are servers. */
#define TURNED_AWAY                                                                                \
	"it ends the connection before the login: the server lets this host not in (hosts "        \
	"allow), or is no SMB server"

static const struct {
	int error;
	bool after_login; /* the row holds then only; otherwise always */
	enum share_code code;
	const char *reason;
} errors[] = {
	{ ENOSPC, true, SHARE_FULL, "no space is left on the share" },
	{ EDQUOT, true, SHARE_FULL, "the user's quota on the share is used up" },
	{ EROFS, true, SHARE_NOT_WRITABLE, "the share is read-only" },
	{ EACCES, true, SHARE_NOT_WRITABLE, "the user may not write to the share" },
	{ EPERM, true, SHARE_NOT_WRITABLE, "the user may not write to the share" },
	{ EINVAL, true, SHARE_FAILED, "the server refuses the request as invalid" },
	{ ECONNABORTED, true, SHARE_FAILED, "the server has cut the connection" },
	{ ECONNRESET, true, SHARE_FAILED, "the server has cut the connection" },
	{ ETIMEDOUT, false, SHARE_SILENT, "the server stopped answering" },
	{ EHOSTUNREACH, false, SHARE_UNREACHABLE, "there is no way to the host" },
	{ ENETUNREACH, false, SHARE_UNREACHABLE, "there is no way to the host's network" },
	{ ENOSYS, false, SHARE_NO_SMB3, "the server does not speak SMB 3" },
	{ ECONNREFUSED, false, SHARE_REFUSED, TURNED_AWAY },
	{ ECONNABORTED, false, SHARE_REFUSED, TURNED_AWAY },
	{ ECONNRESET, false, SHARE_REFUSED, TURNED_AWAY },
	{ EINVAL, false, SHARE_REFUSED, TURNED_AWAY },
};

static void end_errno(struct share_result *result, int error, const char *what)
{
	char buf[128];
	size_t i;

	for (i = 0; i < COUNT(errors); i++) {
		if (errors[i].error == error && (result->login || !errors[i].after_login)) {
			end(result, errors[i].code, "%s", errors[i].reason);
			return;
		}
	}
	end(result, SHARE_FAILED, "%s: %s", what, strerror_r(error, buf, sizeof(buf)));
}

static bool is_denial(int error)
{
	return error == EACCES || error == EPERM;
}

static bool is_absence(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ENODEV;
}

/* True when the server logs the user in, whatever it then says of a share. */
static bool logs_in(struct session *s)
{
	int r = session_open(s, NO_SHARE, "");

	return !s->refusal[0] && !is_denial(-r);
}

/*
 * The login failed while we insisted on signatures. A server that maps unknown users to guests says
 * yes to such a login, but has no key to sign with; so it is asked once more, except when it has
 * said plainly that it is the password, since each try counts towards locking the account.
 */
static bool signing_is_missing(const struct client_request *request, const struct session *refused)
{
	static const char plainly[] = "The attempted logon is invalid";
	scoped(session_done) struct session s = { 0 };

	if (!request->credentials || strncmp(refused->refusal, plainly, sizeof(plainly) - 1) == 0)
		return false;
	return session_start(&s, request, false) == 0 && logs_in(&s);
}

static void end_refused_user(const struct client_request *request, const struct session *s,
			     struct share_result *result)
{
	const char *dash = s->refusal[0] ? ": " : "";

	if (!request->credentials)
		end(result, SHARE_WRONG_PASSWORD, "guests are not let in%s%s", dash, s->refusal);
	else if (signing_is_missing(request, s))
		end(result, SHARE_SIGNING_REFUSED,
		    "user '%s' gets in without signatures only: the server does not know the user "
		    "and takes everybody as guest",
		    request->credentials->user);
	else
		end(result, SHARE_WRONG_PASSWORD, "user '%s' or the password is refused%s%s",
		    request->credentials->user, dash, s->refusal);
}

static void end_absent(const struct client_request *request, struct session *s,
		       struct share_result *result)
{
	const struct storage_unc *unc = request->unc;

	result->login = true;
	if (unc->path[0] && session_open(s, unc->share, "") == 0) {
		result->exists = true;
		end(result, SHARE_NO_SUCH_SHARE, "the share '%s' has no folder '%s'", unc->share,
		    unc->path);
	} else {
		end(result, SHARE_NO_SUCH_SHARE, "'%s' has no share '%s'", unc->host, unc->share);
	}
}

/*
 * An unknown name and a server's refusal look alike, so whoever failed with a name of NetBIOS is
 * asked for its shares. Should that go well, the share is opened once more: a server that came up
 * between the two had not answered to its name yet, and what was said before is no word of it.
 */
static int open_share(const struct client_request *request, struct session *s,
		      struct share_result *result)
{
	int r = session_open(s, request->unc->share, request->unc->path);
	int lists;

	if (r == 0 || result->resolved || s->refusal[0] || is_denial(-r))
		return r;
	lists = session_lists(s);
	if (lists < 0 && !s->refusal[0] && !is_denial(-lists))
		return r;
	result->resolved = true;
	return session_open(s, request->unc->share, request->unc->path);
}

/* Opening the share failed: finds out which of the steps before it was the last to go well. */
static void judge(const struct client_request *request, struct session *s, int error,
		  struct share_result *result)
{
	if (s->refusal[0] || is_denial(error)) {
		result->resolved = result->reached = true;
		result->login = !s->refusal[0] && logs_in(s);
		result->exists = result->login;
		if (result->login)
			end(result, SHARE_NOT_READABLE, "%s may not use the share '%s'",
			    request->credentials ? request->credentials->user : "guests",
			    request->unc->share);
		else
			end_refused_user(request, s, result);
		return;
	}
	if (!result->resolved) {
		end(result, SHARE_UNKNOWN_NAME,
		    "nobody knows the name '%s', neither DNS nor NetBIOS", request->unc->host);
		return;
	}
	result->resolved = result->reached = true;
	if (is_absence(error))
		end_absent(request, s, result);
	else
		end_errno(result, error, "opening the share");
}

/* A file of its own name is made, filled and removed. */
static void try_write(struct session *s, struct share_result *result)
{
	char data[TEST_BYTES] = { 0 };
	uint64_t id = 0;
	char name[64];
	int r;

	/* Should there be no randomness yet, O_EXCL still keeps us off other people's files. */
	if (getrandom(&id, sizeof(id), GRND_NONBLOCK) < 0)
		id = (uint64_t)(uintptr_t)&id;
	snprintf(name, sizeof(name), ".rackseed-probe-%016llx", (unsigned long long)id);
	r = session_write(s, name, data, sizeof(data));
	result->writable = r == 0;
	if (r < 0)
		end_errno(result, -r, "writing to the share");
}

void client_probe(const struct client_request *request, struct share_result *result)
{
	scoped(session_done) struct session s = { 0 };
	int r;

	result->code = SHARE_OK;
	reach_server(request->unc, request->timeout_ms, result);
	if (result->code != SHARE_OK)
		return;
	result->code = SHARE_N_CODES;
	r = session_start(&s, request, request->credentials != NULL);
	if (r < 0) {
		end_errno(result, -r, "cannot start libsmbclient");
		return;
	}
	r = open_share(request, &s, result);
	if (r < 0) {
		judge(request, &s, -r, result);
		return;
	}
	reach_peer(request->unc, result->address);
	result->resolved = result->reached = result->login = result->exists = true;
	r = session_space(&s, &result->free_bytes, &result->total_bytes);
	result->readable = r == 0;
	if (r < 0) {
		end_errno(result, -r, "asking for the free space");
		return;
	}
	if (request->write)
		try_write(&s, result);
	if (result->code == SHARE_N_CODES && result->free_bytes == 0)
		end(result, SHARE_FULL, "no space is left on the share");
	else if (result->code == SHARE_N_CODES)
		result->code = SHARE_OK;
}
