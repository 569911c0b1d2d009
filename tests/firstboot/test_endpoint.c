/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "firstboot/endpoint.h"

/* A real endpoint with real certificates, asked by curl over real TLS. */

static const char make_certificates[] =
	"umask 077; cd \"$0\"\n"
	"key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
	"ca() { openssl req -x509 $key -keyout $1.key -out $1.crt -subj /CN=$1 -days 9; }\n"
	"sign() { # CA NAME SUBJECT DAYS EXTENSIONS\n"
	"	openssl req -new $key -keyout $2.key -out $2.csr -subj \"$3\"\n"
	"	printf '%b' \"$5\" >$2.ext\n"
	"	openssl x509 -req -in $2.csr -CA $1.crt -CAkey $1.key -set_serial 7 -days $4 "
	"-extfile $2.ext -out $2.crt\n"
	"}\n"
	"client='extendedKeyUsage=clientAuth'\n"
	"{ ca ca; ca other\n"
	"sign ca server /CN=n1 5 'extendedKeyUsage=serverAuth\\nsubjectAltName=IP:127.0.0.1'\n"
	"sign ca admin /O=system:masters/CN=admin 5 $client\n"
	"sign ca node /O=system:nodes/CN=system:node:n2 5 $client\n"
	"sign ca user /O=team/CN=system:masters 5 $client\n"
	"sign ca expired /O=system:masters/CN=admin -1 $client\n"
	"sign other foreign /O=system:masters/CN=admin 5 $client\n"
	"cp admin.key x.key; cat foreign.crt admin.crt >chain.crt; cp foreign.key chain.key\n"
	"} >log 2>&1\n";

struct world {
	char folder[64];
	int fd;
	struct text crt, key, ca;
	struct endpoint *endpoint;
	char url[64];
};

static bool describe(void *data, struct text *out)
{
	(void)data;
	text_add(out, "{\"name\":\"n1\"}");
	return true;
}

static bool describe_nothing(void *data, struct text *out)
{
	(void)data;
	text_add(out, "not yet");
	return false;
}

static const struct endpoint_page pages[] = {
	{ "/v1/status", true, describe },
	{ "/v1/audit", false, describe },
	{ "/v1/later", true, describe_nothing },
};

static void read_file(struct world *w, const char *name, struct text *out)
{
	struct fault why = { 0 };

	if (fs_read(w->fd, name, 1 << 20, out, &why) < 0)
		fail_msg("%s", why.text);
}

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const char *const argv[] = { "bash", "-ec", make_certificates, w ? w->folder : "", NULL };
	const struct run what = { .argv = argv, .timeout_ms = 60000 };
	struct endpoint_options options = { .address = "127.0.0.1",
					    .pages = pages,
					    .n_pages = COUNT(pages) };
	struct fault why = { 0 };

	assert_non_null(w);
	signal(SIGPIPE, SIG_IGN);
	snprintf(w->folder, sizeof(w->folder), "/tmp/test_endpoint.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	w->fd = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->fd >= 0);
	if (run(&what, &why) < 0)
		fail_msg("%s", why.text);
	read_file(w, "server.crt", &w->crt);
	read_file(w, "server.key", &w->key);
	read_file(w, "ca.crt", &w->ca);
	options.crt = text_str(&w->crt);
	options.key = text_str(&w->key);
	options.ca = text_str(&w->ca);
	if (endpoint_start(&options, &w->endpoint, &why) < 0)
		fail_msg("%s", why.text);
	snprintf(w->url, sizeof(w->url), "https://127.0.0.1:%u", endpoint_port(w->endpoint));
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	const char *const argv[] = { "rm", "-rf", w->folder, NULL };
	const struct run what = { .argv = argv };
	struct fault why = { 0 };

	endpoint_stop(w->endpoint);
	drop_fd(&w->fd);
	text_done(&w->crt);
	text_done(&w->key);
	text_done(&w->ca);
	(void)!run(&what, &why);
	free(w);
	return 0;
}

/* "STATUS BODY" of one request; "000 " when there was no answer. who NULL: without a certificate.
 */
static void ask(struct world *w, const char *who, const char *const *more, const char *path,
		struct text *out)
{
	char ca[96], crt[96], key[96], url[128];
	const char *argv[32] = { "curl", "-s",	     "--max-time", "20",	  "--cacert",
				 ca,	 "--output", "-",	   "--write-out", " %{http_code}" };
	const struct run what = { .argv = argv, .out = out, .timeout_ms = 30000 };
	struct fault why = { 0 };
	size_t n = 10;

	snprintf(ca, sizeof(ca), "%s/ca.crt", w->folder);
	snprintf(crt, sizeof(crt), "%s/%s.crt", w->folder, who ? who : "");
	snprintf(key, sizeof(key), "%s/%s.key", w->folder, who ? who : "");
	snprintf(url, sizeof(url), "%s%s", w->url, path);
	if (who) {
		argv[n++] = "--cert";
		argv[n++] = crt;
		argv[n++] = "--key";
		argv[n++] = key;
	}
	for (; more && *more; more++)
		argv[n++] = *more;
	argv[n] = url;
	/* That curl fails is an answer, too. */
	(void)!run(&what, &why);
}

static void assert_answer(struct world *w, const char *who, const char *const *more,
			  const char *path, const char *want)
{
	struct text out = { 0 };

	ask(w, who, more, path, &out);
	if (!strstr(text_str(&out), want))
		fail_msg("%s as %s: '%s', not '%s'", path, who ? who : "nobody", text_str(&out),
			 want);
	text_done(&out);
}

static void test_administrators_and_nodes_are_shown_the_status(void **s)
{
	assert_answer(*s, "admin", NULL, "/v1/status", "{\"name\":\"n1\"}\n 200");
	assert_answer(*s, "node", NULL, "/v1/status", "{\"name\":\"n1\"}\n 200");
}

static void test_a_page_may_be_for_administrators_alone(void **s)
{
	assert_answer(*s, "admin", NULL, "/v1/audit", "{\"name\":\"n1\"}\n 200");
	assert_answer(*s, "node", NULL, "/v1/audit", "of this cluster only\"}\n 403");
	assert_answer(*s, "admin", NULL, "/v1/later", "{\"error\":\"not yet\"}\n 404");
}

static void test_all_others_are_shown_nothing(void **s)
{
	static const struct {
		const char *who, *want;
	} cases[] = {
		{ NULL, " 401" },   { "expired", " 401" }, { "foreign", " 401" },
		{ "user", " 403" }, { "server", " 401" },  { "chain", " 401" },
	};

	CASES (c, cases) {
		struct text out = { 0 };

		ask(*s, c->who, NULL, "/v1/status", &out);
		/* Some versions of curl see their certificate refused before the answer. */
		if (strstr(text_str(&out), "n1") ||
		    (!strstr(text_str(&out), c->want) && !strstr(text_str(&out), " 000")))
			fail_msg("%s: %s", c->who ? c->who : "nobody", text_str(&out));
		text_done(&out);
	}
}

static void test_there_is_one_path_and_one_method(void **s)
{
	static const char *const post[] = { "-d", "x=1", NULL };
	static const char *const put[] = { "-X", "PUT", "-d", "{}", NULL };
	static const char *const del[] = { "-X", "DELETE", NULL };
	static const char *const head[] = { "-I", NULL };

	assert_answer(*s, "admin", NULL, "/", " 404");
	assert_answer(*s, "admin", NULL, "/v1/status/", " 404");
	assert_answer(*s, "admin", NULL, "/v1/../v1/status/..%2f", " 404");
	assert_answer(*s, "admin", NULL, "/v1/retry", " 404");
	assert_answer(*s, "admin", post, "/v1/status", " 405");
	assert_answer(*s, "admin", put, "/v1/status", " 405");
	assert_answer(*s, "admin", del, "/v1/status", " 405");
	assert_answer(*s, "admin", head, "/v1/status", " 405");
	assert_answer(*s, NULL, post, "/v1/status", " 401");
}

static void test_a_huge_header_is_refused(void **s)
{
	static char line[40000];
	const char *const more[] = { "-H", line, NULL };
	struct text out = { 0 };

	memset(line, 'x', sizeof(line) - 1);
	memcpy(line, "X-Long: ", 8);
	ask(*s, "admin", more, "/v1/status", &out);
	assert_null(strstr(text_str(&out), "n1"));
	assert_true(strstr(text_str(&out), " 431") || strstr(text_str(&out), " 413") ||
		    strstr(text_str(&out), " 000"));
	text_done(&out);
	assert_answer(*s, "admin", NULL, "/v1/status", " 200");
}

static void test_plain_http_and_old_tls_get_no_answer(void **s)
{
	static const char *const old[] = { "--tls-max", "1.1", NULL };
	struct world *w = *s;
	struct text out = { 0 };
	char url[64];

	ask(w, "admin", old, "/v1/status", &out);
	assert_string_equal(text_str(&out), " 000");
	text_done(&out);
	memcpy(url, w->url, sizeof(url));
	snprintf(w->url, sizeof(w->url), "http%s", url + strlen("https"));
	ask(w, NULL, NULL, "/v1/status", &out);
	assert_string_equal(text_str(&out), " 000");
	memcpy(w->url, url, sizeof(url));
	text_done(&out);
}

static int connect_from(const struct world *w, const char *from)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct sockaddr_in own = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	inet_pton(AF_INET, from, &own.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	at.sin_port = htons((uint16_t)endpoint_port(w->endpoint));
	inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void test_two_hundred_silent_connections_shut_nobody_out(void **s)
{
	int fds[200];

	CASES (fd, fds) {
		*fd = connect_from(*s, "127.0.0.2");
	}
	assert_answer(*s, "admin", NULL, "/v1/status", " 200");
	CASES (fd, fds) {
		close(*fd);
	}
	assert_answer(*s, "admin", NULL, "/v1/status", " 200");
}

static time_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* The begin of a TLS record that claims to be long, and then a byte a second. */
static void test_who_sends_a_byte_now_and_then_is_ended(void **s)
{
	int fd = connect_from(*s, "127.0.0.3");
	struct pollfd p = { .fd = fd, .events = POLLIN };
	time_t begin_s = now_s();
	char c;

	assert_int_equal(send(fd, "\x16\x03\x01\x3f\xff", 5, MSG_NOSIGNAL), 5);
	while (now_s() - begin_s < 40) {
		if (poll(&p, 1, 1000) > 0 && recv(fd, &c, 1, MSG_DONTWAIT) <= 0)
			break;
		if (send(fd, "x", 1, MSG_NOSIGNAL) < 0)
			break;
	}
	assert_true(now_s() - begin_s < 20);
	close(fd);
	assert_answer(*s, "admin", NULL, "/v1/status", " 200");
}

/* A header line a second over real TLS never comes to an end; the connection does. */
static void test_a_request_that_never_ends_is_ended(void **s)
{
	static const char trickle[] =
		"cd \"$0\"; { printf 'GET /v1/status HTTP/1.1\\r\\nHost: n1\\r\\n'; "
		"for i in {1..60}; do printf 'X-%d: y\\r\\n' $i || break; sleep 1; done; } "
		"2>/dev/null | "
		"openssl s_client -quiet -connect \"$1\" -CAfile ca.crt -cert admin.crt "
		"-key admin.key >/dev/null 2>&1";
	const struct world *w = *s;
	const char *const argv[] = {
		"timeout", "40", "bash", "-c", trickle, w->folder, w->url + strlen("https://"), NULL
	};
	const struct run what = { .argv = argv };
	struct fault why = { 0 };
	time_t begin_s = now_s();

	(void)!run(&what, &why);
	assert_true(now_s() - begin_s < 30);
}

static void test_what_cannot_be_used_is_a_fault(void **s)
{
	struct world *w = *s;
	struct endpoint_options options = { .address = "127.0.0.1",
					    .crt = "no certificate",
					    .key = text_str(&w->key),
					    .ca = text_str(&w->ca),
					    .pages = pages,
					    .n_pages = COUNT(pages) };
	struct endpoint *none = NULL;
	struct fault why = { 0 };

	assert_true(endpoint_start(&options, &none, &why) < 0);
	options.crt = text_str(&w->crt);
	options.address = "nowhere";
	assert_int_equal(endpoint_start(&options, &none, &why), -EINVAL);
	options.address = "127.0.0.1";
	options.port = endpoint_port(w->endpoint);
	assert_int_equal(endpoint_start(&options, &none, &why), -EADDRINUSE);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_administrators_and_nodes_are_shown_the_status),
		cmocka_unit_test(test_a_page_may_be_for_administrators_alone),
		cmocka_unit_test(test_all_others_are_shown_nothing),
		cmocka_unit_test(test_there_is_one_path_and_one_method),
		cmocka_unit_test(test_a_huge_header_is_refused),
		cmocka_unit_test(test_plain_http_and_old_tls_get_no_answer),
		cmocka_unit_test(test_two_hundred_silent_connections_shut_nobody_out),
		cmocka_unit_test(test_who_sends_a_byte_now_and_then_is_ended),
		cmocka_unit_test(test_a_request_that_never_ends_is_ended),
		cmocka_unit_test(test_what_cannot_be_used_is_a_fault),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
