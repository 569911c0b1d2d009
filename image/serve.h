/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct args;
struct fault;
struct text;

/*
 * `rackseed serve`: what an installer stick holds, for machines that start from the network. shim,
 * GRUB, kernel and initrd come by TFTP; what the initrd makes a disk of, the stick's whole image,
 * by HTTP. From there on all is as with a stick.
 */

/* ---- decisions: pure ---- */

enum { SERVE_MAX_FILES = 16, SERVE_NAME = 64, SERVE_MAX_CLIENTS = 256 };

struct serve_file {
	char path[SERVE_NAME]; /* "/shimx64.efi" */
	int fd;
	uint64_t size;
	bool image; /* the stick's: what progress is told of */
};

struct serve_files {
	struct serve_file list[SERVE_MAX_FILES];
	size_t n;
};

/* The row whose path this is, byte by byte, or NULL. */
const struct serve_file *serve_find(const struct serve_files *files, const char *path)
	__attribute__((nonnull));

enum serve_range { SERVE_WHOLE, SERVE_PART, SERVE_BEYOND };

/* What a Range header (or NULL) asks of so many bytes. What is no single range is the whole. */
enum serve_range serve_range(const char *header, uint64_t size, uint64_t *ret_from,
			     uint64_t *ret_len) __attribute__((nonnull(3, 4)));

struct serve_net {
	const char *interface, *address;
	const char *range;  /* of addresses to give, "FIRST,LAST"; NULL: the network has a DHCP */
	const char *folder; /* what TFTP gives */
	unsigned port;
	bool quiet;
};

/* False for what is no "FIRST,LAST" of IPv4: it becomes a part of an argument. */
bool serve_range_good(const char *range) __attribute__((nonnull));

/* dnsmasq's arguments: nothing of this machine's own configuration is read. */
void serve_dnsmasq(const struct serve_net *net, struct args *out) __attribute__((nonnull));

/*
 * GRUB's settings: the stick's own, with kernel and initrd from the network, and for the initrd
 * where the image is. -EBADMSG: it is not as rackseed writes it.
 */
int serve_grub(const char *stick, const struct serve_net *net, const char *image, struct text *out,
	       struct fault *why) __attribute__((nonnull, warn_unused_result));

/* An initrd that is loaded behind the image's own: how root is found, and the program for it. */
void serve_initrd(const struct text *program, struct text *out) __attribute__((nonnull));

/* ---- acting ---- */

/*
 * Takes from the image what machines begin with, writes it into the folder and opens it all.
 * *ret_sealed: whether the seeds are under a passphrase.
 */
struct serve_image {
	int fd;
	char path[SERVE_NAME]; /* that it is offered as: another for another image */
	bool sealed;
	struct text *grub; /* the stick's settings */
};
int serve_image_open(const char *image, struct serve_image *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
int serve_image_unpack(const char *image, const struct serve_image *from,
		       const struct serve_net *net, struct serve_files *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

struct serve_http;

/* Answers until it is stopped. Lines of progress go to stdout, as JSON where that is asked for. */
int serve_http_start(const struct serve_files *files, const struct serve_net *net, bool json,
		     struct serve_http **ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
void serve_http_stop(struct serve_http *http);
