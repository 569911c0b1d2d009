/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <glob.h>

#include "base/run.h"
#include "tests/storage/server.h"

/* `rackseed check --live` asks a real smbd, in a network of the test's own. */

struct fixture {
	struct server server;
	char program[512];
};

static void find_rackseed(char program[static 512])
{
	char *name;

	find_program(program);
	name = strrchr(program, '/') + 1;
	snprintf(name, (size_t)(512 - (name - program)), "rackseed");
	if (access(program, X_OK) != 0)
		snprintf(program, 512, "build/release/rackseed");
}

static int start(void **state)
{
	static struct fixture f;
	char path[160];
	const struct storage_export e = { .name = "data", .path = path, .user = SERVER_USER };
	const struct storage_server what = { .exports = &e, .n_exports = 1 };

	find_rackseed(f.program);
	if (!private_network())
		return 0;
	server_init(&f.server);
	server_path(&f.server, "data", path);
	server_folder(&f.server, "data", 0755);
	server_start(&f.server, &what, "");
	*state = &f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	if (f)
		server_done(&f->server);
	return 0;
}

static void put(const struct fixture *f, const char *name, const char *content)
{
	struct text text = { 0 };
	char path[160];

	server_path(&f->server, name, path);
	text_add(&text, content);
	write_file(path, &text);
	text_done(&text);
}

/* One share of that address, with that password. */
static int check(const struct fixture *f, const char *share, const char *password, bool json,
		 struct text *out)
{
	char path[160], document[1024], secrets[160];
	const char *const argv[] = { f->program, "-f",	   path,
				     "check",	 "--live", json ? "--json" : "--quiet",
				     NULL };
	struct fault why = { 0 };

	snprintf(document, sizeof(document),
		 "apiVersion: rackseed/v1\n"
		 "cluster: {name: lab, kubernetes: {version: \"1.30\"}, endpoint: m1}\n"
		 "os: {distribution: debian, release: bookworm}\n"
		 "network: {subnet: 10.0.0.0/24}\n"
		 "shares:\n"
		 "  data: {server: \"//127.0.0.1:%u/%s\", mount: /mnt/data, user: " SERVER_USER
		 ", passwordFile: secrets/data}\n"
		 "nodes:\n"
		 "  m1: {role: control-plane, address: 10.0.0.11, mac: \"52:54:00:00:00:11\"}\n",
		 f->server.port, share);
	server_path(&f->server, "secrets", secrets);
	mkdir(secrets, 0700);
	put(f, "cluster.yaml", document);
	if (password)
		put(f, "secrets/data", password);
	server_path(&f->server, "cluster.yaml", path);
	return run(&(struct run){ .argv = argv, .out = out }, &why);
}

static void test_says_what_answers(void **state)
{
	static const struct {
		const char *share, *password, *says;
		bool good;
	} cases[] = {
		{ "data", NULL, "failed: secrets/data is not there (rackseed secrets makes it)",
		  false },
		{ "data", SERVER_PASSWORD "\n", "data: ok: writable, ", true },
		{ "data", "other\n", "wrong-password: user '" SERVER_USER "'", false },
		{ "none", SERVER_PASSWORD "\n", "no-such-share: '127.0.0.1' has no share 'none'",
		  false },
	};
	const struct fixture *f = *state;

	if (!f)
		skip();
	CASES (c, cases) {
		struct text out = { 0 };
		int r = check(f, c->share, c->password, false, &out);

		if (!strstr(text_str(&out), c->says))
			fail_msg("%s", text_str(&out));
		assert_int_equal(r == 0, c->good);
		text_done(&out);
	}
}

static size_t count_logins(void)
{
	glob_t found = { 0 };
	size_t n;

	glob("/dev/shm/rackseed-live-*", 0, NULL, &found);
	glob("/tmp/rackseed-live-*", GLOB_APPEND, NULL, &found);
	n = found.gl_pathc;
	globfree(&found);
	return n;
}

static void test_leaves_no_password(void **state)
{
	const struct fixture *f = *state;
	size_t before = count_logins();
	struct text out = { 0 };

	if (!f)
		skip();
	assert_true(check(f, "data", "other\n", false, &out) < 0);
	assert_int_equal(count_logins(), before);
	text_done(&out);
}

static void test_json_holds_both(void **state)
{
	const struct fixture *f = *state;
	struct text out = { 0 };

	if (!f)
		skip();
	assert_int_equal(check(f, "data", SERVER_PASSWORD, true, &out), 0);
	assert_int_equal(strncmp(text_str(&out), "{\"complaints\": [", 16), 0);
	assert_non_null(strstr(text_str(&out), "\"shares\": [\n {\"share\":\"//127.0.0.1:"));
	assert_non_null(strstr(text_str(&out), "\"code\":\"ok\""));
	text_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says_what_answers),
		cmocka_unit_test(test_leaves_no_password),
		cmocka_unit_test(test_json_holds_both),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
