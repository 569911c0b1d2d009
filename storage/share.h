/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/net.h"

struct fault;
struct text;

/*
 * How a share answers. rackseed-share finds it out and prints it as one line of JSON; everybody
 * else starts that program with share_probe(), because libsmbclient's licence does not go together
 * with libnftables', and because a hung server then hangs nobody.
 */

enum share_code { /* in the order in which they can come up; share.c has their words */
		  SHARE_OK,
		  SHARE_UNKNOWN_NAME,
		  SHARE_REFUSED,
		  SHARE_UNREACHABLE,
		  SHARE_SILENT,
		  SHARE_NO_SMB3,
		  SHARE_SIGNING_REFUSED,
		  SHARE_WRONG_PASSWORD,
		  SHARE_NO_SUCH_SHARE,
		  SHARE_NOT_READABLE,
		  SHARE_NOT_WRITABLE,
		  SHARE_FULL,
		  SHARE_FAILED, /* anything else; the reason says what */
		  SHARE_N_CODES,
};

const char *share_code_name(enum share_code code); /* "ok", "unknown-name", … */
const char *share_code_help(enum share_code code); /* a sentence */
int share_code_exit(enum share_code code); /* rackseed-share's exit status: 0, or 10 and more */

struct share_result {
	char share[512];	  /* as asked for */
	char address[NET_IP_LEN]; /* of the server where known: always when ok */
	bool resolved, reached, login, exists, readable; /* each holds only if those before do */
	int writable;					 /* 1 yes, 0 no, -1 not tried */
	uint64_t free_bytes, total_bytes;		 /* 0 both while not readable */
	enum share_code code;
	char reason[512]; /* a person's sentence; "" when ok */
};

/* Adds {"share":…} without a line break. */
void share_result_json(const struct share_result *result, struct text *out)
	__attribute__((nonnull));

/* Reads that again. -EBADMSG when it is anything else. */
int share_result_parse(const char *json, size_t len, struct share_result *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* One line for a person: "//nas/a: wrong-password: …". */
void share_result_print(const struct share_result *result, struct text *out)
	__attribute__((nonnull));

struct share_request {
	const char *share;	 /* //HOST[:PORT]/SHARE[/FOLDER] */
	const char *credentials; /* path of a credentials file, or NULL: as guest */
	int timeout_s;		 /* 0: 10 */
	bool write;		 /* make and remove a file, too */
};

/*
 * Runs the program and reads what it says. 0 when it said something, whatever it was: see
 * ret->code. Negative when it could not be run or was misused.
 */
int share_probe(const char *program, const struct share_request *request, struct share_result *ret,
		struct fault *why) __attribute__((nonnull, warn_unused_result));
