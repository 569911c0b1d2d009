/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/streams.h"

/* Runs what is given in a process of its own, whose descriptors are its own; its exit code. */
static int apart(int (*fn)(int argument), int argument)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(argument));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A bit for each descriptor to close. 0 when the next file opened is none of the three. */
static int open_after(int closed)
{
	char byte;
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (closed & 1 << fd)
			close(fd);
	streams_open();
	fd = open("/dev/null", O_RDONLY);
	if (fd < 3)
		return 1;
	if (closed & 1 << STDIN_FILENO && read(STDIN_FILENO, &byte, 1) != 0)
		return 2;
	if (closed & 1 << STDOUT_FILENO && write(STDOUT_FILENO, "x", 1) != -1)
		return 3;
	if (closed & 1 << STDERR_FILENO && write(STDERR_FILENO, "x", 1) != 1)
		return 4;
	return 0;
}

static void test_a_closed_descriptor_is_nobodys(void **state)
{
	int closed;

	(void)state;
	for (closed = 0; closed < 8; closed++)
		assert_int_equal(apart(open_after, closed), 0);
}

enum { GOOD, CLOSED, FULL, FULL_BEFORE, SILENT_FULL };

/* What becomes of code 5 when a word is printed; standard error is told nothing here. */
static int end_after(int how)
{
	const char *path = how == GOOD ? "/dev/null" : "/dev/full";
	int fd = open(path, O_WRONLY), null = open("/dev/null", O_WRONLY);

	if (fd < 0 || null < 0 || dup2(null, STDERR_FILENO) < 0)
		return 100;
	if (how == CLOSED)
		close(STDOUT_FILENO);
	else if (dup2(fd, STDOUT_FILENO) < 0)
		return 100;
	streams_open();
	if (how != SILENT_FULL)
		printf("word\n");
	/* As when a buffer was full in the middle: nothing is left for the last flush. */
	if (how == FULL_BEFORE && fflush(stdout) == 0)
		return 100;
	return streams_end("test", 5);
}

static void test_what_did_not_arrive_is_a_failure(void **state)
{
	static const struct {
		int how, want;
	} cases[] = {
		{ GOOD, 5 }, { CLOSED, 1 }, { FULL, 1 }, { FULL_BEFORE, 1 }, { SILENT_FULL, 5 },
	};

	(void)state;
	fflush(stdout);
	CASES (c, cases)
	{
		assert_int_equal(apart(end_after, c->how), c->want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_closed_descriptor_is_nobodys),
		cmocka_unit_test(test_what_did_not_arrive_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
