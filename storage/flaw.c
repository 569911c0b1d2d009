/* SPDX-License-Identifier: MIT */
#include "storage/storage.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/macros.h"

enum { NAME_MAX_LEN = 80, USER_MAX_LEN = 104, ACCOUNT_MAX_LEN = 31, PASSWORD_MAX_LEN = 127 };

/* Names that mean something else to Samba, and those that every server has by itself. */
static const char *const reserved[] = { "global", "homes", "printers", "ipc", "print", "admin" };

/* What the node needs for itself: neither it nor what it lies in may be hidden or given away. */
static const char *const system_folders[] = {
	"/bin",
	"/boot",
	"/dev",
	"/efi",
	"/etc",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	"/lost+found",
	"/opt/cni",
	"/proc",
	"/root",
	"/run",
	"/sbin",
	"/snap",
	"/sys",
	"/tmp",
	"/usr",
	"/var/backups",
	"/var/cache",
	"/var/lib",
	"/var/lock",
	"/var/log",
	"/var/run",
	"/var/snap",
	"/var/spool",
	"/var/tmp",
};

/* Folders that others put theirs into: below them is fine. */
static const char *const shared_folders[] = { "/home", "/media", "/mnt", "/opt", "/srv", "/var" };

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

/* A tab is a control character. */
static bool is_blank(char c)
{
	return c == ' ';
}

const char *storage_name_flaw(const char *name)
{
	size_t n = strlen(name);
	size_t i;

	if (n == 0)
		return "is empty";
	if (n > NAME_MAX_LEN)
		return "is longer than 80 characters";
	for (i = 0; i < COUNT(reserved); i++)
		if (strcasecmp(name, reserved[i]) == 0)
			return "is a name that Samba keeps for itself";
	if (name[0] == '.' || name[0] == '-')
		return "begins with '.' or '-'";
	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return "may hold letters, digits, '-', '_' and '.' only";
	return NULL;
}

const char *storage_value_flaw(const char *value)
{
	size_t n = strlen(value);

	if (n == 0)
		return "is empty";
	if (has_control(value))
		return "holds a control character or a line break";
	if (is_blank(value[0]) || is_blank(value[n - 1]))
		return "begins or ends with a blank";
	if (strchr(value, '%'))
		return "holds '%', which Samba replaces";
	if (strpbrk(value, "\\\""))
		return "holds a backslash or a double quote, for which smb.conf has no escape";
	return NULL;
}

static bool has_odd_part(const char *path)
{
	const char *at = path;

	while (*at) {
		size_t n;

		at++; /* the '/' in front of each part */
		n = strcspn(at, "/");
		if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
			return true;
		at += n;
	}
	return false;
}

bool storage_path_within(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	if (strcmp(folder, "/") == 0)
		return path[0] == '/';
	return strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

const char *storage_path_flaw(const char *path)
{
	const char *flaw = storage_value_flaw(path);
	size_t i;

	if (flaw)
		return flaw;
	if (path[0] != '/')
		return "does not begin with '/'";
	if (strcmp(path, "/") == 0)
		return "is the whole file system";
	if (has_odd_part(path))
		return "has an empty, '.' or '..' part, or ends with '/'";
	if (strlen(path) > 200)
		return "is longer than 200 characters";
	for (i = 0; i < COUNT(system_folders); i++)
		if (storage_path_within(path, system_folders[i]) ||
		    storage_path_within(system_folders[i], path))
			return "is, holds or lies in a folder that the system needs";
	for (i = 0; i < COUNT(shared_folders); i++)
		if (strcmp(path, shared_folders[i]) == 0)
			return "is a folder that others lie in (name one below it)";
	return NULL;
}

const char *storage_user_flaw(const char *user)
{
	const char *flaw = storage_value_flaw(user);
	const char *slash = strchr(user, '\\');

	if (flaw && !slash)
		return flaw;
	if (has_control(user) || is_blank(user[0]) || is_blank(user[strlen(user) - 1]))
		return "holds a control character, or begins or ends with a blank";
	if (slash == user || (slash && (!slash[1] || strchr(slash + 1, '\\'))))
		return "is not of the form DOMAIN\\user";
	if (strpbrk(user, "\"%/,:;=|+*?<>[]"))
		return "holds a character that no user's name of Windows may have";
	if (strlen(user) > USER_MAX_LEN)
		return "is longer than 104 characters";
	return NULL;
}

const char *storage_account_flaw(const char *user)
{
	size_t n = strlen(user);
	size_t i;

	if (n == 0 || n > ACCOUNT_MAX_LEN)
		return "must have 1 to 31 characters";
	if (!islower((unsigned char)user[0]) && user[0] != '_')
		return "must begin with a lower-case letter or '_'";
	for (i = 1; i < n; i++)
		if (!islower((unsigned char)user[i]) && !isdigit((unsigned char)user[i]) &&
		    user[i] != '_' && user[i] != '-')
			return "may hold lower-case letters, digits, '-' and '_' only";
	if (strcmp(user, "root") == 0)
		return "must not be root";
	return NULL;
}

/*
 * Accounts that Debian, Ubuntu and what a node is made of have or may have: they have numbers and
 * groups of their own, some of them none of their name, and services that run as them. And groups
 * that open something: who is called as one of them is, would be in it.
 */
static const char *const system_accounts[] = {
	"_apt",
	"_chrony",
	"_rpc",
	"_ssh",
	"adm",
	"audio",
	"avahi",
	"backup",
	"bin",
	"cdrom",
	"containerd",
	"crontab",
	"daemon",
	"dhcpcd",
	"dialout",
	"dip",
	"disk",
	"dnsmasq",
	"docker",
	"docker-registry",
	"etcd",
	"fax",
	"floppy",
	"fwupd-refresh",
	"games",
	"gnats",
	"input",
	"irc",
	"kmem",
	"kube",
	"kvm",
	"landscape",
	"list",
	"lp",
	"lxd",
	"mail",
	"man",
	"messagebus",
	"netdev",
	"news",
	"nobody",
	"nogroup",
	"ntp",
	"ntpsec",
	"operator",
	"plugdev",
	"polkitd",
	"pollinate",
	"proxy",
	"render",
	"root",
	"sasl",
	"shadow",
	"src",
	"sshd",
	"ssl-cert",
	"staff",
	"statd",
	"sudo",
	"sync",
	"sys",
	"syslog",
	"systemd-bus-proxy",
	"systemd-coredump",
	"systemd-journal",
	"systemd-journal-gateway",
	"systemd-journal-remote",
	"systemd-journal-upload",
	"systemd-network",
	"systemd-oom",
	"systemd-resolve",
	"systemd-timesync",
	"tape",
	"tcpdump",
	"tss",
	"tty",
	"usbmux",
	"utmp",
	"uucp",
	"uuidd",
	"video",
	"voice",
	"wheel",
	"www-data",
};

bool storage_account_is_system(const char *user)
{
	size_t i;

	for (i = 0; i < COUNT(system_accounts); i++)
		if (strcmp(system_accounts[i], user) == 0)
			return true;
	return false;
}

const char *storage_password_flaw(const char *password)
{
	if (!*password)
		return "is empty";
	if (has_control(password))
		return "holds a control character or a line break";
	if (strlen(password) > PASSWORD_MAX_LEN)
		return "is longer than 127 bytes";
	return NULL;
}
