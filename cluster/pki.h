/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct fault;
struct model;
struct text;

/*
 * Keys, certificates and tokens, named and extended as kubeadm does (cmd/kubeadm/app/phases/certs);
 * OpenSSL's libcrypto does the work. Folder secrets/, 0700, each file 0600:
 *
 *   pki/ca.{crt,key} pki/etcd/ca.{crt,key} pki/front-proxy-ca.{crt,key} pki/sa.{pub,key}
 *   admin.{crt,key} token pki/status/NODE.{crt,key}
 *   signing.{pub,key} unless the document names another key to sign images with
 *   pki/registry/{ca,NODE}.{crt,key} where NODE serves a registry over TLS
 */

/*
 * Makes what is missing below dirfd (the folder secrets/ itself) and overwrites nothing. Adds one
 * line per file made to *report. A fault that names the file and the remedy: a certificate without
 * its key, or the reverse; a pair that does not match; a folder or file that others may read.
 */
int pki_create(const struct model *m, int dirfd, int64_t now, struct text *report,
	       struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * Makes every password file that the document names and nobody supplied: folder is the one that
 * the document lies in. 32 letters and digits without a newline. Overwrites nothing, reports as
 * above.
 */
int pki_passwords(const struct model *m, int folder, struct text *report, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * The part of pki_create() that makes, for each node, the certificate of its status endpoint,
 * signed by the cluster CA. Nobody brings one of his own, so one that does not fit any more, as
 * when the address of the node changed, is made anew.
 */
int pki_status(const struct model *m, int dirfd, int64_t now, struct text *report,
	       struct fault *why) __attribute__((nonnull, warn_unused_result));

/* The bootstrap token: the file's static one, else secrets/token. */
int pki_token(const struct model *m, int dirfd, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * A kubeconfig for the cluster's administrator, signed now and valid for a year. Its server is an
 * address, so that whoever uses it need not resolve names: the endpoint where that is one, else the
 * first control plane's.
 */
int pki_kubeconfig(const struct model *m, int dirfd, int64_t now, struct text *out,
		   struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * Issues a client certificate for the administrator (O=system:masters, CN=kubernetes-admin) from
 * the CA below dirfd, in memory: PEM certificate and PEM key. Wipe the key (text_wipe).
 */
int pki_admin(int dirfd, int64_t now, struct text *ret_crt, struct text *ret_key, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * A client certificate for a day, from the CA given as PEM: for calls of our own to etcd and to
 * other nodes. organization may be NULL. Wipe the key.
 */
int pki_client(const char *ca_crt, const char *ca_key, const char *name, const char *organization,
	       int64_t now, struct text *ret_crt, struct text *ret_key, struct fault *why)
	__attribute__((nonnull(1, 2, 3, 6, 7, 8), warn_unused_result));

/*
 * Whether a PEM certificate chains to a PEM CA and is valid at now: 0; -EKEYEXPIRED (over, or not
 * begun), -EKEYREJECTED (not of this CA), -EBADMSG (no certificate); the fault says why. Of several
 * certificates in crt the first is meant; ca may hold several authorities.
 */
int pki_verify(const char *crt, const char *ca, int64_t now, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The second (of the epoch) from or until which the first certificate in crt is valid. -EBADMSG. */
int pki_not_before(const char *crt, int64_t *ret_time, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
int pki_not_after(const char *crt, int64_t *ret_time, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* 0 when key is the private key of the first certificate in crt; -EKEYREJECTED; -EBADMSG. */
int pki_keypair(const char *crt, const char *key, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
