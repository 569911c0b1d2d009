/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "cluster/snapshot.h"

static const char key[] = "\"blob\":\"";

void snapshot_stream_init(struct snapshot_stream *s, int fd)
{
	*s = (struct snapshot_stream){ .fd = fd };
}

static int flush(struct snapshot_stream *s)
{
	size_t at = 0;

	while (at < s->fill) {
		ssize_t n = write(s->fd, s->buffer + at, s->fill - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return s->error = -errno;
		at += (size_t)n;
	}
	s->written += s->fill;
	s->fill = 0;
	return 0;
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int put(struct snapshot_stream *s, unsigned char byte)
{
	s->buffer[s->fill++] = byte;
	return s->fill == sizeof(s->buffer) ? flush(s) : 0;
}

/* The end of a blob: its last group must be whole, by letters or by padding. */
static int end_blob(struct snapshot_stream *s)
{
	unsigned letters = s->held / 6 + s->padding;

	if (s->padding > 2 || (s->held && letters % 4 != 0) || (!s->held && s->padding))
		return s->error = -EBADMSG;
	s->in_blob = 0;
	s->held = s->bits = s->padding = 0;
	return 0;
}

/* bits holds the letters of the group so far, held says how many bits of it; at 24 they are out. */
static int take_letter(struct snapshot_stream *s, char c)
{
	int value = value_of(c);

	if (c == '"') {
		if (s->held == 12)
			put(s, (unsigned char)(s->bits >> 4));
		if (s->held == 18) {
			put(s, (unsigned char)(s->bits >> 10));
			put(s, (unsigned char)(s->bits >> 2));
		}
		return end_blob(s);
	}
	if (c == '=') {
		s->padding++;
		return 0;
	}
	if (value < 0 || s->padding)
		return s->error = -EBADMSG;
	s->bits = s->bits << 6 | (unsigned)value;
	s->held += 6;
	if (s->held < 24)
		return 0;
	put(s, (unsigned char)(s->bits >> 16));
	put(s, (unsigned char)(s->bits >> 8));
	put(s, (unsigned char)s->bits);
	s->bits = s->held = 0;
	return s->error;
}

static void seek_letter(struct snapshot_stream *s, char c)
{
	/* No proper prefix of the key but its quote is a suffix of another. */
	if (c == key[s->matched])
		s->matched++;
	else
		s->matched = c == key[0];
	if (!key[s->matched]) {
		s->matched = 0;
		s->in_blob = 1;
	}
}

int snapshot_stream_take(const char *bytes, size_t len, void *stream)
{
	struct snapshot_stream *s = stream;
	size_t i;

	for (i = 0; i < len && s->error == 0; i++) {
		if (s->in_blob)
			take_letter(s, bytes[i]);
		else
			seek_letter(s, bytes[i]);
	}
	return s->error;
}

int snapshot_stream_end(struct snapshot_stream *s, struct fault *why)
{
	if (s->error == 0)
		flush(s);
	if (s->error == -EBADMSG || s->in_blob)
		return fault_set(why, EBADMSG, "etcd's stream broke off, or is none");
	if (s->error < 0)
		return fault_errno(why, s->error, "cannot write the snapshot");
	if (s->written == 0)
		return fault_set(why, EBADMSG, "etcd's answer holds no snapshot");
	return 0;
}
