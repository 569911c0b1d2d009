/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/server.h"
#include "storage/storage.h"

/*
 * smb.conf and credentials know no escapes. What the document's check has to refuse before ends the
 * program where it is rendered, and never becomes a line of the file.
 */

static struct text out;

static void user_with_a_line_break(void)
{
	storage_credentials_user("a\npassword=x", &out);
}

static void password_with_a_line_break(void)
{
	storage_credentials("a", "x\ndomain=y", &out);
}

static void mount_of(const char *name, const char *where, const char *credentials)
{
	const struct storage_mount m = { .name = name,
					 .unc = { .host = "nas", .share = "a" },
					 .where = where,
					 .credentials = credentials };

	storage_mount_unit(&m, &out);
}

static void mount_of_no_name(void)
{
	mount_of("homes", "/mnt/a", NULL);
}

static void mount_over_the_system(void)
{
	mount_of("a", "/etc", NULL);
}

static void credentials_with_a_line_break(void)
{
	mount_of("a", "/mnt/a", "/etc/a\nb");
}

static void credentials_that_are_two_options(void)
{
	mount_of("a", "/mnt/a", "/etc/a,suid");
}

static void server_of(const char *workgroup, const struct storage_export *e)
{
	const struct storage_server s = { .workgroup = workgroup, .exports = e, .n_exports = 1 };

	storage_smbconf(&s, &out);
}

static void workgroup_with_a_line_break(void)
{
	const struct storage_export e = { .name = "a", .path = "/srv/a" };

	server_of("A\n[homes]", &e);
}

static void workgroup_of_our_name(void)
{
	const struct storage_export e = { .name = "a", .path = "/srv/a" };

	server_of("Rackseed", &e);
}

static void export_of_sambas_own_name(void)
{
	const struct storage_export e = { .name = "global", .path = "/srv/a" };

	server_of(NULL, &e);
}

static void export_of_the_system(void)
{
	const struct storage_export e = { .name = "a", .path = "/etc" };

	server_of(NULL, &e);
}

static void owner_that_is_no_account(void)
{
	const struct storage_export e = { .name = "a", .path = "/srv/a", .owner = "root" };

	server_of(NULL, &e);
}

static void account_that_is_an_option(void)
{
	struct fault why = { 0 };

	(void)!storage_server_account(NULL, "-x", "secret", &why);
}

static void account_with_a_line_break(void)
{
	struct fault why = { 0 };

	(void)!storage_server_account(NULL, "a\nb", "secret", &why);
}

/* How the process ends that does it: it leaves no core, and its last words are not ours. */
static int end_of(void (*fn)(void))
{
	static const struct rlimit none = { 0, 0 };
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_what_no_format_can_hold_is_not_rendered(void **state)
{
	static void (*const fns[])(void) = {
		user_with_a_line_break,
		password_with_a_line_break,
		mount_of_no_name,
		mount_over_the_system,
		credentials_with_a_line_break,
		credentials_that_are_two_options,
		workgroup_with_a_line_break,
		workgroup_of_our_name,
		export_of_sambas_own_name,
		export_of_the_system,
		owner_that_is_no_account,
		account_that_is_an_option,
		account_with_a_line_break,
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fns) / sizeof(fns[0]); i++)
		if (end_of(fns[i]) != SIGABRT)
			fail_msg("the %zu. was taken", i + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_no_format_can_hold_is_not_rendered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
