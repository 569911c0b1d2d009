/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct fault;
struct text;

/* The distribution's docker-registry: its configuration and its users. */

struct registry_server {
	unsigned port;	    /* also the name of its instance */
	const char *folder; /* where its images lie */
	bool tls, login;
	const char *upstream;	   /* URL of which it is a pull-through cache, or NULL */
	const char *upstream_user; /* or NULL */
	/* The password as a YAML scalar, or a template's place for one. */
	const char *upstream_password;
};

/* Where the unit rackseed-registry@PORT finds its copies of certificate, key and users. */
#define REGISTRY_CREDENTIALS "/run/rackseed-registry/%u"

/* config.yml of one instance. Pure. */
void registry_server_config(const struct registry_server *s, struct text *out);

/*
 * Whether a file of users (htpasswd, bcrypt) lets user in with the password. Takes as long as
 * bcrypt does.
 */
bool registry_htpasswd_holds(const char *file, const char *user, const char *password)
	__attribute__((nonnull));

/* What is wrong with the password of a registry of ours, as the end of a sentence, or NULL. */
const char *registry_password_flaw(const char *password) __attribute__((nonnull));

/*
 * Adds the user's line, with a salt of its own. -EINVAL for a password that bcrypt would cut, or
 * for none.
 */
int registry_htpasswd_add(const char *user, const char *password, struct text *out,
			  struct fault *why) __attribute__((nonnull, warn_unused_result));
