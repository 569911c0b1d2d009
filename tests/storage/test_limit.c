/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "storage/client.h"
#include "storage/limit.h"
#include "storage/share.h"
#include "storage/storage.h"

/* Probes that end in every way, with stand-ins for the client. */

enum { LIMIT_MS = 300, AMPLE_MS = 60000 };

static struct share_result reached; /* as far as the probe gets */
static int ends_by_signal, ends_with;

static void answers(const struct client_request *request, struct share_result *result)
{
	(void)request;
	*result = reached;
	puts("what a library prints is nobody's answer");
	fflush(stdout);
}

static void hangs(const struct client_request *request, struct share_result *result)
{
	enum share_code code = result->code;

	(void)request;
	*result = reached;
	result->code = code;
	for (;;)
		pause();
}

static void dies(const struct client_request *request, struct share_result *result)
{
	(void)request;
	(void)result;
	if (ends_by_signal)
		raise(ends_by_signal);
	_exit(ends_with);
}

static void limited(void (*probe)(const struct client_request *, struct share_result *), int ms,
		    struct share_result *result)
{
	static const struct storage_unc unc = { .host = "nas", .share = "a" };
	const struct client_request request = { .unc = &unc, .timeout_ms = ms };
	struct fault why = { 0 };

	*result = (struct share_result){ .writable = -1 };
	assert_int_equal(limit_probe(probe, &request, ms, result, &why), 0);
}

static void test_what_a_probe_finds_is_handed_on(void **state)
{
	struct share_result result;

	(void)state;
	reached = (struct share_result){ .resolved = true, .code = SHARE_FULL, .reason = "full" };
	limited(answers, AMPLE_MS, &result);
	assert_int_equal(result.code, SHARE_FULL);
	assert_string_equal(result.reason, "full");
	assert_true(result.resolved);
}

static void test_silence_is_told_by_how_far_it_came(void **state)
{
	static const struct {
		bool resolved, reached, login, readable;
		enum share_code code;
		const char *reason;
	} cases[] = {
		{ false, false, false, false, SHARE_UNKNOWN_NAME, "look-up of the name" },
		{ true, false, false, false, SHARE_SILENT, "nothing answers there" },
		{ true, true, false, false, SHARE_SILENT, "takes the connection" },
		{ true, true, true, false, SHARE_SILENT, "when the share was opened" },
		{ true, true, true, true, SHARE_SILENT, "when a file was written" },
	};

	(void)state;
	CASES (c, cases) {
		struct share_result result;

		reached = (struct share_result){ .resolved = c->resolved,
						 .reached = c->reached,
						 .login = c->login,
						 .readable = c->readable };
		limited(hangs, LIMIT_MS, &result);
		assert_int_equal(result.code, c->code);
		if (strncmp(result.reason, "nas after 0 s: ", 15) != 0 ||
		    !strstr(result.reason, c->reason))
			fail_msg("'%s' is not about '%s'", result.reason, c->reason);
		assert_int_equal(result.readable, c->readable);
	}
}

static void test_a_probe_that_dies_is_no_silence(void **state)
{
	struct share_result result;

	(void)state;
	ends_by_signal = SIGKILL;
	limited(dies, AMPLE_MS, &result);
	assert_int_equal(result.code, SHARE_FAILED);
	assert_string_equal(result.reason, "the probe was ended by signal 9");
	ends_by_signal = 0;
	ends_with = 3;
	limited(dies, AMPLE_MS, &result);
	assert_int_equal(result.code, SHARE_FAILED);
	assert_string_equal(result.reason, "the probe ended with status 3");
}

/* With n more files allowed than are open. */
static void allow_files(int n, struct rlimit *ret_before)
{
	struct rlimit few;
	int next = dup(0);

	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, ret_before), 0);
	few = *ret_before;
	few.rlim_cur = (rlim_t)(next + n);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
}

static void test_without_files_there_is_no_probe(void **state)
{
	static const struct storage_unc unc = { .host = "nas", .share = "a" };
	const struct client_request request = { .unc = &unc, .timeout_ms = AMPLE_MS };
	struct share_result result = { .writable = -1 };
	struct rlimit before;
	struct fault why = { 0 };
	int r;

	(void)state;
	allow_files(0, &before);
	r = limit_probe(answers, &request, AMPLE_MS, &result, &why);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(r, -EMFILE);
	assert_non_null(strstr(why.text, "cannot start the probe"));
	/* Enough for the pipe, and not for the child's /dev/null. */
	allow_files(2, &before);
	r = limit_probe(answers, &request, AMPLE_MS, &result, &why);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(r, 0);
	assert_string_equal(result.reason, "the probe ended with status 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_probe_finds_is_handed_on),
		cmocka_unit_test(test_silence_is_told_by_how_far_it_came),
		cmocka_unit_test(test_a_probe_that_dies_is_no_silence),
		cmocka_unit_test(test_without_files_there_is_no_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
