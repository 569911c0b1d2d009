/* SPDX-License-Identifier: MIT */
#include "storage/storage.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"

enum { UNIT_NAME_MAX_LEN = 255, START_LIMIT_S = 30, ECHO_INTERVAL_S = 15 };

static void escape(const char *path, struct text *out)
{
	bool first = true;

	for (path++; *path; path++, first = false) {
		if (*path == '/')
			text_add(out, "-");
		else if (isalnum((unsigned char)*path) || *path == ':' || *path == '_' ||
			 (*path == '.' && !first))
			text_add_n(out, path, 1);
		else
			text_addf(out, "\\x%02x", (unsigned char)*path);
	}
}

int storage_mount_unit_name(const char *where, struct text *out, struct fault *why)
{
	scoped(text_done) struct text name = { 0 };
	const char *flaw = storage_path_flaw(where);

	if (flaw)
		return fault_set(why, EINVAL, "folder '%s' %s", where, flaw);
	escape(where, &name);
	text_add(&name, ".mount");
	if (text_error(&name) < 0)
		return fault_errno(why, ENOMEM, "folder '%s'", where);
	if (name.len > UNIT_NAME_MAX_LEN)
		return fault_set(why, ENAMETOOLONG,
				 "folder '%s': its unit's name has %zu bytes, and 255 is the most",
				 where, name.len);
	text_add_n(out, name.data, name.len);
	return 0;
}

/*
 * The first four concern systemd and mount(8): nobody waits for it, it counts as network. soft: a
 * silent server gives its users an error, not an endless wait; the echo tells sooner that it is.
 */
static void options(const struct storage_mount *m, struct text *out)
{
	text_addf(out, "nofail,_netdev,nosuid,nodev,%s,soft,vers=3,echo_interval=%d",
		  m->read_only ? "ro" : "rw", ECHO_INTERVAL_S);
	if (m->unc.port && m->unc.port != 445)
		text_addf(out, ",port=%u", m->unc.port);
	if (m->address)
		text_addf(out, ",ip=%s", m->address);
	if (m->credentials) {
		text_add(out, m->seal ? ",seal,credentials=" : ",sign,credentials=");
		quote_unit(out, m->credentials);
	} else {
		/* A guest has no key to sign with: none that must sign may share the connection. */
		text_add(out, ",guest,nosharesock");
	}
	text_addf(out, ",uid=%u,gid=%u,forceuid,forcegid,file_mode=%04o,dir_mode=%04o", m->uid,
		  m->gid, m->file_mode ? m->file_mode : 0777,
		  m->folder_mode ? m->folder_mode : 0777);
}

void storage_mount_unit(const struct storage_mount *m, struct text *out)
{
	const struct storage_unc *unc = &m->unc;

	assert(!storage_name_flaw(m->name) && !storage_path_flaw(m->where));
	assert(!m->credentials ||
	       (!storage_value_flaw(m->credentials) && !strpbrk(m->credentials, ", ")));
	text_addf(out,
		  STORAGE_MOUNT_HEAD
		  "%s\n"
		  "# Started by rackseed-firstboot once the server answers, and after each loss.\n"
		  "StartLimitIntervalSec=0\n"
		  "\n"
		  "[Mount]\n",
		  m->name);
	text_add(out, "What=//");
	quote_unit(out, unc->host);
	text_add(out, "/");
	quote_unit(out, unc->share);
	if (unc->path[0]) {
		text_add(out, "/");
		quote_unit(out, unc->path);
	}
	text_add(out, "\nWhere=");
	quote_unit(out, m->where);
	text_add(out, "\nType=cifs\nOptions=");
	options(m, out);
	/* Detached at once when stopped: a share gone stale can be replaced while in use. */
	text_addf(out, "\nTimeoutSec=%d\nDirectoryMode=0755\nLazyUnmount=yes\nForceUnmount=yes\n",
		  START_LIMIT_S);
}
