/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/run.h"

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Runs a line of shell; how says the rest. */
static int shell(const char *line, struct run how, struct fault *why)
{
	const char *const argv[] = { "sh", "-c", line, NULL };

	how.argv = argv;
	if (!how.timeout_ms)
		how.timeout_ms = 20000;
	return run(&how, why);
}

static void test_how_it_ended(void **s)
{
	static const struct {
		const char *line;
		int want;
		const char *text;
	} cases[] = {
		{ "exit 0", 0, "" },
		{ "echo lost >&2", 0, "" },
		{ "exit 1", -EREMOTEIO, "sh: exit status 1" },
		{ "exit 127", -EREMOTEIO, "sh: exit status 127" },
		{ "exit 126", -EREMOTEIO, "sh: exit status 126" },
		{ "echo first >&2; echo last >&2; exit 3", -EREMOTEIO, "sh: exit status 3: last" },
		{ "printf 'cut' >&2; exit 3", -EREMOTEIO, "sh: exit status 3: cut" },
		{ "printf 'a\\r\\n\\n\\n' >&2; exit 3", -EREMOTEIO, "sh: exit status 3: a" },
		{ "echo out; exit 3", -EREMOTEIO, "sh: exit status 3" },
		{ "kill -KILL $$", -EREMOTEIO, "sh: killed by Killed" },
		{ "echo oh >&2; kill -TERM $$", -EREMOTEIO, "sh: killed by Terminated: oh" },
	};

	(void)s;
	CASES (c, cases) {
		struct fault why = { 0 };
		int r = shell(c->line, (struct run){ 0 }, &why);

		if (r != c->want)
			fail_msg("%s: %d %s", c->line, r, why.text);
		assert_string_equal(why.text, c->text);
	}
}

static void test_what_cannot_be_started(void **s)
{
	static const struct {
		const char *program, *dir;
		int want;
		const char *text;
	} cases[] = {
		{ "rackseed-no-such-program", NULL, -ENOENT,
		  "rackseed-no-such-program: no such program" },
		{ "/nowhere/at/all", NULL, -ENOENT, "/nowhere/at/all: no such program" },
		{ "/etc/passwd/x", NULL, -ENOENT, "/etc/passwd/x: no such program" },
		{ "/etc/passwd", NULL, -EREMOTEIO,
		  "/etc/passwd: cannot be started: Permission denied" },
		{ "true", "/nowhere", -EREMOTEIO,
		  "true: cannot enter its folder '/nowhere': No such file or directory" },
	};

	(void)s;
	CASES (c, cases) {
		const char *const argv[] = { c->program, NULL };
		const struct run what = { .argv = argv, .dir = c->dir };
		struct fault why = { 0 };

		assert_int_equal(run(&what, &why), c->want);
		assert_int_equal(why.code, -c->want);
		assert_string_equal(why.text, c->text);
	}
}

/* What comes out, with or without something put in. */
static void test_output(void **s)
{
	static const char *const env[] = { "RACKSEED_A=one two", "HOME=/elsewhere", NULL };
	static const struct {
		const char *line, *input, *want;
	} cases[] = {
		{ "echo a; echo b >&2; printf c", NULL, "a\nc" },
		{ "cat", NULL, "" },
		{ "cat", "", "" },
		{ "cat", "fed", "fed" },
		{ "cat; cat /dev/stdin", "fed", "fed" },
		{ "read -r x; echo \"<$x>\"", "line\nrest", "<line>\n" },
		{ "pwd", NULL, "/usr\n" },
		{ "echo \"$RACKSEED_A|$HOME|${PATH:+kept}\"", NULL, "one two|/elsewhere|kept\n" },
		{ "true 'a  b' '$x'; echo '*'", NULL, "*\n" },
	};

	(void)s;
	assert_null(getenv("RACKSEED_A"));
	CASES (c, cases) {
		scoped(text_done) struct text out = { 0 };
		struct fault why = { 0 };
		int r = shell(c->line,
			      (struct run){ .out = &out,
					    .env = env,
					    .dir = "/usr",
					    .input = c->input,
					    .input_len = c->input ? strlen(c->input) : 0 },
			      &why);

		if (r != 0)
			fail_msg("%s: %s", c->line, why.text);
		assert_string_equal(text_str(&out), c->want);
	}
	assert_null(getenv("RACKSEED_A"));
}

/* Each more than a pipe holds, so that all must be served at once. */
static void test_much_goes_in_and_comes_out_at_once(void **s)
{
	enum { LEN = 3 << 20 };
	char *input = malloc(LEN);
	scoped(text_done) struct text out = { 0 };
	struct fault why = { 0 };
	size_t i;

	(void)s;
	assert_non_null(input);
	for (i = 0; i < LEN; i++)
		input[i] = (char)(i % 251);
	assert_int_equal(shell("head -c 300000 /dev/zero >&2; cat; head -c 300000 /dev/zero >&2",
			       (struct run){ .out = &out, .input = input, .input_len = LEN }, &why),
			 0);
	assert_int_equal(out.len, LEN);
	assert_memory_equal(out.data, input, LEN);
	free(input);
}

static void test_input_that_nobody_reads_harms_nobody(void **s)
{
	static const char *const lines[] = { "exit 0", "exec <&-; sleep 0.2",
					     "head -c 10 >/dev/null" };
	char *input = calloc(1, 1 << 20);

	(void)s;
	assert_non_null(input);
	CASES (line, lines) {
		struct sigaction after;
		struct fault why = { 0 };

		assert_int_equal(
			shell(*line, (struct run){ .input = input, .input_len = 1 << 20 }, &why),
			0);
		assert_int_equal(sigaction(SIGPIPE, NULL, &after), 0);
		assert_true(after.sa_handler == SIG_DFL);
	}
	free(input);
}

/* One that closes its outputs is still fed to the end. */
static void test_input_is_fed_after_the_outputs_ended(void **s)
{
	int fd = memfd_create("sink", 0);
	char *input = calloc(1, 1 << 20);
	char line[96];
	struct fault why = { 0 };
	struct stat st;

	(void)s;
	assert_true(fd >= 0);
	assert_non_null(input);
	snprintf(line, sizeof(line), "exec 2>&- >/proc/%d/fd/%d; sleep 0.2; cat", (int)getpid(),
		 fd);
	assert_int_equal(shell(line, (struct run){ .input = input, .input_len = 1 << 20 }, &why),
			 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 1 << 20);
	close(fd);
	free(input);
}

static void test_output_goes_to_a_descriptor(void **s)
{
	scoped(drop_fd) int fd = memfd_create("out", MFD_CLOEXEC);
	scoped(text_done) struct text out = { 0 };
	struct fault why = { 0 };
	char got[16] = "";

	(void)s;
	assert_int_equal(shell("printf hello; echo no >&2; exit 4",
			       (struct run){ .out_fd = fd, .out = &out }, &why),
			 -EREMOTEIO);
	assert_string_equal(why.text, "sh: exit status 4: no");
	assert_int_equal(pread(fd, got, sizeof(got), 0), 5);
	assert_string_equal(got, "hello");
	assert_int_equal(out.len, 0);
}

static void note(const char *line, void *data)
{
	text_addf(data, "[%s]", line);
}

static void test_lines_come_one_by_one(void **s)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ "echo one >&2; echo; echo two >&2", "[one][two]" },
		{ "printf 'a\\nb\\rc\\r\\n\\n d ' >&2", "[a][b][c][ d ]" },
		{ "printf par >&2; sleep 0.1; printf 'ts\\n' >&2; exit 9", "[parts]" },
	};
	scoped(text_done) struct text got = { 0 };
	struct fault why = { 0 };
	size_t dots;

	(void)s;
	CASES (c, cases) {
		text_done(&got);
		(void)(shell(c->line, (struct run){ .line = note, .data = &got }, &why) < 0);
		assert_string_equal(text_str(&got), c->want);
	}
	/* A line without end is cut, and what comes behind it is not. */
	text_done(&got);
	assert_int_equal(shell("head -c 70000 /dev/zero | tr '\\0' . >&2; echo >&2; echo end >&2",
			       (struct run){ .line = note, .data = &got }, &why),
			 0);
	dots = strspn(text_str(&got) + 1, ".");
	assert_in_range(dots, 100, 4096);
	assert_string_equal(text_str(&got) + 1 + dots, "][end]");
}

/* Whether the process is gone, or a zombie that nobody will miss. */
static void assert_dies(pid_t pid)
{
	char path[64];
	int i;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	for (i = 0; i < 200; i++) {
		scoped(text_done) struct text stat = { 0 };
		struct fault why = { 0 };

		if (fs_read(AT_FDCWD, path, 4096, &stat, &why) < 0 ||
		    strstr(text_str(&stat), ") Z "))
			return;
		usleep(10000);
	}
	kill(pid, SIGKILL);
	fail_msg("process %d lives on", (int)pid);
}

static void test_time_is_limited_for_the_whole_group(void **s)
{
	static const char *const lines[] = {
		"sleep 30 & echo $!; wait",
		"(sleep 30 & echo $!; wait) | cat",
		"trap '' TERM; sleep 30 & echo $!; echo slow >&2; wait",
		"sleep 30 & echo $!; exec >&- 2>&-; wait",
	};

	(void)s;
	CASES (line, lines) {
		scoped(text_done) struct text out = { 0 };
		struct fault why = { 0 };
		int64_t begin = now_ms();
		long pid;

		assert_int_equal(
			shell(*line, (struct run){ .out = &out, .timeout_ms = 700 }, &why),
			-ETIMEDOUT);
		assert_in_range(now_ms() - begin, 700, 5000);
		assert_non_null(strstr(why.text, "sh: stopped after 0.7 s"));
		assert_true(!strstr(*line, "slow") || strstr(why.text, "s: slow"));
		pid = strtol(text_str(&out), NULL, 10);
		assert_true(pid > 1);
		assert_dies((pid_t)pid);
	}
}

/* It is over when the program is, whatever that left behind with its pipes open. */
static void test_what_it_left_behind_is_not_waited_for(void **s)
{
	static const struct {
		const char *line;
		int want;
	} cases[] = { { "sleep 30 & echo $!", 0 }, { "sleep 30 & echo $!; exit 5", -EREMOTEIO } };

	(void)s;
	CASES (c, cases) {
		scoped(text_done) struct text out = { 0 };
		struct fault why = { 0 };
		int64_t begin = now_ms();
		int r = shell(c->line, (struct run){ .out = &out }, &why);
		long pid = strtol(text_str(&out), NULL, 10);

		assert_true(pid > 1);
		kill((pid_t)pid, SIGKILL);
		assert_int_equal(r, c->want);
		assert_true(now_ms() - begin < 5000);
	}
}

/* A service blocks signals and may have been started with some ignored; its programs do not. */
static void test_signals_are_as_usual_in_the_program(void **s)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	struct fault why = { 0 };
	sigset_t set, old;
	int killed, piped;

	(void)s;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	sigaction(SIGPIPE, &ignore, &before);
	killed = shell("kill -TERM $$; exit 0", (struct run){ 0 }, &why);
	piped = shell("kill -PIPE $$; exit 0", (struct run){ 0 }, &why);
	sigaction(SIGPIPE, &before, NULL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_int_equal(killed, -EREMOTEIO);
	assert_int_equal(piped, -EREMOTEIO);
	assert_string_equal(why.text, "sh: killed by Broken pipe");
}

/* With SIGCHLD ignored the kernel throws the exit status away: that is no success. */
static void test_an_end_that_was_not_seen_is_no_success(void **s)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	struct fault why = { 0 };
	int r;

	(void)s;
	sigaction(SIGCHLD, &ignore, &before);
	r = shell("exit 1", (struct run){ 0 }, &why);
	sigaction(SIGCHLD, &before, NULL);
	assert_true(r < 0);
	assert_non_null(strstr(why.text, "its end was not seen"));
}

static void test_works_without_standard_descriptors(void **s)
{
	scoped(text_done) struct text out = { 0 };
	struct fault why = { 0 };
	int kept[3];
	int i, r;

	(void)s;
	fflush(stdout);
	fflush(stderr);
	for (i = 0; i < 3; i++) {
		kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
		assert_true(kept[i] >= 0);
	}
	for (i = 0; i < 3; i++)
		close(i);
	r = shell("cat; echo err >&2; exit 6",
		  (struct run){ .input = "in", .input_len = 2, .out = &out }, &why);
	for (i = 0; i < 3; i++) {
		(void)dup2(kept[i], i);
		close(kept[i]);
	}
	assert_int_equal(r, -EREMOTEIO);
	assert_string_equal(why.text, "sh: exit status 6: err");
	assert_string_equal(text_str(&out), "in");
}

static int n_open(void)
{
	int n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* mmdebstrap's dash cannot name one above 9, and a CI's runner, make or faketime leave some. */
static void test_descriptors_of_whoever_started_us_are_not_passed_on(void **s)
{
	struct fault why = { 0 };
	int left = dup2(STDERR_FILENO, 30);

	(void)s;
	assert_int_equal(left, 30);
	if (shell("[ -e /proc/self/fd/2 ] && [ ! -e /proc/self/fd/30 ]", (struct run){ 0 }, &why))
		fail_msg("%s", why.text);
	close(left);
}

static void test_variables_are_put_and_taken(void **s)
{
	const char *const env[] = { "RACKSEED_PUT=a b", "RACKSEED_TAKEN", NULL };
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(setenv("RACKSEED_TAKEN", "x", 1), 0);
	if (shell("[ \"$RACKSEED_PUT\" = 'a b' ] && [ -z \"${RACKSEED_TAKEN+x}\" ]",
		  (struct run){ .env = env }, &why))
		fail_msg("%s", why.text);
	assert_string_equal(getenv("RACKSEED_TAKEN"), "x");
	unsetenv("RACKSEED_TAKEN");
}

static void test_leaves_no_descriptor_open(void **s)
{
	static const char *const lines[] = { "exit 0", "exit 1", "sleep 30" };
	static const char *const none[] = { "rackseed-no-such-program", NULL };
	const struct run absent = { .argv = none };
	struct fault why = { 0 };
	int before = n_open();

	(void)s;
	CASES (line, lines)
		(void)(shell(*line, (struct run){ .input = "x", .input_len = 1, .timeout_ms = 200 },
			     &why) < 0);
	assert_int_equal(run(&absent, &why), -ENOENT);
	assert_int_equal(n_open(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_how_it_ended),
		cmocka_unit_test(test_what_cannot_be_started),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_much_goes_in_and_comes_out_at_once),
		cmocka_unit_test(test_input_that_nobody_reads_harms_nobody),
		cmocka_unit_test(test_input_is_fed_after_the_outputs_ended),
		cmocka_unit_test(test_output_goes_to_a_descriptor),
		cmocka_unit_test(test_lines_come_one_by_one),
		cmocka_unit_test(test_time_is_limited_for_the_whole_group),
		cmocka_unit_test(test_what_it_left_behind_is_not_waited_for),
		cmocka_unit_test(test_signals_are_as_usual_in_the_program),
		cmocka_unit_test(test_an_end_that_was_not_seen_is_no_success),
		cmocka_unit_test(test_works_without_standard_descriptors),
		cmocka_unit_test(test_descriptors_of_whoever_started_us_are_not_passed_on),
		cmocka_unit_test(test_variables_are_put_and_taken),
		cmocka_unit_test(test_leaves_no_descriptor_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
