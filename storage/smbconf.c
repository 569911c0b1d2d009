/* SPDX-License-Identifier: MIT */
#include "storage/storage.h"

#include <assert.h>
#include <strings.h>

#include "base/net.h"
#include "base/text.h"

/*
 * Left out, it would be the node's own name, which may be longer than NetBIOS allows, or the
 * workgroup's; Samba takes neither. With "disable netbios" nobody looks a node up by it, so that
 * all may have the same.
 */
#define NETBIOS_NAME "RACKSEED"

/*
 * No "interfaces" with "bind interfaces only": smbd would look for them once, at its start, and a
 * node whose switch comes up late after a power cut would then serve nobody until somebody logs in.
 * hosts allow and the firewall say who may come.
 */
static const char fixed[] = "\tserver role = standalone server\n"
			    "\tserver min protocol = SMB3\n"
			    "\tpassdb backend = tdbsam\n"
			    "\tdisable netbios = yes\n"
			    "\tsmb ports = 445\n"
			    "\tload printers = no\n"
			    "\tprinting = bsd\n"
			    "\tprintcap name = /dev/null\n"
			    "\tdisable spoolss = yes\n"
			    "\tusershare max shares = 0\n"
			    "\tlogging = systemd\n"
			    "\tlog level = 1\n";

static void setting(struct text *out, const char *key, const char *value)
{
	assert(!storage_value_flaw(value));
	text_addf(out, "\t%s = %s\n", key, value);
}

static void account(struct text *out, const char *key, const char *name)
{
	assert(!name || !storage_account_flaw(name));
	if (name)
		setting(out, key, name);
}

static void allow(const struct storage_server *server, struct text *out)
{
	char buf[NET_CIDR_LEN];
	size_t i;

	text_add(out, "\thosts allow = 127.0.0.1 ::1");
	for (i = 0; i < server->n_allowed; i++) {
		struct net_cidr network = { .ip = net_cidr_first(&server->allowed[i]),
					    .prefix = server->allowed[i].prefix };

		text_addf(out, " %s", net_cidr_text(&network, buf));
	}
	text_add(out, "\n");
}

static void export(const struct storage_export *e, struct text *out)
{
	assert(!storage_name_flaw(e->name) && !storage_path_flaw(e->path));
	text_addf(out, "\n[%s]\n", e->name);
	setting(out, "path", e->path);
	text_addf(out, "\tread only = %s\n", e->read_only ? "yes" : "no");
	text_addf(out, "\tguest ok = %s\n", e->guest ? "yes" : "no");
	/* Guests are an account of their own, which a list of users would shut out. */
	if (!e->guest)
		account(out, "valid users", e->user);
	account(out, "force user", e->owner);
	account(out, "force group", e->group);
	text_addf(out, "\tcreate mask = %04o\n", e->file_mode ? e->file_mode : 0664);
	text_addf(out, "\tdirectory mask = %04o\n", e->folder_mode ? e->folder_mode : 0775);
}

void storage_smbconf(const struct storage_server *server, struct text *out)
{
	const char *workgroup = server->workgroup ? server->workgroup : "WORKGROUP";
	bool guests = false;
	size_t i;

	assert(strcasecmp(workgroup, NETBIOS_NAME) != 0);
	for (i = 0; i < server->n_exports; i++)
		guests = guests || server->exports[i].guest;
	text_add(out, "# Written by rackseed from cluster.yaml; changes made here are lost.\n"
		      "[global]\n");
	setting(out, "workgroup", workgroup);
	setting(out, "netbios name", NETBIOS_NAME);
	text_add(out, fixed);
	/* Guests have no key, and Linux signs wherever a server demands it. */
	text_addf(out, "\tserver signing = %s\n", guests ? "auto" : "mandatory");
	text_addf(out, "\tmap to guest = %s\n", guests ? "Bad User" : "Never");
	allow(server, out);
	for (i = 0; i < server->n_exports; i++)
		export(&server->exports[i], out);
}
