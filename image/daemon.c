/* SPDX-License-Identifier: MIT */
#include "image/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "image/render.h"
#include "image/root.h"

#define LOG DAEMON_FOLDER "/log"
#define CONFIG DAEMON_FOLDER "/containerd.toml"

enum { START_TRIES = 300, STOP_TRIES = 300, PAUSE_MS = 100 };

static void rest(void)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };

	nanosleep(&pause, NULL);
}

static void become(const char *root, const char *proc, int log)
{
	const char *const argv[] = {
		"unshare", "--mount", "--propagation",	     "private",	 proc,
		"chroot",  root,      "/usr/bin/containerd", "--config", "/" CONFIG,
		NULL
	};
	int null = open("/dev/null", O_RDONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(126);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	dprintf(2, "cannot start unshare: %m\n");
	_exit(127);
}

/* The last line that it wrote, as the reason for its end. */
static int tell(const char *root, const char *what, struct fault *why)
{
	scoped(drop_fd) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(text_done) struct text log = { 0 };
	struct fault ignored = { 0 };
	const char *last;

	if (fs_read(fd, LOG, 8 << 20, &log, &ignored) < 0 || log.len == 0)
		return fault_set(why, EREMOTEIO, "containerd of the root: %s", what);
	if (log.data[log.len - 1] == '\n')
		log.data[--log.len] = '\0';
	last = strrchr(text_str(&log), '\n');
	return fault_set(why, EREMOTEIO, "containerd of the root: %s: %.500s", what,
			 last ? last + 1 : text_str(&log));
}

static int await(const char *root, pid_t pid, struct fault *why)
{
	static const char *const words[] = { "ctr", "--address=/" DAEMON_SOCKET, "version", NULL };
	struct fault ignored = { 0 };
	int status;
	int i;

	for (i = 0; i < START_TRIES; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return tell(root, "ended at once", why);
		if (root_run(root, words, NULL, &ignored) == 0)
			return 0;
		rest();
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return tell(root, "does not answer", why);
}

int daemon_start(const char *root, struct daemon *ret, struct fault *why)
{
	scoped(drop_fd) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(text_done) struct text proc = { 0 };
	scoped(drop_fd) int log = -1;
	pid_t pid;
	int r;

	r = fs_write(fd, CONFIG, 0600, render_containerd_toml, strlen(render_containerd_toml), why);
	if (r < 0)
		return r;
	log = openat(fd, LOG, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (log < 0)
		return fault_errno(why, errno, "%s/" LOG, root);
	text_addf(&proc, "--mount-proc=%s/proc", root);
	pid = fork();
	if (pid < 0)
		return fault_errno(why, errno, "cannot start containerd");
	if (pid == 0)
		become(root, text_str(&proc), log);
	r = await(root, pid, why);
	if (r == 0)
		ret->pid = pid;
	return r;
}

int daemon_stop(struct daemon *daemon, struct fault *why)
{
	pid_t pid = daemon->pid;
	int status = 0;
	int i;

	daemon->pid = 0;
	kill(pid, SIGTERM);
	for (i = 0; i < STOP_TRIES; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return 0;
		rest();
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return fault_set(why, ETIMEDOUT, "containerd of the root did not end when asked to");
}
