/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/run.h"

/*
 * Programs that are started while the kernel refuses: the linker leads the calls here. Those that
 * wait are interrupted, and it must not matter; those that need a descriptor or process find none,
 * and it must be told.
 */

enum { INTERRUPTED = EINTR, NONE_LEFT = EMFILE };

static size_t countdown; /* the call that is refused, counted down; 0: none */
static int refusal;
static bool refused;

static bool goes(int code)
{
	if (code != refusal || countdown == 0 || --countdown > 0)
		return true;
	refused = true;
	errno = refusal;
	return false;
}

#define STAND_IN(type, code, name, params, args)                                                   \
	type __real_##name params;                                                                 \
	type __wrap_##name params;                                                                 \
	type __wrap_##name params                                                                  \
	{                                                                                          \
		return goes(code) ? __real_##name args : -1;                                       \
	}

STAND_IN(ssize_t, INTERRUPTED, read, (int fd, void *b, size_t n), (fd, b, n))
STAND_IN(ssize_t, INTERRUPTED, write, (int fd, const void *b, size_t n), (fd, b, n))
STAND_IN(int, INTERRUPTED, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))
STAND_IN(pid_t, INTERRUPTED, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
STAND_IN(int, NONE_LEFT, pipe2, (int ends[2], int flags), (ends, flags))
STAND_IN(int, NONE_LEFT, dup2, (int a, int b), (a, b))
STAND_IN(pid_t, NONE_LEFT, fork, (void), ())

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);

int __wrap_fcntl(int fd, int command, ...)
{
	va_list ap;
	long argument;

	va_start(ap, command);
	argument = va_arg(ap, long);
	va_end(ap);
	return goes(NONE_LEFT) ? __real_fcntl(fd, command, argument) : -1;
}

/* The next descriptor to be given away. */
static int next_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* What came of it with the n-th call refused; what it printed is added to out. */
static int refuse(const char *const *argv, int code, size_t n, struct text *out, struct fault *why)
{
	const struct run what = {
		.argv = argv, .input = "hello", .input_len = 5, .out = out, .timeout_ms = 20000
	};
	int before = next_fd();
	int r;

	refusal = code;
	refused = false;
	countdown = n;
	r = run(&what, why);
	countdown = 0;
	assert_int_equal(next_fd(), before);
	return r;
}

static void test_interruptions_do_not_matter(void **state)
{
	static const char *const cat[] = { "cat", NULL };
	static const char *const nobody[] = { "/nonexistent/cat", NULL };
	size_t n = 0;

	(void)state;
	do {
		struct text out = { 0 };
		struct fault why = { 0 };

		if (refuse(cat, INTERRUPTED, ++n, &out, &why) < 0)
			fail_msg("call %zu: %s", n, why.text);
		assert_string_equal(text_str(&out), "hello");
		text_done(&out);
	} while (refused);
	assert_true(n > 3);
	n = 0;
	do {
		struct text out = { 0 };
		struct fault why = { 0 };

		assert_true(refuse(nobody, INTERRUPTED, ++n, &out, &why) < 0);
		assert_string_equal(text_str(&out), "");
		text_done(&out);
	} while (refused);
}

/* A child counts for itself, so what is refused there is not seen here: a fixed number of calls. */
static void test_what_lacks_descriptors_is_told(void **state)
{
	enum { CALLS = 16 };
	static const char *const cat[] = { "cat", NULL };
	size_t n, failed = 0;

	(void)state;
	for (n = 1; n <= CALLS; n++) {
		struct text out = { 0 };
		struct fault why = { 0 };
		int r = refuse(cat, NONE_LEFT, n, &out, &why);

		failed += r < 0;
		if (r < 0)
			assert_non_null(strstr(why.text, "cat"));
		else
			assert_string_equal(text_str(&out), "hello");
		text_done(&out);
	}
	/* Four pipes and the process, and the three descriptors of the child twice. */
	assert_true(failed >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interruptions_do_not_matter),
		cmocka_unit_test(test_what_lacks_descriptors_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
