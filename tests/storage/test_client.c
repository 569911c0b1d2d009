/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <sys/mount.h>

#include "storage/client.h"
#include "storage/limit.h"
#include "storage/share.h"
#include "tests/storage/server.h"

/* The probe against real servers, in this process's own child. */

struct fixture {
	struct server server;
	bool has_full; /* the share "full" lies on a small file system */
};

/* A share on a file system of 64 KiB; where mounting is not allowed its case is left out. */
static bool make_full(const struct server *s)
{
	char path[160];

	server_folder(s, "full", 0777);
	server_path(s, "full", path);
	return mount("tmpfs", path, "tmpfs", 0, "size=64k,mode=0777") == 0;
}

static int start_server(void **state, const char *extra)
{
	static struct fixture f;
	char path[5][160];
	const struct storage_export exports[] = {
		{ .name = "data", .path = path[0], .user = SERVER_USER, .owner = SERVER_USER },
		{ .name = "fixed", .path = path[0], .user = SERVER_USER, .read_only = true },
		{ .name = "others", .path = path[0], .user = "daemon" },
		{ .name = "open", .path = path[1], .guest = true },
		{ .name = "closed", .path = path[2], .user = SERVER_USER },
		{ .name = "full", .path = path[3], .user = SERVER_USER },
		{ .name = "gone", .path = path[4], .user = SERVER_USER },
	};
	const struct storage_server what = { .exports = exports, .n_exports = COUNT(exports) };

	if (!private_network())
		return 0;
	f = (struct fixture){ 0 };
	server_init(&f.server);
	server_path(&f.server, "data", path[0]);
	server_path(&f.server, "open", path[1]);
	server_path(&f.server, "closed", path[2]);
	server_path(&f.server, "full", path[3]);
	server_path(&f.server, "gone", path[4]);
	server_folder(&f.server, "data", 0755);
	server_folder(&f.server, "open", 0777);
	server_folder(&f.server, "closed", 0000);
	f.has_full = make_full(&f.server);
	server_start(&f.server, &what, extra);
	*state = &f;
	return 0;
}

static int start_as_shipped(void **state)
{
	return start_server(state, "");
}

static int start_old(void **state)
{
	return start_server(state,
			    "\tserver min protocol = SMB2\n\tserver max protocol = SMB2_10\n");
}

/* Everybody whom it does not know is a guest, and guests cannot sign. */
static int start_lax(void **state)
{
	return start_server(state, "\tserver signing = auto\n");
}

static int start_elsewhere(void **state)
{
	return start_server(state, "\thosts allow = 192.0.2.1\n\thosts deny = ALL\n");
}

static int stop_server(void **state)
{
	struct fixture *f = *state;
	char path[160];

	if (!f)
		return 0;
	server_stop(&f->server);
	server_path(&f->server, "full", path);
	if (f->has_full)
		umount2(path, MNT_DETACH);
	server_done(&f->server);
	return 0;
}

static void probe(unsigned port, const char *share, const char *user, const char *password,
		  bool write, struct share_result *ret)
{
	struct storage_credentials credentials = { 0 };
	struct storage_unc unc;
	struct client_request request = { .unc = &unc, .timeout_ms = 5000, .write = write };
	struct fault why = { 0 };
	char text[256];

	snprintf(text, sizeof(text), "//127.0.0.1:%u/%s", port, share);
	assert_int_equal(storage_unc_parse(text, &unc, &why), 0);
	if (user) {
		snprintf(credentials.user, sizeof(credentials.user), "%s", user);
		snprintf(credentials.password, sizeof(credentials.password), "%s", password);
		request.credentials = &credentials;
	}
	*ret = (struct share_result){ .writable = -1 };
	assert_int_equal(limit_probe(client_probe, &request, 20000, ret, &why), 0);
}

struct probe_case {
	const char *share, *user, *password;
	bool write;
	enum share_code code;
	const char *steps; /* a letter each for resolved reached login exists readable writable */
	const char *words; /* in the reason */
};

static void check_case(unsigned port, const struct probe_case *c)
{
	struct share_result r;
	char steps[8];

	probe(port, c->share, c->user, c->password, c->write, &r);
	snprintf(steps, sizeof(steps), "%c%c%c%c%c%c", r.resolved ? 'y' : 'n',
		 r.reached ? 'y' : 'n', r.login ? 'y' : 'n', r.exists ? 'y' : 'n',
		 r.readable ? 'y' : 'n', "-ny"[r.writable + 1]);
	if (r.code != c->code || strcmp(steps, c->steps) != 0 || !strstr(r.reason, c->words))
		fail_msg("%s as %s: %s %s '%s'", c->share, c->user ? c->user : "guest",
			 share_code_name(r.code), steps, r.reason);
	assert_string_equal(r.address, "127.0.0.1");
	if (r.readable)
		assert_true(r.total_bytes >= 65536 && r.free_bytes <= r.total_bytes);
}

static bool left_out(const struct fixture *f)
{
	if (!f)
		print_message("needs root and a network namespace\n");
	return !f;
}

static void test_each_outcome_has_its_name(void **state)
{
	static const char *const user = SERVER_USER, *const right = SERVER_PASSWORD;
	const struct probe_case cases[] = {
		{ "data", user, right, false, SHARE_OK, "yyyyy-", "" },
		{ "data", user, right, true, SHARE_OK, "yyyyyy", "" },
		{ "DATA", user, right, true, SHARE_OK, "yyyyyy", "" },
		{ "data/sub", user, right, false, SHARE_NO_SUCH_SHARE, "yyyyn-",
		  "no folder 'sub'" },
		{ "fixed", user, right, false, SHARE_OK, "yyyyy-", "" },
		{ "fixed", user, right, true, SHARE_NOT_WRITABLE, "yyyyyn", "may not write" },
		{ "others", user, right, false, SHARE_NOT_READABLE, "yyyyn-", "'others'" },
		{ "closed", user, right, false, SHARE_NOT_READABLE, "yyyyn-", "'closed'" },
		{ "gone", user, right, false, SHARE_NO_SUCH_SHARE, "yyynn-", "no share 'gone'" },
		{ "none", user, right, false, SHARE_NO_SUCH_SHARE, "yyynn-", "no share 'none'" },
		{ "none/sub", user, right, false, SHARE_NO_SUCH_SHARE, "yyynn-", "no share" },
		{ "data", user, "wrong", true, SHARE_WRONG_PASSWORD, "yynnn-", "'games'" },
		{ "none", user, "wrong", false, SHARE_WRONG_PASSWORD, "yynnn-", "'games'" },
		{ "open", NULL, NULL, true, SHARE_OK, "yyyyyy", "" },
		{ "data", NULL, NULL, true, SHARE_NOT_READABLE, "yyyyn-", "guests may not" },
		{ "open", user, right, true, SHARE_OK, "yyyyyy", "" },
	};
	const struct fixture *f = *state;

	if (left_out(f))
		skip();
	CASES (c, cases)
		check_case(f->server.port, c);
}

/* The probe's files are gone whatever came of them. */
static void test_leaves_nothing_behind(void **state)
{
	const struct fixture *f = *state;
	struct share_result r;
	char path[160];

	if (left_out(f))
		skip();
	probe(f->server.port, "data", SERVER_USER, SERVER_PASSWORD, true, &r);
	assert_int_equal(r.code, SHARE_OK);
	server_path(&f->server, "data", path);
	assert_int_equal(rmdir(path), 0);
	server_folder(&f->server, "data", 0755);
}

static void test_full_share(void **state)
{
	const struct probe_case row = { "full",	    SERVER_USER, SERVER_PASSWORD, true,
					SHARE_FULL, "yyyyyn",	 "no space" };
	const struct probe_case looked = { "full",     SERVER_USER, SERVER_PASSWORD, false,
					   SHARE_FULL, "yyyyy-",    "no space" };
	const struct probe_case room = { "full",   SERVER_USER, SERVER_PASSWORD, true, SHARE_OK,
					 "yyyyyy", "" };
	const struct fixture *f = *state;
	static const char block[4096];
	char path[160];
	int fd;

	if (left_out(f) || !f->has_full)
		skip();
	check_case(f->server.port, &room);
	server_path(&f->server, "full/filler", path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	check_case(f->server.port, &row);
	check_case(f->server.port, &looked);
	assert_int_equal(unlink(path), 0);
	check_case(f->server.port, &room);
}

static void test_servers_without_smb3_are_named(void **state)
{
	const struct probe_case row = { "data",	       SERVER_USER, SERVER_PASSWORD, false,
					SHARE_NO_SMB3, "yynnn-",    "SMB 3" };
	const struct fixture *f = *state;

	if (left_out(f))
		skip();
	check_case(f->server.port, &row);
}

static void test_a_login_without_signatures_is_refused(void **state)
{
	const struct probe_case cases[] = {
		{ "open", "nobody-known", "any", false, SHARE_SIGNING_REFUSED, "yynnn-", "guest" },
		{ "data", SERVER_USER, "wrong", false, SHARE_WRONG_PASSWORD, "yynnn-", "refused" },
		{ "data", SERVER_USER, SERVER_PASSWORD, true, SHARE_OK, "yyyyyy", "" },
	};
	const struct fixture *f = *state;

	if (left_out(f))
		skip();
	CASES (c, cases)
		check_case(f->server.port, c);
}

static void test_a_server_that_lets_us_not_in(void **state)
{
	const struct probe_case row = { "data",	       SERVER_USER, SERVER_PASSWORD, false,
					SHARE_REFUSED, "yynnn-",    "hosts allow" };
	const struct fixture *f = *state;

	if (left_out(f))
		skip();
	check_case(f->server.port, &row);
}

/* The server is ended within a probe's life, and comes back. */
static void test_follows_a_server_that_goes_and_returns(void **state)
{
	const struct probe_case there = { "data",   SERVER_USER, SERVER_PASSWORD, true, SHARE_OK,
					  "yyyyyy", "" };
	struct fixture *f = *state;
	struct share_result r;

	if (left_out(f))
		skip();
	check_case(f->server.port, &there);
	kill(-f->server.pid, SIGSTOP);
	probe(f->server.port, "data", SERVER_USER, SERVER_PASSWORD, false, &r);
	assert_int_equal(r.code, SHARE_SILENT);
	assert_true(r.reached && !r.login);
	kill(-f->server.pid, SIGCONT);
	check_case(f->server.port, &there);
	server_stop(&f->server);
	probe(f->server.port, "data", SERVER_USER, SERVER_PASSWORD, false, &r);
	assert_int_equal(r.code, SHARE_REFUSED);
	assert_true(r.resolved && !r.reached);
}

static int run_with(int (*start)(void **), const struct CMUnitTest *tests, size_t n)
{
	return _cmocka_run_group_tests("client", tests, n, start, stop_server);
}

int main(void)
{
	const struct CMUnitTest shipped[] = {
		cmocka_unit_test(test_each_outcome_has_its_name),
		cmocka_unit_test(test_leaves_nothing_behind),
		cmocka_unit_test(test_full_share),
		cmocka_unit_test(test_follows_a_server_that_goes_and_returns),
	};
	const struct CMUnitTest old[] = { cmocka_unit_test(test_servers_without_smb3_are_named) };
	const struct CMUnitTest lax[] = {
		cmocka_unit_test(test_a_login_without_signatures_is_refused),
	};
	const struct CMUnitTest elsewhere[] = {
		cmocka_unit_test(test_a_server_that_lets_us_not_in),
	};

	return run_with(start_as_shipped, shipped, COUNT(shipped)) +
	       run_with(start_old, old, COUNT(old)) + run_with(start_lax, lax, COUNT(lax)) +
	       run_with(start_elsewhere, elsewhere, COUNT(elsewhere));
}
