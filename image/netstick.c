/* SPDX-License-Identifier: MIT */
/*
 * rackseed-netstick: run in the initrd of a machine that started from `rackseed serve`. It fetches
 * the installer's image into memory and makes a disk of it, which the initrd then finds root on.
 * It is given the C library and nothing else.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/loop.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/streams.h"
#include "base/text.h"

#define ARGUMENT "rackseed.netstick="

enum { LINE = 4096, HEADER = 8192, BLOCK = 4096, SILENCE_S = 60, TRIES = 60, PAUSE_S = 2 };

struct source {
	struct sockaddr_in at;
	char path[128];
};

struct copy {
	int fd;
	uint64_t got, size; /* size 0: not known yet */
	char block[BLOCK];  /* the last one, not whole yet */
};

/* Digits, and behind them that sign, which is passed over (none where it is 0). */
static bool take_number(const char **at, char behind, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	errno = 0;
	*ret = strtoull(*at, &end, 10);
	if (errno || (behind && *end != behind))
		return false;
	*at = behind ? end + 1 : end;
	return true;
}

/* "192.0.2.1:80/installer-1-2.raw" */
static int read_source(const char *cmdline, struct source *ret, struct fault *why)
{
	const char *word = strstr(cmdline, ARGUMENT), *at = word ? word + sizeof(ARGUMENT) - 1 : "";
	char address[INET_ADDRSTRLEN] = "";
	size_t n = strspn(at, "0123456789.");
	uint64_t port = 0;

	ret->at = (struct sockaddr_in){ .sin_family = AF_INET };
	if (n < sizeof(address) && at[n] == ':') {
		memcpy(address, at, n);
		at += n + 1;
	}
	if (inet_pton(AF_INET, address, &ret->at.sin_addr) != 1 || !take_number(&at, 0, &port) ||
	    port == 0 || port > UINT16_MAX || *at != '/')
		return fault_set(why, EINVAL,
				 "the kernel was not given " ARGUMENT "ADDRESS:PORT/PATH");
	ret->at.sin_port = htons((uint16_t)port);
	n = strcspn(at, " \n");
	if (n >= sizeof(ret->path))
		return fault_set(why, EINVAL, ARGUMENT ": its path is too long");
	memcpy(ret->path, at, n);
	ret->path[n] = '\0';
	return 0;
}

static int ask(const struct source *from, uint64_t at, struct fault *why)
{
	const struct timeval limit = { .tv_sec = SILENCE_S };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char host[INET_ADDRSTRLEN], words[512];
	int n;

	inet_ntop(AF_INET, &from->at.sin_addr, host, sizeof(host));
	n = snprintf(words, sizeof(words),
		     "GET %s HTTP/1.1\r\nHost: %s:%u\r\nRange: bytes=%" PRIu64
		     "-\r\nConnection: close\r\n\r\n",
		     from->path, host, ntohs(from->at.sin_port), at);
	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(s, (const struct sockaddr *)&from->at, sizeof(from->at)) < 0 ||
	    send(s, words, (size_t)n, MSG_NOSIGNAL) != n) {
		n = errno;
		drop_fd(&s);
		return fault_errno(why, n, "%s:%u", host, ntohs(from->at.sin_port));
	}
	return s;
}

/* Up to the empty line. What comes behind it stays in buf: *ret_body of *ret_len bytes. */
static int read_header(int s, char buf[static HEADER], size_t *ret_body, size_t *ret_len,
		       struct fault *why)
{
	size_t n = 0;
	char *end = NULL;

	while (!end && n < HEADER - 1) {
		ssize_t more = recv(s, buf + n, HEADER - 1 - n, 0);

		if (more <= 0)
			return fault_errno(why, more < 0 ? errno : ECONNRESET, "no answer");
		n += (size_t)more;
		buf[n] = '\0';
		end = strstr(buf, "\r\n\r\n");
	}
	if (!end)
		return fault_set(why, EBADMSG, "the answer is none of rackseed serve");
	*ret_body = (size_t)(end + 4 - buf);
	*ret_len = n;
	end[2] = '\0';
	return 0;
}

/* The size of the whole, when it is the part that was asked for. */
static int read_size(const char *header, struct copy *c, struct fault *why)
{
	static const char field[] = "\r\nContent-Range: bytes ";
	const char *at = strcasestr(header, field);
	uint64_t from = 0, to = 0, size = 0;

	at = at ? at + sizeof(field) - 1 : "";
	if (strncmp(header, "HTTP/1.1 206", 12) != 0 || !take_number(&at, '-', &from) ||
	    !take_number(&at, '/', &to) || !take_number(&at, 0, &size) || from != c->got ||
	    size == 0 || size > INT64_MAX || (c->size && size != c->size))
		return fault_set(why, EPROTO, "refused: %.40s", header);
	if (c->size == 0 && ftruncate(c->fd, (off_t)size) < 0)
		return fault_errno(why, errno, "memory for %" PRIu64 " bytes", size);
	c->size = size;
	return 0;
}

/* A block of zeros is a hole: it takes no memory. */
static int keep_block(struct copy *c, uint64_t at, size_t n, struct fault *why)
{
	static const char zeros[BLOCK];

	if (memcmp(c->block, zeros, n) == 0)
		return 0;
	if (pwrite(c->fd, c->block, n, (off_t)at) == (ssize_t)n)
		return 0;
	return fault_errno(why, errno ? errno : ENOMEM, "this machine's memory is too small");
}

static int keep(struct copy *c, const char *data, size_t n, struct fault *why)
{
	while (n > 0 && c->got < c->size) {
		size_t within = (size_t)(c->got % BLOCK);
		size_t part = n < BLOCK - within ? n : BLOCK - within;
		int r;

		memcpy(c->block + within, data, part);
		c->got += part;
		data += part;
		n -= part;
		if (c->got % BLOCK && c->got < c->size)
			continue;
		r = keep_block(c, c->got - (within + part), within + part, why);
		if (r < 0)
			return r;
	}
	return 0;
}

static void tell(const struct copy *c, uint64_t before)
{
	if (before * 10 / c->size != c->got * 10 / c->size)
		printf("rackseed: installer %d %%\n", (int)(c->got * 10 / c->size) * 10);
	fflush(stdout);
}

/* One connection's worth. -ENOMEM, -ENOSPC and -EPROTO: another would be of no use. */
static int fetch_some(const struct source *from, struct copy *c, struct fault *why)
{
	scoped(drop_fd) int s = ask(from, c->got, why);
	static char buf[1 << 18];
	size_t body = 0, len = 0;
	int r = s < 0 ? s : read_header(s, buf, &body, &len, why);

	if (r == 0)
		r = read_size(buf, c, why);
	if (r == 0)
		r = keep(c, buf + body, len - body, why);
	while (r == 0 && c->got < c->size) {
		ssize_t n = recv(s, buf, sizeof(buf), 0);
		uint64_t before = c->got;

		if (n <= 0)
			return fault_errno(why, n < 0 ? errno : ECONNRESET, "the image breaks off");
		r = keep(c, buf, (size_t)n, why);
		tell(c, before);
	}
	return r;
}

static int fetch(const struct source *from, struct copy *c, struct fault *why)
{
	static const struct timespec pause = { .tv_sec = PAUSE_S };
	int i, r = -EAGAIN;

	for (i = 0; r < 0 && i < TRIES; i++) {
		uint64_t before = c->got;

		if (i > 0)
			nanosleep(&pause, NULL);
		r = fetch_some(from, c, why);
		if (r == -ENOMEM || r == -ENOSPC || r == -EPROTO)
			break;
		if (r < 0)
			printf("rackseed: %s; once more\n", why->text);
		if (c->got > before)
			i = 0;
	}
	return r;
}

/* The loop device keeps the memory when this program has ended. */
static int make_disk(int fd, struct fault *why)
{
	struct loop_config config = {
		.fd = (unsigned)fd,
		.info = { .lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_PARTSCAN },
	};
	scoped(drop_fd) int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	scoped(drop_fd) int loop = -1;
	char path[32];
	int number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);

	if (number < 0)
		return fault_errno(why, errno, "/dev/loop-control");
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	loop = open(path, O_RDONLY | O_CLOEXEC);
	if (loop < 0 || ioctl(loop, LOOP_CONFIGURE, &config) < 0)
		return fault_errno(why, errno, "%s", path);
	printf("rackseed: the installer is %s\n", path);
	return 0;
}

int main(void)
{
	static struct copy copy;
	scoped(text_done) struct text cmdline = { 0 };
	struct fault why = { 0 };
	struct source from;
	int r;

	streams_open();
	r = fs_read(AT_FDCWD, "/proc/cmdline", LINE, &cmdline, &why);
	if (r == 0)
		r = read_source(text_str(&cmdline), &from, &why);
	if (r == 0) {
		copy.fd = memfd_create("installer", MFD_CLOEXEC);
		r = copy.fd < 0 ? fault_errno(&why, errno, "memory") : fetch(&from, &copy, &why);
	}
	if (r == 0)
		r = make_disk(copy.fd, &why);
	if (r == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "rackseed-netstick: %s\n", why.text);
	return EXIT_FAILURE;
}
