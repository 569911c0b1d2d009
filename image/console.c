/* SPDX-License-Identifier: MIT */
#include "image/domain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/macros.h"
#include "cluster/model.h"
#include "image/machine.h"
#include "image/virt.h"

enum { LEAVE = 0x1d /* Ctrl-] */ };

/* One session: bytes typed and not yet sent wait in keys. */
struct console {
	virStreamPtr stream;
	char keys[1024];
	size_t n_keys;
	bool left; /* by the user, or the machine went away */
	int input_watch;
};

static int want_events(const struct console *c)
{
	return VIR_STREAM_EVENT_READABLE | VIR_STREAM_EVENT_HANGUP | VIR_STREAM_EVENT_ERROR |
	       (c->n_keys ? VIR_STREAM_EVENT_WRITABLE : 0);
}

static void show(struct console *c)
{
	char buf[4096];
	int n = virStreamRecv(c->stream, buf, sizeof(buf));
	int done = 0;

	if (n == -2)
		return;
	if (n <= 0)
		c->left = true;
	while (n > 0 && done < n) {
		ssize_t w = write(STDOUT_FILENO, buf + done, (size_t)(n - done));

		if (w < 0 && errno != EINTR && errno != EAGAIN) {
			c->left = true;
			return;
		}
		done += w > 0 ? (int)w : 0;
	}
}

static void send_keys(struct console *c)
{
	int n = virStreamSend(c->stream, c->keys, c->n_keys);

	if (n > 0) {
		c->n_keys -= (size_t)n;
		memmove(c->keys, c->keys + n, c->n_keys);
	} else if (n == -1) {
		c->left = true;
	}
}

static void on_stream(virStreamPtr stream, int events, void *data)
{
	struct console *c = data;

	if (events & VIR_STREAM_EVENT_READABLE)
		show(c);
	if ((events & VIR_STREAM_EVENT_WRITABLE) && c->n_keys)
		send_keys(c);
	if (events & (VIR_STREAM_EVENT_HANGUP | VIR_STREAM_EVENT_ERROR))
		c->left = true;
	if (!c->left)
		virStreamEventUpdateCallback(stream, want_events(c));
}

static void on_input(int watch, int fd, int events, void *data)
{
	struct console *c = data;
	ssize_t n = read(fd, c->keys + c->n_keys, sizeof(c->keys) - c->n_keys);
	const char *leave = n > 0 ? memchr(c->keys + c->n_keys, LEAVE, (size_t)n) : NULL;

	(void)events;
	if (leave || (n < 0 && errno != EINTR && errno != EAGAIN)) {
		c->left = true;
	} else if (n == 0) { /* no more keys, but go on showing, as with </dev/null */
		virEventRemoveHandle(watch);
		c->input_watch = -1;
	} else if (n > 0) {
		c->n_keys += (size_t)n;
		virStreamEventUpdateCallback(c->stream, want_events(c));
	}
}

/* Every key goes to the machine, Ctrl-C too. True: *ret_before has what to go back to. */
static bool make_raw(struct termios *ret_before)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, ret_before) < 0)
		return false;
	raw = *ret_before;
	cfmakeraw(&raw);
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) == 0;
}

static int talk(struct console *c, struct fault *why)
{
	struct termios before;
	bool is_raw = make_raw(&before);
	int r = 0;

	c->input_watch =
		virEventAddHandle(STDIN_FILENO, VIR_EVENT_HANDLE_READABLE, on_input, c, NULL);
	if (virStreamEventAddCallback(c->stream, want_events(c), on_stream, c, NULL) < 0)
		r = virt_fault(why, "console");
	while (r == 0 && !c->left)
		if (virEventRunDefaultImpl() < 0)
			r = virt_fault(why, "console");
	if (c->input_watch >= 0)
		virEventRemoveHandle(c->input_watch);
	virStreamEventRemoveCallback(c->stream);
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	return r;
}

int domain_console(virConnectPtr connect, const struct model *m, const struct model_node *node,
		   struct fault *why)
{
	scoped(drop_domain) virDomainPtr domain = NULL;
	struct console c = { .input_watch = -1 };
	char uuid[MACHINE_UUID_LEN];
	int r;

	machine_uuid(m->name, node->name, uuid);
	domain = virDomainLookupByUUIDString(connect, uuid);
	if (!domain || virDomainIsActive(domain) != 1)
		return fault_set(why, ENOENT, "node '%s' does not run: rackseed vm up %s",
				 node->name, node->name);
	c.stream = virStreamNew(connect, VIR_STREAM_NONBLOCK);
	if (!c.stream)
		return virt_fault(why, "console of '%s'", node->name);
	/* FORCE: whoever sits there from before, perhaps a terminal that was lost, is put out. */
	if (virDomainOpenConsole(domain, NULL, c.stream, VIR_DOMAIN_CONSOLE_FORCE) < 0)
		r = virt_fault(why, "console of '%s'", node->name);
	else
		r = talk(&c, why);
	virStreamAbort(c.stream);
	virStreamFree(c.stream);
	return r;
}
