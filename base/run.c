/* SPDX-License-Identifier: MIT */
#include "base/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"

enum { LINE_MAX_LEN = 512, DEFAULT_TIMEOUT_MS = 60000 };

/* One running program: the three pipes' ends on our side, and the stderr line being gathered. */
struct child {
	pid_t pid;
	int in, out, err;
	size_t sent;
	char line[LINE_MAX_LEN], last[LINE_MAX_LEN];
	size_t line_len;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void become(const struct run *what, int in, int out, int err)
{
	const char *const *env;

	setpgid(0, 0);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	if (what->dir && chdir(what->dir) < 0)
		_exit(126);
	for (env = what->env; env && *env; env++)
		putenv((char *)(uintptr_t)*env);
	execvp(what->argv[0], (char *const *)(uintptr_t)what->argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static int start(const struct run *what, struct child *child)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int r = 0;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		r = -errno;
	if (r == 0) {
		child->pid = fork();
		if (child->pid == 0)
			become(what, in[0], what->out_fd > 0 ? what->out_fd : out[1], err[1]);
		if (child->pid < 0)
			r = -errno;
	}
	drop_fd(&in[0]);
	drop_fd(&out[1]);
	drop_fd(&err[1]);
	child->in = in[1];
	child->out = out[0];
	child->err = err[0];
	if (r == 0)
		setpgid(child->pid, child->pid);
	return r;
}

static void end_line(const struct run *what, struct child *child)
{
	if (child->line_len == 0)
		return;
	child->line[child->line_len] = '\0';
	memcpy(child->last, child->line, child->line_len + 1);
	child->line_len = 0;
	if (what->line)
		what->line(child->last, what->data);
}

static void gather_lines(const struct run *what, struct child *child, const char *buf, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (buf[i] == '\n' || buf[i] == '\r')
			end_line(what, child);
		else if (child->line_len < LINE_MAX_LEN - 1)
			child->line[child->line_len++] = buf[i];
	}
}

static void feed(const struct run *what, struct child *child)
{
	ssize_t n = write(child->in, what->input + child->sent, what->input_len - child->sent);

	if (n > 0)
		child->sent += (size_t)n;
	if ((n < 0 && errno != EINTR && errno != EAGAIN) || child->sent == what->input_len)
		drop_fd(&child->in);
}

/* Reads what is there from one of the pipes; closes it at its end. */
static void drain(const struct run *what, struct child *child, int *fd)
{
	char buf[16384];
	ssize_t n = read(*fd, buf, sizeof(buf));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0)
		drop_fd(fd);
	else if (fd == &child->err)
		gather_lines(what, child, buf, (size_t)n);
	else if (what->out)
		text_add_n(what->out, buf, (size_t)n);
}

/* Serves the pipes until both outputs have ended or time is up; false when it is. */
static bool serve(const struct run *what, struct child *child, int64_t end_ms)
{
	while (child->out >= 0 || child->err >= 0) {
		struct pollfd fds[] = { { .fd = child->out, .events = POLLIN },
					{ .fd = child->err, .events = POLLIN },
					{ .fd = child->in, .events = POLLOUT } };
		int64_t left = end_ms - now_ms();

		if (left <= 0)
			return false;
		if (poll(fds, COUNT(fds), (int)(left < 1000 ? left : 1000)) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents)
			drain(what, child, &child->out);
		if (fds[1].revents)
			drain(what, child, &child->err);
		if (fds[2].revents)
			feed(what, child);
	}
	return true;
}

/* Waits for the process itself; true when it was there in time. */
static bool reap(pid_t pid, int64_t end_ms, int *ret_status)
{
	const struct timespec pause = { .tv_nsec = 5000000 };

	for (;;) {
		pid_t got = waitpid(pid, ret_status, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			return true;
		if (now_ms() >= end_ms)
			return false;
		nanosleep(&pause, NULL);
	}
}

static int judge(const struct run *what, const struct child *child, int status, struct fault *why)
{
	const char *name = what->argv[0];
	const char *dash = child->last[0] ? ": " : "";

	if (WIFSIGNALED(status))
		return fault_set(why, EREMOTEIO, "%s: killed by %s%s%s", name,
				 strsignal(WTERMSIG(status)), dash, child->last);
	if (WEXITSTATUS(status) == 127 && !child->last[0])
		return fault_set(why, ENOENT, "%s: no such program", name);
	if (WEXITSTATUS(status) != 0)
		return fault_set(why, EREMOTEIO, "%s: exit status %d%s%s", name,
				 WEXITSTATUS(status), dash, child->last);
	return 0;
}

int run(const struct run *what, struct fault *why)
{
	int timeout_ms = what->timeout_ms > 0 ? what->timeout_ms : DEFAULT_TIMEOUT_MS;
	struct child child = { .in = -1, .out = -1, .err = -1 };
	int64_t end_ms = now_ms() + timeout_ms;
	bool in_time;
	int status = 0;
	int r = start(what, &child);

	if (r < 0) {
		fault_errno(why, r, "cannot start %s", what->argv[0]);
	} else {
		struct sigaction ignore = { .sa_handler = SIG_IGN }, before;

		sigaction(SIGPIPE, &ignore, &before);
		if (!what->input || what->input_len == 0)
			drop_fd(&child.in);
		else
			fcntl(child.in, F_SETFL, O_NONBLOCK);
		in_time = serve(what, &child, end_ms) && reap(child.pid, end_ms, &status);
		if (!in_time) {
			kill(-child.pid, SIGKILL);
			waitpid(child.pid, &status, 0);
		}
		end_line(what, &child);
		sigaction(SIGPIPE, &before, NULL);
		r = in_time ? judge(what, &child, status, why) :
			      fault_set(why, ETIMEDOUT, "%s: stopped after %d s%s%s", what->argv[0],
					timeout_ms / 1000, child.last[0] ? ": " : "", child.last);
	}
	drop_fd(&child.in);
	drop_fd(&child.out);
	drop_fd(&child.err);
	return r;
}
