/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct fault;

/*
 * Snapshots of etcd as it sends them: the file of its bbolt database with the SHA-256 of that
 * behind it. In a folder of their own, named by their time, so that names sort as times do.
 */

enum { SNAPSHOT_NAME_LEN = sizeof("etcd-20261126T020000Z.db") };

/* "etcd-20261126T020000Z.db". */
void snapshot_name(int64_t now, char buf[static SNAPSHOT_NAME_LEN]);

/* The time that a name tells, in seconds; -EINVAL for a file that is none of ours. */
int snapshot_time(const char *name, int64_t *ret_time) __attribute__((warn_unused_result));

/* 0 when bytes and sum agree and a database begins there; -EBADMSG says what is wrong. */
int snapshot_verify(int dirfd, const char *name, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* The newest by its name, whatever is in it; -ENOENT: there is none. */
int snapshot_latest(int dirfd, char ret_name[static SNAPSHOT_NAME_LEN], struct fault *why)
	__attribute__((warn_unused_result));

/*
 * The newest that verifies; -ENOENT: none does, and each could be read. One that the disk does not
 * give up (-EIO) makes room for an older one as one that is broken does; any other failure to read
 * is returned, and so is -EIO where no other is whole: what is not seen may be there.
 */
int snapshot_newest(int dirfd, char ret_name[static SNAPSHOT_NAME_LEN], struct fault *why)
	__attribute__((warn_unused_result));

/*
 * Removes all but the newest keep. Broken ones go too, once a newer one verifies; those that cannot
 * be read now stay.
 */
int snapshot_prune(int dirfd, unsigned keep, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Whether the file begins as a bbolt database does: one of its two meta pages with the right magic,
 * version and checksum. 0; -EBADMSG; or why it cannot be read.
 */
int snapshot_check_database(int dirfd, const char *path, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * etcd's gateway sends a snapshot as a stream of JSON objects, {"result":{"blob":"BASE64",...}}.
 * The bytes of the stream go in as they come; what the blobs hold is written to fd.
 */
struct snapshot_stream {
	int fd;
	uint64_t written;
	unsigned matched;    /* letters of "blob":" that were seen last */
	unsigned bits, held; /* of the base64 group that is not whole yet */
	unsigned padding;
	int in_blob; /* between its quotes */
	int error;   /* sticky, negative */
	size_t fill;
	unsigned char buffer[65536];
};

void snapshot_stream_init(struct snapshot_stream *s, int fd) __attribute__((nonnull));

/* As api's sink: 0, or negative once it cannot go on. */
int snapshot_stream_take(const char *bytes, size_t len, void *stream) __attribute__((nonnull));

/* The rest to fd; 0 when there was something and it ended outside a blob. */
int snapshot_stream_end(struct snapshot_stream *s, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
