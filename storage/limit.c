/* SPDX-License-Identifier: MIT */
#include "storage/limit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "storage/client.h"
#include "storage/share.h"
#include "storage/storage.h"

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* True when the other end of the pipe was closed in time, as it is when the child ends. */
static bool ended(int fd, int limit_ms)
{
	int64_t end_ms = now_ms() + limit_ms;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t left;

	while ((left = end_ms - now_ms()) > 0) {
		int n = poll(&pfd, 1, (int)left);

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
	return false;
}

/* What had not been done when the time was up, in the order of the steps. */
static void tell_silent(const struct client_request *request, int limit_ms, struct share_result *r)
{
	const char *what = !r->resolved	  ? "the look-up of the name has not ended"
			   : !r->reached  ? "nothing answers there"
			   : !r->login	  ? "it takes the connection and says nothing"
			   : !r->readable ? "it stopped answering when the share was opened"
					  : "it stopped answering when a file was written";

	r->code = r->resolved ? SHARE_SILENT : SHARE_UNKNOWN_NAME;
	snprintf(r->reason, sizeof(r->reason), "%s after %d s: %s", request->unc->host,
		 limit_ms / 1000, what);
}

static void tell_crash(int status, struct share_result *r)
{
	r->code = SHARE_FAILED;
	if (WIFSIGNALED(status))
		snprintf(r->reason, sizeof(r->reason), "the probe was ended by signal %d",
			 WTERMSIG(status));
	else
		snprintf(r->reason, sizeof(r->reason), "the probe ended with status %d",
			 WEXITSTATUS(status));
}

/* Its stdout is the parent's alone: libsmbclient prints there when it likes to. */
static void be_child(void (*probe)(const struct client_request *, struct share_result *),
		     const struct client_request *request, struct share_result *result)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || dup2(null, 1) < 0)
		_exit(1);
	probe(request, result);
	_exit(0);
}

static void drop_shared(struct share_result **result)
{
	if (*result != MAP_FAILED)
		munmap(*result, sizeof(**result));
}

int limit_probe(void (*probe)(const struct client_request *, struct share_result *),
		const struct client_request *request, int limit_ms, struct share_result *result,
		struct fault *why)
{
	scoped(drop_shared) struct share_result *shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ends[2] = { -1, -1 };
	int status = 0;
	bool in_time;
	pid_t pid;

	if (shared == MAP_FAILED || pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(why, errno, "cannot start the probe");
	*shared = *result;
	shared->code = SHARE_N_CODES;
	pid = fork();
	if (pid == 0)
		be_child(probe, request, shared);
	drop_fd(&ends[1]);
	if (pid < 0) {
		int r = fault_errno(why, errno, "cannot start the probe");

		drop_fd(&ends[0]);
		return r;
	}
	in_time = ended(ends[0], limit_ms);
	drop_fd(&ends[0]);
	if (!in_time)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*result = *shared;
	if (result->code >= SHARE_N_CODES) {
		if (in_time)
			tell_crash(status, result);
		else
			tell_silent(request, limit_ms, result);
	}
	return 0;
}
