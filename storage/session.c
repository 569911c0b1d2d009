/* SPDX-License-Identifier: MIT */
#include "storage/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libsmbclient.h>

#include "base/macros.h"
#include "base/text.h"
#include "storage/client.h"
#include "storage/storage.h"

/* At this level libsmbclient tells why a login was refused; the errno alone would not. */
enum { LOG_LEVEL = 3 };

static void listen_in(void *data, int level, const char *message)
{
	static const char mark[] = "login failed: ";
	const char *hit = strstr(message, mark);
	struct session *s = data;

	(void)level;
	if (!hit)
		return;
	snprintf(s->refusal, sizeof(s->refusal), "%s", hit + sizeof(mark) - 1);
	s->refusal[strcspn(s->refusal, "\r\n")] = '\0';
	if (s->refusal[0] && s->refusal[strlen(s->refusal) - 1] == '.')
		s->refusal[strlen(s->refusal) - 1] = '\0';
}

static void give(char *to, int size, const char *s)
{
	if (size > 0)
		snprintf(to, (size_t)size, "%s", s);
}

/* The nine parameters are libsmbclient's. NOLINTNEXTLINE(readability-function-size) */
static void log_in(SMBCCTX *context, const char *server, const char *share, char *domain,
		   int domain_size, char *user, int user_size, char *password, int password_size)
{
	const struct session *s = smbc_getOptionUserData(context);
	const struct storage_credentials *c = s->request->credentials;

	(void)server;
	(void)share;
	if (c && c->domain[0])
		give(domain, domain_size, c->domain);
	give(user, user_size, c ? c->user : "");
	give(password, password_size, c ? c->password : "");
}

/*
 * The settings that the API has no call for are read from a file. What this machine's own smb.conf
 * says stays in force otherwise; a cached name would hide that the server moved.
 */
static int configure(struct session *s, bool sign)
{
	const char *signing = sign ? "required" : "desired";
	char path[64];
	FILE *file;

	s->conf_fd = memfd_create("smb.conf", MFD_CLOEXEC);
	if (s->conf_fd < 0)
		return -errno;
	file = fdopen(dup(s->conf_fd), "w");
	if (!file)
		return -errno;
	fprintf(file,
		"[global]\nclient signing = %s\nclient ipc signing = %s\n"
		"name resolve order = host bcast\nname cache timeout = 0\n",
		signing, signing);
	if (fclose(file) != 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->conf_fd);
	return smbc_setConfiguration(s->context, path) < 0 ? -errno : 0;
}

int session_start(struct session *s, const struct client_request *request, bool sign)
{
	int r;

	s->request = request;
	s->conf_fd = -1;
	s->started = true;
	s->context = smbc_new_context();
	if (!s->context)
		return -ENOMEM;
	smbc_setLogCallback(s->context, s, listen_in);
	smbc_setOptionUserData(s->context, s);
	smbc_setFunctionAuthDataWithContext(s->context, log_in);
	smbc_setOptionNoAutoAnonymousLogin(s->context, request->credentials != NULL);
	/* The limit of the whole comes first: it can tell what had not been done. */
	smbc_setTimeout(s->context, request->timeout_ms + 1000);
	if (!smbc_init_context(s->context))
		return errno ? -errno : -EIO;
	r = configure(s, sign);
	if (r < 0)
		return r;
	/* After the file: what it holds about the level of the log would count otherwise. */
	smbc_setDebug(s->context, LOG_LEVEL);
	if (request->unc->port)
		smbc_setPort(s->context, (uint16_t)request->unc->port);
	return smbc_setOptionProtocols(s->context, "SMB3", "SMB3") ? 0 : -EINVAL;
}

/* Everything but letters and digits is escaped: ':' of an IPv6 address would begin a port. */
static void add_part(struct text *url, const char *s)
{
	for (; *s; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9') || strchr("-._/", *s))
			text_add_n(url, s, 1);
		else
			text_addf(url, "%%%02X", (unsigned char)*s);
	}
}

static void make_url(const struct session *s, const char *share, const char *path, const char *name,
		     struct text *url)
{
	const char *const parts[] = { share, path, name };
	size_t i;

	text_add(url, "smb://");
	add_part(url, s->request->unc->host);
	for (i = 0; i < COUNT(parts); i++) {
		if (!parts[i][0])
			continue;
		text_add(url, "/");
		add_part(url, parts[i]);
	}
	if (!share[0])
		text_add(url, "/");
}

static void close_folder(struct session *s)
{
	if (s->folder)
		smbc_getFunctionClosedir(s->context)(s->context, s->folder);
	s->folder = NULL;
}

static int failed(void)
{
	return errno > 0 ? -errno : -EIO;
}

int session_open(struct session *s, const char *share, const char *path)
{
	scoped(text_done) struct text url = { 0 };

	close_folder(s);
	snprintf(s->share, sizeof(s->share), "%s", share);
	snprintf(s->path, sizeof(s->path), "%s", path);
	make_url(s, share, path, "", &url);
	if (text_error(&url) < 0)
		return -ENOMEM;
	errno = 0;
	s->folder = smbc_getFunctionOpendir(s->context)(s->context, text_str(&url));
	return s->folder ? 0 : failed();
}

int session_lists(struct session *s)
{
	int r = session_open(s, "", "");

	close_folder(s);
	return r;
}

int session_space(struct session *s, uint64_t *ret_free, uint64_t *ret_total)
{
	struct statvfs vfs = { 0 };
	uint64_t unit;

	errno = 0;
	if (smbc_getFunctionFstatVFS(s->context)(s->context, s->folder, &vfs) < 0)
		return failed();
	/* Without the extensions for Unix f_frsize counts sectors, and f_bsize is a sector's size.
	 */
	unit = (vfs.f_flag & SMBC_VFS_FEATURE_NO_UNIXCIFS) ? vfs.f_bsize * vfs.f_frsize
	       : vfs.f_frsize				 ? vfs.f_frsize
							 : vfs.f_bsize;
	*ret_free = vfs.f_bavail * unit;
	*ret_total = vfs.f_blocks * unit;
	return 0;
}

int session_write(struct session *s, const char *name, const void *data, size_t len)
{
	scoped(text_done) struct text url = { 0 };
	SMBCFILE *file;
	ssize_t n;
	int r = 0;

	make_url(s, s->share, s->path, name, &url);
	if (text_error(&url) < 0)
		return -ENOMEM;
	errno = 0;
	file = smbc_getFunctionOpen(s->context)(s->context, text_str(&url),
						O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (!file)
		return failed();
	n = smbc_getFunctionWrite(s->context)(s->context, file, data, len);
	if (n < 0)
		r = failed();
	else if ((size_t)n < len)
		r = -ENOSPC;
	if (smbc_getFunctionClose(s->context)(s->context, file) < 0 && r == 0)
		r = failed();
	if (smbc_getFunctionUnlink(s->context)(s->context, text_str(&url)) < 0 && r == 0)
		r = failed();
	return r;
}

void session_done(struct session *s)
{
	if (!s->started)
		return;
	if (s->context) {
		close_folder(s);
		/* The log is the process's, not the context's: it must not find us gone. */
		smbc_setDebug(s->context, 0);
		smbc_setLogCallback(s->context, NULL, NULL);
		smbc_free_context(s->context, 1);
	}
	if (s->conf_fd >= 0)
		close(s->conf_fd);
	*s = (struct session){ 0 };
}
