/* SPDX-License-Identifier: MIT */
#pragma once

struct fault;
struct text;

/*
 * Acts on this machine's Samba through its own tools. conf is the path of the smb.conf meant, or
 * NULL: the system's.
 */

/* Lets testparm(1) judge the text of an smb.conf before it replaces the old one: 0 or -EINVAL. */
int storage_server_check(const char *text, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Makes the account and its password so, through smbpasswd(8) and its stdin. The Linux account
 * must be there.
 */
int storage_server_account(const char *conf, const char *user, const char *password,
			   struct fault *why) __attribute__((nonnull(2, 3, 4), warn_unused_result));

/* Adds the names of Samba's accounts, a line each. */
int storage_server_accounts(const char *conf, struct text *out, struct fault *why)
	__attribute__((nonnull(2, 3), warn_unused_result));

/* Removes the account; absent is no fault. */
int storage_server_account_remove(const char *conf, const char *user, struct fault *why)
	__attribute__((nonnull(2, 3), warn_unused_result));
