/* SPDX-License-Identifier: MIT */
#include "image/install.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"

enum { WRITE_MS = 2000, ACTIVE_MAX = 4096 };

int install_console_open(int root, struct install_console *ret, struct fault *why)
{
	scoped(text_done) struct text names = { 0 };
	struct install_console c = { .n = 0 };
	const char *name;
	int r = fs_read(root, "sys/class/tty/console/active", ACTIVE_MAX, &names, why);

	if (r < 0)
		return fault_wrap(why, "consoles");
	for (name = text_str(&names); *name && c.n < INSTALL_MAX_CONSOLES;) {
		size_t n = strcspn(name, " \n");
		char path[64];

		snprintf(path, sizeof(path), "dev/%.*s", (int)(n < 32 ? n : 32), name);
		c.fds[c.n] = openat(root, path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
		c.n += c.fds[c.n] >= 0;
		name += n + strspn(name + n, " \n");
	}
	if (c.n == 0)
		return fault_set(why, ENODEV, "no console can be opened of: %s", text_str(&names));
	*ret = c;
	return 0;
}

void install_console_done(struct install_console *c)
{
	while (c->n > 0)
		drop_fd(&c->fds[--c->n]);
}

/* A serial line that nobody listens to must not stop the others. */
static void put(int fd, const char *data, size_t len)
{
	while (len > 0) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno != EAGAIN || poll(&p, 1, WRITE_MS) <= 0))
			return;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

void install_console_say(const struct install_console *c, const char *format, ...)
{
	scoped(text_done) struct text plain = { 0 };
	scoped(text_done) struct text all = { 0 };
	const char *line;
	size_t i, n;
	char *said = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&said, format, ap) >= 0)
		text_add(&plain, said);
	va_end(ap);
	free(said);
	/* Whatever a terminal was set to, each line begins at its left. */
	for (line = text_str(&plain); *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		text_add_n(&all, line, n);
		text_add(&all, line[n] ? "\r\n" : "");
	}
	for (i = 0; i < c->n; i++)
		put(c->fds[i], text_str(&all), all.len);
}

static void set_echo(const struct install_console *c, bool on)
{
	struct termios t;
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (tcgetattr(c->fds[i], &t) < 0)
			continue;
		t.c_iflag |= ICRNL;
		t.c_lflag |= ICANON;
		t.c_lflag = on ? t.c_lflag | (ECHO | ECHOE) : t.c_lflag & ~(tcflag_t)ECHO;
		tcsetattr(c->fds[i], TCSANOW, &t);
	}
}

/* A terminal gives a line at a time. */
static bool take_line(int fd, char buf[static INSTALL_LINE])
{
	ssize_t n = read(fd, buf, INSTALL_LINE - 1);

	if (n <= 0)
		return false;
	buf[n] = '\0';
	buf[strcspn(buf, "\r\n")] = '\0';
	return true;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void install_console_forget(const struct install_console *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		tcflush(c->fds[i], TCIFLUSH);
}

/* A line from the first that has one; who hung up is asked no more. */
static bool take_any(struct pollfd *fds, size_t n, size_t *alive, char buf[static INSTALL_LINE])
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (fds[i].revents & POLLIN && take_line(fds[i].fd, buf))
			return true;
		if (fds[i].revents & (POLLHUP | POLLERR | POLLNVAL)) {
			fds[i].fd = -1;
			--*alive;
		}
	}
	return false;
}

int install_console_ask(const struct install_console *c, bool hidden, int timeout_ms,
			char buf[static INSTALL_LINE])
{
	struct pollfd fds[INSTALL_MAX_CONSOLES];
	int64_t end = now_ms() + timeout_ms;
	size_t i, alive = c->n;
	bool got = false;

	for (i = 0; i < c->n; i++)
		fds[i] = (struct pollfd){ .fd = c->fds[i], .events = POLLIN };
	set_echo(c, !hidden);
	/* With no console left it is a mere pause, for a deaf one must not make time run faster. */
	while (!got && (alive > 0 || timeout_ms >= 0)) {
		int64_t left = timeout_ms < 0 ? -1 : end - now_ms();

		if (timeout_ms >= 0 && left <= 0)
			break;
		if (poll(fds, c->n, (int)left) <= 0)
			continue;
		got = take_any(fds, c->n, &alive, buf);
	}
	set_echo(c, true);
	if (hidden && got)
		install_console_say(c, "\n");
	return got;
}
