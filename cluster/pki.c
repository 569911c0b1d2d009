/* SPDX-License-Identifier: MIT */
#include "cluster/pki.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/pki_crypto.h"
#include "cluster/pki_pair.h"

#define PREFIX "secrets/"
#define LETTERS "abcdefghijklmnopqrstuvwxyz0123456789"

/* kubeadm's own numbers: a CA lives 3650 days, and begins a little before now for slow clocks. */
enum { DAY = 24 * 60 * 60, CA_DAYS = 3650, CLIENT_DAYS = 365, BACKDATE = 5 * 60 };

static int make_authority(const struct pki_pair *p, int dirfd, int64_t now, struct text *crt,
			  struct text *key, struct fault *why)
{
	const struct pki_request request = {
		.name = p->name,
		.not_before = now - BACKDATE,
		.not_after = now + (int64_t)CA_DAYS * DAY,
	};
	int r = pki_key_new(key, why);

	(void)dirfd;
	return r < 0 ? r : pki_issue(&request, text_str(key), crt, why);
}

static int check_authority(const struct pki_pair *p, int dirfd, int64_t now, const char *crt,
			   const char *key, struct fault *why)
{
	int r = pki_keypair(crt, key, why);

	(void)p;
	(void)dirfd;
	if (r == 0)
		r = pki_check_ca(crt, why);
	return r < 0 ? r : pki_verify(crt, crt, now, why);
}

static int make_account(const struct pki_pair *p, int dirfd, int64_t now, struct text *pub,
			struct text *key, struct fault *why)
{
	int r = pki_key_new(key, why);

	(void)p;
	(void)dirfd;
	(void)now;
	return r < 0 ? r : pki_key_public(text_str(key), pub, why);
}

static int check_account(const struct pki_pair *p, int dirfd, int64_t now, const char *pub,
			 const char *key, struct fault *why)
{
	(void)p;
	(void)dirfd;
	(void)now;
	return pki_key_matches(pub, key, why);
}

static int make_signing(const struct pki_pair *p, int dirfd, int64_t now, struct text *pub,
			struct text *key, struct fault *why)
{
	int r = pki_key_signing(key, why);

	(void)p;
	(void)dirfd;
	(void)now;
	return r < 0 ? r : pki_key_public(text_str(key), pub, why);
}

static int make_admin(const struct pki_pair *p, int dirfd, int64_t now, struct text *crt,
		      struct text *key, struct fault *why)
{
	(void)p;
	return pki_admin(dirfd, now, crt, key, why);
}

static int check_admin(const struct pki_pair *p, int dirfd, int64_t now, const char *crt,
		       const char *key, struct fault *why)
{
	scoped(text_done) struct text ca = { 0 };
	int r = pki_keypair(crt, key, why);

	(void)p;
	if (r < 0)
		return r;
	r = pki_read_file(dirfd, "pki/ca.crt", &ca, why);
	if (r == -ENOENT)
		return fault_set(why, ENOENT, "their CA, " PREFIX "pki/ca.crt, is gone");
	return r < 0 ? r : pki_verify(crt, text_str(&ca), now, why);
}

/* In the order in which they are made: the administrator's certificate needs the first. */
#define AUTHORITY(folder, cn, text)                                                                \
	{                                                                                          \
		.crt = folder "/ca.crt", .key = folder "/ca.key", .name = (cn),                    \
		.what = (text), .make = make_authority, .check = check_authority                   \
	}

static const struct pki_pair always[] = {
	AUTHORITY("pki", "kubernetes", "cluster CA"),
	AUTHORITY("pki/etcd", "etcd-ca", "etcd CA"),
	{ .crt = "pki/front-proxy-ca.crt",
	  .key = "pki/front-proxy-ca.key",
	  .name = "front-proxy-ca",
	  .what = "front-proxy CA",
	  .make = make_authority,
	  .check = check_authority },
	{ .crt = "pki/sa.pub",
	  .key = "pki/sa.key",
	  .what = "service accounts",
	  .make = make_account,
	  .check = check_account },
	{ .crt = "admin.crt",
	  .key = "admin.key",
	  .name = "kubernetes-admin",
	  .what = "administrator",
	  .make = make_admin,
	  .check = check_admin },
};

/* What signs the sums of the images, unless the document names another key. */
static const struct pki_pair signing = { .crt = "signing.pub",
					 .key = "signing.key",
					 .what = "signature of images",
					 .make = make_signing,
					 .check = check_account };

/* Where registries are served: their CA is one of its own, which signs nothing of the cluster. */
static const struct pki_pair registry_ca =
	AUTHORITY("pki/registry", "rackseed-registry", "registry CA");

/* What this document needs, in the order of its making. */
struct pairs {
	struct pki_pair *list;
	struct pki_server *servers;
	size_t n, n_servers;
};

static void pairs_done(struct pairs *p)
{
	size_t i;

	for (i = 0; i < p->n_servers; i++)
		pki_server_done(&p->servers[i]);
	free(p->servers);
	free(p->list);
}

static int pairs_collect(const struct model *m, struct pairs *p, struct fault *why)
{
	size_t i, first;

	p->list = calloc(COUNT(always) + 2 + m->n_nodes, sizeof(*p->list));
	p->servers = calloc(m->n_nodes + 1, sizeof(*p->servers));
	if (!p->list || !p->servers)
		return fault_errno(why, ENOMEM, PREFIX);
	for (i = 0; i < COUNT(always); i++)
		p->list[p->n++] = always[i];
	if (!m->signing.key_file)
		p->list[p->n++] = signing;
	first = p->n;
	p->list[p->n++] = registry_ca;
	for (i = 0; i < m->n_nodes; i++)
		if (pki_server_registry(m, m->nodes[i].name, &p->servers[p->n_servers++],
					&p->list[p->n]))
			p->n++;
	if (p->n == first + 1)
		p->n--;
	return 0;
}

int pki_admin(int dirfd, int64_t now, struct text *ret_crt, struct text *ret_key, struct fault *why)
{
	scoped(text_done) struct text ca_crt = { 0 };
	scoped(text_wipe) struct text ca_key = { 0 };
	scoped(text_done) struct text crt = { 0 };
	scoped(text_wipe) struct text key = { 0 };
	struct pki_request request = {
		.name = "kubernetes-admin",
		.organization = "system:masters",
		.not_after = now + (int64_t)CLIENT_DAYS * DAY,
	};
	int r = pki_read_file(dirfd, "pki/ca.crt", &ca_crt, why);

	if (r == 0)
		r = pki_read_file(dirfd, "pki/ca.key", &ca_key, why);
	if (r < 0)
		return r;
	r = check_authority(NULL, dirfd, now, text_str(&ca_crt), text_str(&ca_key), why);
	if (r < 0)
		return fault_wrap(why, PREFIX "pki/ca.crt");
	request.ca_crt = text_str(&ca_crt);
	request.ca_key = text_str(&ca_key);
	r = pki_key_new(&key, why);
	if (r == 0)
		r = pki_issue(&request, text_str(&key), &crt, why);
	if (r < 0)
		return r;
	*ret_crt = crt;
	*ret_key = key;
	crt = key = (struct text){ 0 };
	return 0;
}

/* 1 when both halves are there and belong together, 0 when neither is there. */
static int survey_pair(const struct pki_pair *p, int dirfd, int64_t now, struct fault *why)
{
	scoped(text_done) struct text crt = { 0 };
	scoped(text_wipe) struct text key = { 0 };
	int has_crt = pki_present(dirfd, PREFIX, p->crt, why);
	int has_key = has_crt < 0 ? has_crt : pki_present(dirfd, PREFIX, p->key, why);
	const char *there = has_crt ? p->crt : p->key;
	struct fault found = { 0 };
	int r;

	if (has_key < 0 || has_crt + has_key == 0)
		return has_key;
	if (has_crt != has_key)
		return fault_set(why, ENOKEY,
				 PREFIX "%s is there without " PREFIX "%s (%s): put that back from "
				 "your copy, or remove " PREFIX "%s to have both made anew",
				 there, has_crt ? p->key : p->crt, p->what, there);
	r = pki_read_file(dirfd, p->crt, &crt, why);
	if (r == 0)
		r = pki_read_file(dirfd, p->key, &key, why);
	if (r < 0)
		return r;
	r = p->check(p, dirfd, now, text_str(&crt), text_str(&key), &found);
	if (r == 0)
		return 1;
	return fault_set(why, r,
			 PREFIX "%s and " PREFIX "%s (%s): %s: put the right pair there, or remove "
			 "both to have them made anew", p->crt, p->key, p->what, found.text);
}

static void add_line(struct text *report, const char *path, const char *what, const char *kind)
{
	text_addf(report, PREFIX "%-24s %s%s%s\n", path, what, *kind ? ", " : "", kind);
}

static int make_pair(const struct pki_pair *p, int dirfd, int64_t now, struct text *report,
		     struct fault *why)
{
	scoped(text_done) struct text crt = { 0 };
	scoped(text_wipe) struct text key = { 0 };
	struct fault ignored = { 0 };
	int r = p->make(p, dirfd, now, &crt, &key, why);

	if (r < 0)
		return r;
	r = pki_write_file(dirfd, p->key, &key, why);
	if (r == 0) {
		r = pki_write_file(dirfd, p->crt, &crt, why);
		/* A full disk: no half pair is left behind. */
		if (r < 0 && fs_remove(dirfd, p->key, &ignored) < 0)
			fault_wrap(why, "remove %s yourself", p->key);
	}
	if (r < 0)
		return fault_wrap(why, PREFIX);
	add_line(report, p->key, p->what, "private key");
	add_line(report, p->crt, p->what, p->name ? "certificate" : "public key");
	return 0;
}

static bool is_token(const char *s)
{
	return strlen(s) == 23 && strspn(s, LETTERS) == 6 && s[6] == '.' &&
	       strspn(s + 7, LETTERS) == 16;
}

int pki_token(const struct model *m, int dirfd, struct text *out, struct fault *why)
{
	scoped(text_wipe) struct text content = { 0 };
	int r;

	if (m->token) {
		text_add(out, m->token);
		return text_error(out) < 0 ? fault_errno(why, ENOMEM, "token") : 0;
	}
	r = pki_read_file(dirfd, "token", &content, why);
	if (r < 0)
		return r;
	text_chomp(&content);
	if (!is_token(text_str(&content)))
		return fault_set(why, EBADMSG, PREFIX "token is no bootstrap token "
				 "([a-z0-9]{6}.[a-z0-9]{16}): put it right, or remove it to have "
				 "one made");
	text_add_n(out, content.data, content.len);
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "token") : 0;
}

static int make_token(int dirfd, struct text *report, struct fault *why)
{
	scoped(text_wipe) struct text token = { 0 };
	int r = pki_random(6, LETTERS, &token, why);

	text_add(&token, ".");
	if (r == 0)
		r = pki_random(16, LETTERS, &token, why);
	text_add(&token, "\n");
	if (r < 0)
		return r;
	r = pki_write_file(dirfd, "token", &token, why);
	if (r < 0)
		return fault_wrap(why, PREFIX);
	add_line(report, "token", "bootstrap token", "");
	return 0;
}

/* 1 when there is nothing to make. */
static int survey_token(const struct model *m, int dirfd, struct fault *why)
{
	scoped(text_wipe) struct text token = { 0 };
	int r = m->token ? 1 : pki_present(dirfd, PREFIX, "token", why);

	if (r == 1 && pki_token(m, dirfd, &token, why) < 0)
		return -why->code;
	return r;
}

static int check_folders(int dirfd, struct fault *why)
{
	static const char *const folders[] = { ".", "pki", "pki/etcd", "pki/registry" };
	struct stat st;
	size_t i;

	for (i = 0; i < COUNT(folders); i++) {
		if (fstatat(dirfd, folders[i], &st, 0) < 0) {
			if (errno != ENOENT)
				return fault_errno(why, errno, PREFIX "%s", folders[i]);
		} else if (!S_ISDIR(st.st_mode)) {
			return fault_set(why, ENOTDIR, PREFIX "%s is not a folder", folders[i]);
		} else if (st.st_mode & 077) {
			const char *name = i ? folders[i] : "";

			return fault_set(why, EPERM,
					 PREFIX "%s is open to others (mode %04o): run "
					 "'chmod 700 " PREFIX "%s'",
					 name, st.st_mode & 07777, name);
		}
	}
	return 0;
}

/* Looks at everything before anything is made, so that a fault leaves the folder as it was. */
static int create(const struct model *m, int dirfd, int64_t now, struct text *report,
		  struct fault *why)
{
	scoped(pairs_done) struct pairs pairs = { 0 };
	int has_token = survey_token(m, dirfd, why);
	size_t i;
	int r = has_token < 0 ? has_token : pairs_collect(m, &pairs, why);

	for (i = 0; i < pairs.n && r >= 0; i++) {
		r = survey_pair(&pairs.list[i], dirfd, now, why);
		if (r == 1)
			pairs.list[i].make = NULL; /* it is there */
	}
	for (i = 0; i < pairs.n && r >= 0; i++)
		if (pairs.list[i].make)
			r = make_pair(&pairs.list[i], dirfd, now, report, why);
	if (r >= 0 && !has_token)
		r = make_token(dirfd, report, why);
	if (r >= 0)
		r = pki_status(m, dirfd, now, report, why);
	if (r >= 0 && text_error(report) < 0)
		r = fault_errno(why, ENOMEM, "report");
	return r < 0 ? r : 0;
}

int pki_create(const struct model *m, int dirfd, int64_t now, struct text *report,
	       struct fault *why)
{
	int r = check_folders(dirfd, why);

	if (r < 0)
		return r;
	if (flock(dirfd, LOCK_EX | LOCK_NB) < 0)
		return fault_errno(why, errno, "another rackseed is making " PREFIX);
	r = create(m, dirfd, now, report, why);
	flock(dirfd, LOCK_UN);
	return r;
}
