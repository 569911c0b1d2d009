/* SPDX-License-Identifier: MIT */
#include "base/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"

enum { LINE_MAX_LEN = 512, DEFAULT_TIMEOUT_MS = 60000, TICK_MS = 100, KILL_MS = 5000 };

/* One running program: the three pipes' ends on our side, and the stderr line being gathered. */
struct child {
	pid_t pid;
	int in, out, err;
	size_t sent;
	char line[LINE_MAX_LEN], last[LINE_MAX_LEN];
	size_t line_len;
};

/* What kept a forked child from becoming the program. */
struct trouble {
	int error;
	bool folder; /* it was the working directory */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Blocked and ignored signals would outlive exec: a program must heed SIGTERM and SIGPIPE. */
static void reset_signals(void)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigemptyset(&none);
	sigaction(SIGPIPE, &usual, NULL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Comes back only when it went wrong. */
static struct trouble become(const struct run *what, int in, int out, int err)
{
	const int from[] = { in, out, err };
	const char *const *env;
	int fds[3];
	int i;

	setpgid(0, 0);
	/* Where this process was started without 0, 1 or 2, the pipes may have their places. */
	for (i = 0; i < 3; i++)
		fds[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
	for (i = 0; i < 3; i++)
		if (fds[i] < 0 || dup2(fds[i], i) < 0)
			return (struct trouble){ .error = errno };
	/* What was left open for this one is not for it: mmdebstrap needs numbers below 10. */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (what->dir && chdir(what->dir) < 0)
		return (struct trouble){ .error = errno, .folder = true };
	for (env = what->env; env && *env; env++)
		putenv((char *)(uintptr_t)*env);
	reset_signals();
	execvp(what->argv[0], (char *const *)(uintptr_t)what->argv);
	return (struct trouble){ .error = errno };
}

static void live(const struct run *what, const int in[2], const int out[2], const int err[2],
		 int tell)
{
	int kept = fcntl(tell, F_DUPFD_CLOEXEC, 3);
	struct trouble t = become(what, in[0], what->out_fd > 0 ? what->out_fd : out[1], err[1]);

	_exit(write(kept, &t, sizeof(t)) == sizeof(t) ? 126 : 125);
}

/* Whether the program runs: the pipe ends with nothing in it when exec closes it. */
static int heed(const struct run *what, struct child *child, int told, struct fault *why)
{
	const char *name = what->argv[0];
	struct trouble t;
	ssize_t n;

	do
		n = read(told, &t, sizeof(t));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(t))
		return 0;
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (!t.folder && (t.error == ENOENT || t.error == ENOTDIR))
		return fault_set(why, ENOENT, "%s: no such program", name);
	if (t.folder)
		fault_errno(why, t.error, "%s: cannot enter its folder '%s'", name, what->dir);
	else
		fault_errno(why, t.error, "%s: cannot be started", name);
	why->code = EREMOTEIO;
	return -why->code;
}

static int start(const struct run *what, struct child *child, struct fault *why)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 }, told[2] = { -1, -1 };
	int r = 0;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 ||
	    pipe2(told, O_CLOEXEC) < 0 || (child->pid = fork()) < 0)
		r = fault_errno(why, errno, "cannot start %s", what->argv[0]);
	else if (child->pid == 0)
		live(what, in, out, err, told[1]);
	else
		setpgid(child->pid, child->pid);
	drop_fd(&in[0]);
	drop_fd(&out[1]);
	drop_fd(&err[1]);
	drop_fd(&told[1]);
	child->in = in[1];
	child->out = out[0];
	child->err = err[0];
	if (r == 0)
		r = heed(what, child, told[0], why);
	drop_fd(&told[0]);
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

static bool has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	       info.si_pid == pid;
}

enum { PIPE_OUT, PIPE_ERR, PIPE_IN, N_PIPES };

static void serve_once(const struct run *what, struct child *child,
		       const struct pollfd fds[static N_PIPES])
{
	if (fds[PIPE_OUT].revents)
		drain(what, child, &child->out);
	if (fds[PIPE_ERR].revents)
		drain(what, child, &child->err);
	if (fds[PIPE_IN].revents)
		feed(what, child);
}

/*
 * Serves the pipes until all have ended, or the program has and they are empty: what it left
 * behind may hold them open. False when time is up.
 */
static bool serve(const struct run *what, struct child *child, int64_t end_ms)
{
	bool ended = false;

	while (child->out >= 0 || child->err >= 0 || child->in >= 0) {
		struct pollfd fds[N_PIPES] = {
			[PIPE_OUT] = { .fd = child->out, .events = POLLIN },
			[PIPE_ERR] = { .fd = child->err, .events = POLLIN },
			[PIPE_IN] = { .fd = child->in, .events = POLLOUT },
		};
		int64_t left = end_ms - now_ms();
		int n;

		if (left <= 0)
			return false;
		n = poll(fds, COUNT(fds), ended ? 0 : (int)(left < TICK_MS ? left : TICK_MS));
		if (n < 0 && errno != EINTR)
			return false;
		if (n == 0 && ended)
			return true;
		serve_once(what, child, fds);
		ended = has_ended(child->pid);
		if (ended)
			drop_fd(&child->in);
	}
	return true;
}

/* Until the process has ended or a while has passed; at once where the kernel can tell. */
static void wait_briefly(int pidfd)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	struct pollfd fd = { .fd = pidfd, .events = POLLIN };

	if (pidfd < 0 || poll(&fd, 1, TICK_MS) < 0)
		nanosleep(&pause, NULL);
}

/* Waits for the process itself: 1, 0 when it was not there in time, or negative. */
static int reap(pid_t pid, int64_t end_ms, int *ret_status)
{
	scoped(drop_fd) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	for (;;) {
		pid_t got = waitpid(pid, ret_status, WNOHANG);

		if (got == pid)
			return 1;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (now_ms() >= end_ms)
			return 0;
		wait_briefly(pidfd);
	}
}

static int judge(const struct run *what, const struct child *child, int status, struct fault *why)
{
	const char *name = what->argv[0];
	const char *dash = child->last[0] ? ": " : "";

	if (WIFSIGNALED(status))
		return fault_set(why, EREMOTEIO, "%s: killed by %s%s%s", name,
				 strsignal(WTERMSIG(status)), dash, child->last);
	if (WEXITSTATUS(status) != 0)
		return fault_set(why, EREMOTEIO, "%s: exit status %d%s%s", name,
				 WEXITSTATUS(status), dash, child->last);
	return 0;
}

static int attend(const struct run *what, struct child *child, struct fault *why)
{
	int timeout_ms = what->timeout_ms > 0 ? what->timeout_ms : DEFAULT_TIMEOUT_MS;
	int64_t end_ms = now_ms() + timeout_ms;
	int status = 0;
	int r;

	if (!what->input || what->input_len == 0)
		drop_fd(&child->in);
	else
		fcntl(child->in, F_SETFL, O_NONBLOCK);
	r = serve(what, child, end_ms) ? reap(child->pid, end_ms, &status) : 0;
	if (r == 0) {
		kill(-child->pid, SIGKILL);
		/* One that hangs in the kernel dies when that lets go of it, not when we wait. */
		(void)reap(child->pid, now_ms() + KILL_MS, &status);
	}
	end_line(what, child);
	if (r < 0)
		return fault_errno(why, r, "%s: its end was not seen", what->argv[0]);
	if (r == 0)
		return fault_set(why, ETIMEDOUT, "%s: stopped after %g s%s%s", what->argv[0],
				 timeout_ms / 1000.0, child->last[0] ? ": " : "", child->last);
	return judge(what, child, status, why);
}

/*
 * A program that does not read its stdin is no reason to die of SIGPIPE. Blocked in this thread
 * alone, because another one may be in here too.
 */
int run(const struct run *what, struct fault *why)
{
	static const struct timespec at_once = { 0 };
	struct child child = { .in = -1, .out = -1, .err = -1 };
	sigset_t broken, before;
	int r = start(what, &child, why);

	if (r == 0) {
		sigemptyset(&broken);
		sigaddset(&broken, SIGPIPE);
		pthread_sigmask(SIG_BLOCK, &broken, &before);
		r = attend(what, &child, why);
		while (!sigismember(&before, SIGPIPE) && sigtimedwait(&broken, NULL, &at_once) > 0)
			;
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	drop_fd(&child.in);
	drop_fd(&child.out);
	drop_fd(&child.err);
	return r;
}
