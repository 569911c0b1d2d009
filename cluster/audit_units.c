/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "cluster/audit_parts.h"

/* What systemd starts by itself: services that are known to listen, and sockets on the network. */

static const char *const folders[] = { "/etc/systemd/system", "/usr/lib/systemd/system" };
static const char *const targets[] = { "multi-user.target.wants", "sockets.target.wants",
				       "network-online.target.wants", "sysinit.target.wants",
				       "basic.target.wants" };

/* Services of the distributions that serve the network and that no node of ours needs. */
static const char *const unwanted[] = {
	"rpcbind",	"rpc-statd", "nfs-server",   "nfs-kernel-server",
	"avahi-daemon", "cups",	     "cups-browsed", "telnet",
	"inetd",	"xinetd",    "vsftpd",	     "proftpd",
	"tftpd-hpa",	"snmpd",     "exim4",	     "postfix",
	"apache2",	"nginx",     "lighttpd",     "bind9",
	"named",	"dnsmasq",   "slapd",	     "squid",
	"mysql",	"mariadb",   "postgresql",   "redis-server",
	"rsync",	"ntpd",	     "nmbd",	     "winbind",
	"docker",	"cockpit",
};

/* Wanted and masked is not started. */
static bool is_masked(struct audit_work *w, const char *unit)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text target = { 0 };
	int r;

	text_addf(&path, "/etc/systemd/system/%s", unit);
	audit_inherit(w, &path);
	r = w->tree->link(w->tree->data, text_str(&path), &target);
	audit_inherit(w, &target);
	return r == 0 && strcmp(text_str(&target), "/dev/null") == 0;
}

static void add_unit(void *to, const char *name, const struct audit_stat *st)
{
	struct audit_work *w = to;
	char **s;

	(void)st;
	for (s = w->audit->units; s && *s; s++)
		if (strcmp(*s, name) == 0)
			return;
	if (!is_masked(w, name))
		audit_add(w, &w->audit->units, name);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void audit_find_units(struct audit_work *w)
{
	size_t i, k, n = 0;

	for (i = 0; i < COUNT(folders); i++)
		for (k = 0; k < COUNT(targets); k++) {
			scoped(text_done) struct text path = { 0 };

			text_addf(&path, "%s/%s", folders[i], targets[k]);
			audit_inherit(w, &path);
			(void)w->tree->list(w->tree->data, text_str(&path), add_unit, w);
		}
	while (w->audit->units && w->audit->units[n])
		n++;
	if (n > 1)
		qsort(w->audit->units, n, sizeof(char *), compare);
}

static bool is_unwanted(const char *unit)
{
	size_t i, n = strcspn(unit, ".");

	for (i = 0; i < COUNT(unwanted); i++)
		if (strlen(unwanted[i]) == n && memcmp(unwanted[i], unit, n) == 0)
			return true;
	return false;
}

/* ListenStream=22, =0.0.0.0:22, =[::]:22; a path or an abstract name is not the network. */
static bool see_listen(void *to, const char *line, size_t n)
{
	bool *found = to;
	const char *value = memchr(line, '=', n);

	if (value && strncmp(line, "Listen", 6) == 0) {
		value += 1 + strspn(value + 1, " \t");
		*found = *found || (*value >= '0' && *value <= '9') || *value == '[';
	}
	return !*found;
}

static bool listens(struct audit_work *w, const char *unit)
{
	bool result = false;
	size_t i;

	for (i = 0; i < COUNT(folders) && !result; i++) {
		scoped(text_done) struct text path = { 0 };
		scoped(text_done) struct text body = { 0 };

		text_addf(&path, "%s/%s", folders[i], unit);
		audit_inherit(w, &path);
		if (audit_read(w, text_str(&path), &body))
			audit_lines(text_str(&body), see_listen, &result);
	}
	return result;
}

AUDIT_CHECK(audit_listening)
{
	char **s;

	(void)row;
	for (s = w->audit->units; s && *s; s++) {
		size_t n = strlen(*s);
		bool socket = n > 7 && strcmp(*s + n - 7, ".socket") == 0;

		if (is_unwanted(*s) || (socket && strcmp(*s, "ssh.socket") != 0 && listens(w, *s)))
			text_addf(seen, "%s%s is enabled", seen->len ? "; " : "", *s);
	}
	if (seen->len)
		return AUDIT_FAIL;
	text_add(seen, "none that serves the network unasked");
	return AUDIT_PASS;
}
