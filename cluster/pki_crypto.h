/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/macros.h"

struct fault;
struct text;

/* What the pki*.c files share: OpenSSL's objects and PEM texts. For nobody else. */

DEFINE_DROP(pkey, EVP_PKEY *, EVP_PKEY_free)
DEFINE_DROP(x509, X509 *, X509_free)
DEFINE_DROP(bio, BIO *, BIO_free_all)

struct pki_request {
	const char *name; /* CN */
	const char *organization; /* O, or NULL */
	int64_t not_before, not_after; /* not_before 0: the issuer's own */
	const char *ca_crt, *ca_key; /* PEM of the issuer: a client certificate; NULL: a CA */
	const char *names; /* "DNS:a,IP:10.0.0.1": a server's certificate for these; or NULL */
};

/* "TEXT: what OpenSSL says", and empties its queue of errors. */
int pki_openssl_fault(struct fault *why, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4), nonnull(1, 3)));

/* A new RSA key of 2048 bits as "RSA PRIVATE KEY"; wipe it. */
int pki_key_new(struct text *key, struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * A new key on the curve P-256 as "EC PRIVATE KEY", which costs a hundredth of the above: for what
 * nobody but us has to read. Wipe it.
 */
int pki_key_quick(struct text *key, struct fault *why) __attribute__((nonnull, warn_unused_result));

/* A new Ed25519 key as "PRIVATE KEY", to sign files with; wipe it. */
int pki_key_signing(struct text *key, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The public half as "PUBLIC KEY". */
int pki_key_public(const char *key, struct text *pub, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Whether pub is the public half of key: 0 or -EKEYREJECTED or -EBADMSG. */
int pki_key_matches(const char *pub, const char *key, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Reads the first of its kind from PEM; never asks for a passphrase. */
int pki_read_key(const char *pem, EVP_PKEY **ret_key, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
int pki_read_crt(const char *pem, X509 **ret_crt, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* A certificate for the key, as kubeadm would make it. */
int pki_issue(const struct pki_request *request, const char *key, struct text *crt,
	      struct fault *why) __attribute__((nonnull, warn_unused_result));

/* 0 when crt is for each of the names, as above; -EADDRNOTAVAIL names the one that it lacks. */
int pki_check_names(const char *crt, const char *names, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* 0 when crt may sign certificates. */
int pki_check_ca(const char *crt, struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Adds n characters of the alphabet (2 to 256 of them), each as likely as any other. */
int pki_random(size_t n, const char *alphabet, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Adds the bytes in base64, on one line. */
void pki_base64(const char *data, size_t len, struct text *out) __attribute__((nonnull));

/* 1 when the file is there and private to its owner, 0 when it is not there; prefix for faults. */
int pki_present(int dirfd, const char *prefix, const char *path, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Writes a file that is not there, 0600, its missing folders 0700 whatever the umask. */
int pki_write_file(int dirfd, const char *path, const struct text *content, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Reads a file below secrets/; one that is not there is a fault that tells how to make it. */
int pki_read_file(int dirfd, const char *path, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
