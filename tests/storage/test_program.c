/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "base/run.h"
#include "storage/share.h"
#include "tests/storage/server.h"

/* rackseed-share as others start it: its words, its exit status, its limit. */

/* Runs it with up to four words; its exit status, and what it printed. */
static int program(const char *const words[4], struct text *out)
{
	char path[512];
	int fds[2], status, i;
	const char *argv[6];
	char buf[4096];
	ssize_t n;
	pid_t pid;

	find_program(path);
	argv[0] = path;
	for (i = 0; i < 4 && words[i]; i++)
		argv[i + 1] = words[i];
	argv[i + 1] = NULL;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		execv(path, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(fds[1]);
	while ((n = read(fds[0], buf, sizeof(buf))) > 0)
		text_add_n(out, buf, (size_t)n);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_misuse_is_told(void **state)
{
	static const struct {
		const char *words[4];
		int status;
		const char *says;
	} cases[] = {
		{ { NULL }, 2, "a share is missing" },
		{ { "//host" }, 2, "a share is missing behind the host" },
		{ { "host/share" }, 2, "does not begin with '//'" },
		{ { "--wide", "//h/s" }, 2, "no such option '--wide'" },
		{ { "-w", "//h/s" }, 2, "no such option '-w'" },
		{ { "--json=yes", "//h/s" }, 2, "no value goes with" },
		{ { "//h/s", "--timeout" }, 2, "a value is missing" },
		{ { "--timeout", "0", "//h/s" }, 2, "1 to 3600" },
		{ { "--timeout=1x", "//h/s" }, 2, "1 to 3600" },
		{ { "--timeout=99999999999999999999", "//h/s" }, 2, "1 to 3600" },
		{ { "//h/s", "//h/t" }, 2, "one share only" },
		{ { "--credentials", "/nonexistent/x", "//h/s" }, 1, "No such file" },
		{ { "--credentials", "/etc/passwd", "//h/s" }, 1, "others than its owner" },
		{ { "--help" }, 0, "  16  wrong-password" },
		{ { "--version" }, 0, "rackseed-share " },
		{ { "--list-options" }, 0, "--credentials\t" },
	};

	(void)state;
	CASES (c, cases) {
		struct text out = { 0 };

		if (program(c->words, &out) != c->status || !strstr(text_str(&out), c->says))
			fail_msg("%s: %s", c->words[0] ? c->words[0] : "nothing", text_str(&out));
		text_done(&out);
	}
}

static void test_a_refusal_is_one_line_and_a_status(void **state)
{
	struct text out = { 0 };
	char share[64];
	unsigned port;

	(void)state;
	close(bind_loopback(&port));
	snprintf(share, sizeof(share), "//127.0.0.1:%u/s", port);
	assert_int_equal(program((const char *const[4]){ share }, &out),
			 share_code_exit(SHARE_REFUSED));
	assert_non_null(strstr(text_str(&out), ": refused: 127.0.0.1 port "));
	assert_ptr_equal(strchr(text_str(&out), '\n'), out.data + out.len - 1);
	text_done(&out);
}

static void ask(const struct share_request *request, struct share_result *ret)
{
	struct fault why = { 0 };
	char path[512];

	find_program(path);
	if (share_probe(path, request, ret, &why) < 0)
		fail_msg("%s", why.text);
	assert_string_equal(ret->share, request->share);
}

static void test_the_limit_holds_against_a_black_hole(void **state)
{
	const struct share_request request = { .share = "//127.0.0.1:0/s", .timeout_s = 1 };
	struct share_request asked = request;
	struct timespec start, end;
	struct share_result r;
	char share[64];
	unsigned port;
	int fd = bind_loopback(&port);

	(void)state;
	assert_int_equal(listen(fd, 5), 0);
	snprintf(share, sizeof(share), "//127.0.0.1:%u/s", port);
	asked.share = share;
	clock_gettime(CLOCK_MONOTONIC, &start);
	ask(&asked, &r);
	clock_gettime(CLOCK_MONOTONIC, &end);
	close(fd);
	assert_true(end.tv_sec - start.tv_sec <= 3);
	assert_int_equal(r.code, SHARE_SILENT);
	assert_true(r.resolved && r.reached && !r.login);
	assert_int_equal(r.writable, -1);
	assert_non_null(strstr(r.reason, "after 1 s"));
}

static void test_unknown_names_are_named(void **state)
{
	static const char *const shares[] = { "//nosuchhost.invalid/s", "//no-such-host-1/s" };
	struct share_result r;

	if (!*(const bool *)*state)
		skip();
	CASES (share, shares) {
		ask(&(struct share_request){ .share = *share, .timeout_s = 5 }, &r);
		assert_int_equal(r.code, SHARE_UNKNOWN_NAME);
		assert_false(r.resolved);
		assert_non_null(strstr(r.reason, "name"));
	}
}

static void test_a_missing_program_is_a_fault(void **state)
{
	const struct share_request request = { .share = "//h/s" };
	struct share_result r = { .writable = 7 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(share_probe("/nonexistent/rackseed-share", &request, &r, &why), -ENOENT);
	assert_non_null(strstr(why.text, "share '//h/s'"));
	assert_true(share_probe("true", &request, &r, &why) < 0);
	assert_true(share_probe("false", &request, &r, &why) < 0);
	assert_true(share_probe("echo", &request, &r, &why) < 0);
	assert_int_equal(r.writable, 7);
}

/* The whole way: smb.conf as rendered, smbd, credentials file, program, JSON. */
static void test_a_share_is_probed_with_its_credentials_file(void **state)
{
	static struct server s;
	char path[160], good[160], bad[160], share[64];
	const struct storage_export e = { .name = "data",
					  .path = path,
					  .user = SERVER_USER,
					  .owner = SERVER_USER,
					  .group = SERVER_USER };
	const struct storage_server what = { .exports = &e, .n_exports = 1 };
	struct share_request request = { .share = share, .timeout_s = 10, .write = true };
	struct share_result r;

	if (!*(const bool *)*state)
		skip();
	server_init(&s);
	server_path(&s, "data", path);
	server_folder(&s, "data", 0700);
	server_start(&s, &what, "");
	server_credentials(&s, "good", SERVER_USER, SERVER_PASSWORD, good);
	server_credentials(&s, "bad", SERVER_USER, "something else", bad);
	snprintf(share, sizeof(share), "//localhost:%u/data", s.port);
	request.credentials = good;
	ask(&request, &r);
	assert_int_equal(r.code, SHARE_OK);
	assert_true(r.login && r.readable && r.writable == 1);
	request.credentials = bad;
	ask(&request, &r);
	assert_int_equal(r.code, SHARE_WRONG_PASSWORD);
	assert_true(r.reached && !r.login);
	assert_null(strstr(r.reason, "something else"));
	server_done(&s);
}

static int enter(void **state)
{
	static bool alone;

	alone = private_network();
	*state = &alone;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_misuse_is_told),
		cmocka_unit_test(test_a_refusal_is_one_line_and_a_status),
		cmocka_unit_test(test_the_limit_holds_against_a_black_hole),
		cmocka_unit_test(test_unknown_names_are_named),
		cmocka_unit_test(test_a_missing_program_is_a_fault),
		cmocka_unit_test(test_a_share_is_probed_with_its_credentials_file),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
