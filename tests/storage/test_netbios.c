/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "base/run.h"
#include "storage/client.h"
#include "storage/limit.h"
#include "storage/share.h"
#include "tests/storage/server.h"

/*
 * A server whose name no DNS knows, found by its broadcast name in a network of the test's own,
 * from behind the firewall of a node.
 */

struct fixture {
	struct server server;
	pid_t nmbd;
};

static void tool(const char *const *argv)
{
	const struct run what = { .argv = argv, .timeout_ms = 10000 };
	struct fault why = { 0 };

	if (run(&what, &why) < 0)
		fail_msg("%s", why.text);
}

static void make_link(void)
{
	static const char *const commands[][12] = {
		{ "ip", "link", "add", "share0", "type", "veth", "peer", "name", "share1", NULL },
		{ "ip", "address", "add", "192.168.99.1/24", "broadcast", "+", "dev", "share0",
		  NULL },
		{ "ip", "link", "set", "share0", "up", NULL },
	};

	CASES (c, commands)
		tool(*c);
}

/* From here on this process is a node beside the server's machine. */
static void leave(const struct server *s)
{
	char server[16], us[16];
	const char *const give[] = { "nsenter", "--target", server,  "--net", "ip", "link",
				     "set",	"share1",   "netns", us,      NULL };
	static const char *const commands[][12] = {
		{ "ip", "address", "add", "192.168.99.2/24", "broadcast", "+", "dev", "share1",
		  NULL },
		{ "ip", "link", "set", "share1", "up", NULL },
		{ "nft", "-f", "tests/golden/plan/netbios-firewall.nft", NULL },
	};

	snprintf(server, sizeof(server), "%d", s->pid);
	snprintf(us, sizeof(us), "%d", getpid());
	assert_true(private_network());
	tool(give);
	CASES (c, commands)
		tool(*c);
}

static pid_t start_nmbd(const struct server *s)
{
	char server[16];
	pid_t pid;

	snprintf(server, sizeof(server), "%d", s->pid);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execlp("nsenter", "nsenter", "--target", server, "--net", "nmbd", "--foreground",
		       "--no-process-group", "-s", s->conf, NULL);
		_exit(127);
	}
	setpgid(pid, pid);
	return pid;
}

static int start(void **state)
{
	static struct fixture f;
	char path[160];
	const struct storage_export e = { .name = "data", .path = path, .user = SERVER_USER };
	const struct storage_server what = { .exports = &e, .n_exports = 1 };

	if (!private_network())
		return 0;
	make_link();
	server_init(&f.server);
	server_path(&f.server, "data", path);
	server_folder(&f.server, "data", 0755);
	server_start(&f.server, &what,
		     "\tdisable netbios = no\n\tnetbios name = NASBOX\n"
		     "\tinterfaces = 192.168.99.1/24\n\thosts allow = 192.168.99.0/24 127.0.0.1\n");
	leave(&f.server);
	f.nmbd = start_nmbd(&f.server);
	*state = &f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	if (!f)
		return 0;
	kill(-f->nmbd, SIGKILL);
	waitpid(f->nmbd, NULL, 0);
	server_done(&f->server);
	return 0;
}

static void probe(const struct fixture *f, const char *host, const char *share,
		  struct share_result *ret)
{
	struct storage_credentials credentials = { .user = SERVER_USER,
						   .password = SERVER_PASSWORD };
	struct storage_unc unc;
	const struct client_request request = { .unc = &unc,
						.credentials = &credentials,
						.timeout_ms = 5000 };
	struct fault why = { 0 };
	char text[256];

	snprintf(text, sizeof(text), "//%s:%u/%s", host, f->server.port, share);
	assert_int_equal(storage_unc_parse(text, &unc, &why), 0);
	*ret = (struct share_result){ .writable = -1 };
	assert_int_equal(limit_probe(client_probe, &request, 15000, ret, &why), 0);
}

/* nmbd takes some seconds until its name is its own, and a busy machine longer to answer. */
static void probe_patiently(const struct fixture *f, const char *share, struct share_result *ret)
{
	int i;

	for (i = 0; i < 40 && (i == 0 || ret->code == SHARE_UNKNOWN_NAME); i++) {
		probe(f, "nasbox", share, ret);
		if (ret->code == SHARE_UNKNOWN_NAME)
			pause_ms(250);
	}
}

static void test_a_broadcast_name_is_found(void **state)
{
	const struct fixture *f = *state;
	struct share_result r = { 0 };

	if (!f)
		skip();
	probe_patiently(f, "data", &r);
	if (r.code != SHARE_OK)
		fail_msg("%s: %s", share_code_name(r.code), r.reason);
	assert_true(r.resolved && r.reached && r.login && r.readable);
	assert_string_equal(r.address, "192.168.99.1");
	probe_patiently(f, "none", &r);
	assert_int_equal(r.code, SHARE_NO_SUCH_SHARE);
}

static void test_a_name_that_nobody_claims(void **state)
{
	const struct fixture *f = *state;
	struct share_result r;

	if (!f)
		skip();
	probe(f, "otherbox", "data", &r);
	assert_int_equal(r.code, SHARE_UNKNOWN_NAME);
	assert_non_null(strstr(r.reason, "neither DNS nor NetBIOS"));
	assert_false(r.resolved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_broadcast_name_is_found),
		cmocka_unit_test(test_a_name_that_nobody_claims),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
