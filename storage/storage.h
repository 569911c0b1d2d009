/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct fault;
struct net_cidr;
struct text;

/*
 * Samba shares, served and used: which texts they may hold, smb.conf, mount units, credentials.
 * All of it pure; what acts stands in share.h and server.h.
 */

/* A share's address as written: //HOST[:PORT]/SHARE[/FOLDER…]. */
struct storage_unc {
	char host[256]; /* a name, an IPv4 address, or an IPv6 address without its brackets */
	unsigned port;	/* 0: 445 */
	char share[81];
	char path[512]; /* the folder within, "" or "a/b" */
};

/* 0, or -EINVAL and what is wrong with it. */
int storage_unc_parse(const char *s, struct storage_unc *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * What is wrong with a text that the formats here cannot hold, in words that go behind the name of
 * the key ("holds a line break"), or NULL when nothing is. smb.conf and credentials files know no
 * escapes, so that what cannot stand there must be refused where the document is checked; the
 * functions that render assert that it was.
 */
const char *storage_name_flaw(const char *name); /* of a share, which names files and units, too */
const char *storage_value_flaw(const char *value);  /* any other value of smb.conf */
const char *storage_path_flaw(const char *path);    /* a folder that is served or mounted upon */
const char *storage_user_flaw(const char *user);    /* may be DOMAIN\user for a foreign server */
const char *storage_account_flaw(const char *user); /* of our own server: a Linux account, too */
const char *storage_password_flaw(const char *password);

/* True when the distribution has this account: no share's user, and nobody to log in. */
bool storage_account_is_system(const char *user) __attribute__((nonnull));

/* True when path is folder or lies below it; both without a final '/'. */
bool storage_path_within(const char *path, const char *folder) __attribute__((nonnull));

struct storage_export { /* a share that we serve */
	const char *name, *path;
	const char *user;	   /* who may log in, or NULL: only guests */
	const char *owner, *group; /* accounts that all files belong to; NULL: as they logged in */
	mode_t file_mode, folder_mode; /* of what is made there; 0: 0664 and 0775 */
	bool read_only, guest;
};

struct storage_server {
	const char *workgroup;		/* not RACKSEED; NULL: WORKGROUP */
	const struct net_cidr *allowed; /* who may connect, beside the node itself */
	size_t n_allowed;
	const struct storage_export *exports;
	size_t n_exports;
};

#define STORAGE_CONF_PATH "/etc/samba/smb.conf"
#define STORAGE_USERS_PATH "/etc/sysusers.d/rackseed-shares.conf"

/* The whole of /etc/samba/smb.conf: standalone, SMB 3 with signing, guests only where asked. */
void storage_smbconf(const struct storage_server *server, struct text *out);

struct storage_mount { /* a share that we use */
	const char *name;
	struct storage_unc unc;
	const char *address;	 /* of a host that the system's resolver does not know, or NULL */
	const char *where;	 /* folder that it is mounted upon */
	const char *credentials; /* path of the file of storage_credentials(), or NULL: as guest */
	uid_t uid;		 /* whom its files belong to on this node */
	gid_t gid;
	mode_t file_mode, folder_mode; /* 0: 0777 both, since pods run under any user */
	bool seal;		       /* encrypted, not only signed */
	bool read_only;
};

/* How each of them begins: so a unit can be told from other people's. */
#define STORAGE_MOUNT_HEAD                                                                         \
	"# Written by rackseed from cluster.yaml; changes made here are lost.\n"                   \
	"[Unit]\n"                                                                                 \
	"Description=Share "

/* The .mount unit. Nothing wants it: whoever has probed the share starts it. */
void storage_mount_unit(const struct storage_mount *mount, struct text *out);

/*
 * The unit's name by systemd's rules ("/mnt/a-b" is "mnt-a\x2db.mount"). -EINVAL when the path is
 * none that storage_path_flaw() lets pass, -ENAMETOOLONG beyond the 255 bytes of a unit's name.
 */
int storage_mount_unit_name(const char *where, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

struct storage_credentials {
	char user[257], password[257], domain[257]; /* domain may be "" */
};

/* The text of a credentials file as mount.cifs(8) reads it; the user may be DOMAIN\user. */
void storage_credentials(const char *user, const char *password, struct text *out)
	__attribute__((nonnull));

/* The same without its password. */
void storage_credentials_user(const char *user, struct text *out) __attribute__((nonnull));

/* Reads one; what it does not know it leaves, as mount.cifs does. -EINVAL: no user, or too long. */
int storage_credentials_parse(const char *text, struct storage_credentials *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
