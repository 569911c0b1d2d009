/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_api.h"

#include "cluster/api.h"

#define OK(length) "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " length \
		   "\r\n\r\n"

static struct api client(const struct lab *lab, const char *url)
{
	return (struct api){ .server = url, .ca = text_str(&lab->ca), .timeout_ms = 20000 };
}

static const struct {
	const char *name;
	struct server_answer answer;
	int timeout_ms;
	int result; /* HTTP status, or negative */
	const char *says; /* the body, or a part of the fault */
} answers[] = {
	{ "good", { .text = OK("5") "hello" }, 0, 200, "hello" },
	{ "empty", { .text = "HTTP/1.1 204 No Content\r\n\r\n" }, 0, 204, "" },
	{ "chunked",
	  { .text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n" }, 0, 200, "hello" },
	{ "chunked with a trailer",
	  { .text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n" }, 0, 200, "hello" },
	{ "100 first", { .text = "HTTP/1.1 100 Continue\r\n\r\n" OK("5") "hello" }, 0, 200,
	  "hello" },
	{ "100 and then nothing",
	  { .text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", .hang_up = true }, 0,
	  -ECONNRESET, "broke off in its head" },
	{ "redirect is not followed",
	  { .text = "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\n"
		    "Content-Length: 0\r\n\r\n" }, 0, 302, "" },
	{ "403",
	  { .text = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}" }, 0, 403, "{}" },
	{ "500", { .text = "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}" }, 0, 500, "{}" },
	{ "half an answer", { .text = OK("100") "0123456789", .hang_up = true }, 0, -ECONNRESET,
	  "broke off" },
	{ "half a head", { .text = "HTTP/1.1 200 OK\r\nConte", .hang_up = true }, 0, -ECONNRESET,
	  "broke off in its head" },
	{ "no answer but the end", { .silent = true, .hang_up = true }, 0, -ECONNRESET, "clo" },
	{ "silence", { .silent = true }, 500, -ETIMEDOUT, "no answer within 0.5 s" },
	{ "slow drip", { .text = OK("9") "123456789", .drip_ms = 40 }, 1000, -ETIMEDOUT,
	  "answer within 1 s" },
	{ "slow body", { .text = OK("9") "12" }, 700, -ETIMEDOUT, "no whole answer within 0.7 s" },
	{ "100 MiB, announced", { .text = OK("104857600"), .fill = 1000 }, 0, -EFBIG,
	  "larger than 64 MiB" },
	{ "100 MiB, not announced",
	  { .text = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", .fill = 100 << 20 }, 60000,
	  -EFBIG, "larger than 64 MiB" },
	{ "another protocol", { .text = "220 mail.example ESMTP\r\n" }, 0, -EPROTO, "not HTTP" },
};

static void test_every_answer_is_told_for_what_it_is(void **state)
{
	const struct lab *lab = *state;

	CASES(c, answers)
	{
		struct text out = { 0 };
		struct fault why = { 0 };
		struct server s;
		struct api api;
		int64_t began;
		int r;

		server_start(&s, lab->dir, "good", false, &c->answer, 1);
		api = client(lab, s.url);
		api.timeout_ms = c->timeout_ms ? c->timeout_ms : api.timeout_ms;
		text_add(&out, "before");
		began = now_ms();
		r = api_call(&api, "GET", "/", NULL, &out, &why);
		if (r != c->result || !strstr(r > 0 ? text_str(&out) : why.text, c->says))
			fail_msg("%s: got %d, '%.100s', '%s'", c->name, r, text_str(&out),
				 why.text);
		assert_true(now_ms() - began < api.timeout_ms + 2000);
		if (r > 0)
			assert_string_equal(text_str(&out) + 6, c->says);
		else
			assert_string_equal(text_str(&out), "before");
		if (r < 0)
			assert_int_equal(strncmp(why.text, s.url, strlen(s.url)), 0);
		server_stop(&s);
		text_done(&out);
		text_done(&s.requests);
	}
}

static const struct {
	const char *server;
	bool other_ca;
	int code;
	const char *says;
} trusts[] = {
	{ "good", true, -EKEYREJECTED, "its certificate is not from the cluster's CA" },
	{ "elsewhere", false, -EADDRNOTAVAIL, "its certificate is for another name or address" },
	{ "old", false, -EKEYEXPIRED, "its certificate expired" },
	{ "early", false, -EKEYEXPIRED, "its certificate is not valid yet" },
};

static void test_servers_that_are_not_the_clusters_are_refused(void **state)
{
	static const struct server_answer answer = { .text = OK("5") "hello" };
	const struct lab *lab = *state;

	CASES(c, trusts)
	{
		struct text out = { 0 };
		struct fault why = { 0 };
		struct server s;
		struct api api;

		server_start(&s, lab->dir, c->server, false, &answer, 1);
		api = client(lab, s.url);
		api.token = "must-not-be-sent";
		if (c->other_ca)
			api.ca = text_str(&lab->other_ca);
		if (api_call(&api, "GET", "/", NULL, &out, &why) != c->code ||
		    !strstr(why.text, c->says))
			fail_msg("%s: %d '%s'", c->server, why.code, why.text);
		server_stop(&s);
		assert_int_equal(out.len, 0);
		assert_int_equal(s.requests.len, 0);
		text_done(&s.requests);
	}
}

/* A CA of the system is none of the cluster's: with SSL_CERT_DIR, OpenSSL itself would trust it. */
static void test_the_systems_authorities_count_for_nothing(void **state)
{
	static const struct server_answer answer = { .text = OK("5") "hello" };
	const struct lab *lab = *state;
	struct text out = { 0 };
	struct fault why = { 0 };
	char file[128];
	struct server s;
	struct api api;

	snprintf(file, sizeof(file), "%s/ca.crt", lab->dir);
	setenv("SSL_CERT_FILE", file, 1);
	setenv("CURL_CA_BUNDLE", file, 1);
	server_start(&s, lab->dir, "good", false, &answer, 1);
	api = client(lab, s.url);
	api.ca = text_str(&lab->other_ca);
	assert_int_equal(api_call(&api, "GET", "/", NULL, &out, &why), -EKEYREJECTED);
	unsetenv("SSL_CERT_FILE");
	unsetenv("CURL_CA_BUNDLE");
	server_stop(&s);
	text_done(&s.requests);
}

static void test_no_proxy_is_ever_asked(void **state)
{
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy" };
	static const struct server_answer answer = { .text = OK("5") "hello" };
	const struct lab *lab = *state;
	struct text out = { 0 };
	struct fault why = { 0 };
	struct server s;
	struct api api;

	CASES(name, names)
	setenv(*name, "http://127.0.0.1:1", 1);
	server_start(&s, lab->dir, "good", false, &answer, 1);
	api = client(lab, s.url);
	assert_int_equal(api_call(&api, "GET", "/", NULL, &out, &why), 200);
	CASES(name, names)
	unsetenv(*name);
	server_stop(&s);
	text_done(&s.requests);
	text_done(&out);
}

static void test_nobody_listens(void **state)
{
	struct text out = { 0 };
	struct fault why = { 0 };
	unsigned port;
	char url[64];
	struct api api;
	int fd = server_socket(&port); /* bound, so that nobody else takes it; not listening */

	snprintf(url, sizeof(url), "https://127.0.0.1:%u", port);
	api = client(*state, url);
	assert_int_equal(api_call(&api, "GET", "/", NULL, &out, &why), -ECONNREFUSED);
	assert_non_null(strstr(why.text, ": connection refused"));
	close(fd);
}

static void test_a_black_hole_ends_at_the_time_limit(void **state)
{
	struct text out = { 0 };
	struct fault why = { 0 };
	unsigned port;
	char url[64];
	struct api api;
	int64_t began = now_ms();
	int fd = server_socket(&port);

	assert_int_equal(listen(fd, 4), 0); /* and never accepts */
	snprintf(url, sizeof(url), "https://127.0.0.1:%u", port);
	api = client(*state, url);
	api.timeout_ms = 300;
	assert_int_equal(api_call(&api, "GET", "/", NULL, &out, &why), -ETIMEDOUT);
	assert_non_null(strstr(why.text, ": no answer within 0.3 s"));
	assert_true(now_ms() - began < 2000);
	close(fd);
}

static void *plain_main(void *data)
{
	static const char words[] = "HTTP/1.0 400 Bad Request\r\n\r\nthis is plain HTTP\r\n";
	int fd = accept(*(int *)data, NULL, NULL);

	(void)!write(fd, words, sizeof(words) - 1);
	close(fd);
	return NULL;
}

static void test_a_server_without_tls_is_told(void **state)
{
	struct text out = { 0 };
	struct fault why = { 0 };
	pthread_t thread;
	unsigned port;
	char url[64];
	struct api api;
	int fd = server_socket(&port);

	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(pthread_create(&thread, NULL, plain_main, &fd), 0);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u", port);
	api = client(*state, url);
	assert_int_equal(api_call(&api, "GET", "/", NULL, &out, &why), -EPROTO);
	assert_non_null(strstr(why.text, ": no TLS connection"));
	pthread_join(thread, NULL);
	close(fd);
}

/* A label of more than 63 characters is no name that a resolver would send anywhere. */
static void test_an_unknown_name_is_told(void **state)
{
	struct text out = { 0 };
	struct fault why = { 0 };
	char url[128] = "https://";
	struct api api;

	memset(url + 8, 'a', 70);
	snprintf(url + 78, sizeof(url) - 78, ":6443");
	api = client(*state, url);
	assert_int_equal(api_call(&api, "GET", "/", NULL, &out, &why), -ENXIO);
	assert_non_null(strstr(why.text, "unknown name"));
}

/* s_server has one connection at a time: while one is kept, another client waits in vain. */
static void test_a_connection_is_kept_until_it_is_closed(void **state)
{
	static const struct server_answer thrice[] = {
		{ .text = OK("5") "first" },
		{ .text = OK("6") "second" },
		{ .text = OK("5") "third" },
	};
	const struct lab *lab = *state;
	struct text out = { 0 };
	struct fault why = { 0 };
	struct server s;
	struct api api, other;

	server_start(&s, lab->dir, "good", false, thrice, COUNT(thrice));
	api = other = client(lab, s.url);
	other.timeout_ms = 300;
	assert_int_equal(api_keep(&api, &why), 0);
	assert_int_equal(api_call(&api, "PATCH", "/", "{\"a\":1}", &out, &why), 200);
	assert_int_equal(api_call(&other, "GET", "/", NULL, &out, &why), -ETIMEDOUT);
	assert_int_equal(api_call(&api, "GET", "/", NULL, &out, &why), 200);
	assert_null(strstr(strstr(text_str(&s.requests), "GET"), "Content-"));
	api_close(&api);
	assert_int_equal(api_call(&api, "GET", "/", NULL, &out, &why), 200);
	assert_string_equal(text_str(&out), "firstsecondthird");

	assert_int_equal(api_keep(&api, &why), 0);
	server_stop(&s);
	assert_int_equal(api_call(&api, "GET", "/", NULL, &out, &why), -ECONNREFUSED);
	api_close(&api);
	api_close(&api); /* twice is once */
	text_done(&s.requests);
	text_done(&out);
}

static const struct {
	const char *server, *method, *path;
	bool no_ca;
} wrong[] = {
	{ "http://127.0.0.1:1", "GET", "/", false },
	{ "127.0.0.1:1", "GET", "/", false },
	{ "https://127.0.0.1:1", "TRACE", "/", false },
	{ "https://127.0.0.1:1", "GET", "readyz", false },
	{ "https://127.0.0.1:1", "GET", "/", true },
	{ NULL, "GET", "/", false },
};

static void test_calls_that_could_not_be_safe_are_not_made(void **state)
{
	CASES(c, wrong)
	{
		struct api api = client(*state, c->server);
		struct text out = { 0 };
		struct fault why = { 0 };

		api.ca = c->no_ca ? NULL : api.ca;
		assert_int_equal(api_call(&api, c->method, c->path, NULL, &out, &why), -EINVAL);
	}
}

static const struct {
	const char *method, *body, *type;
} requests[] = {
	{ "GET", NULL, NULL },
	{ "PUT", "{\"a\":1}", "Content-Type: application/json\r\n" },
	{ "POST", "{\"a\":1}", "Content-Type: application/json\r\n" },
	{ "PATCH", "{\"a\":1}", "Content-Type: application/apply-patch+yaml\r\n" },
	{ "DELETE", NULL, NULL },
};

static void test_the_server_sees_what_was_asked(void **state)
{
	static const char path[] = "/apis/x?fieldManager=rackseed&force=true";
	static const struct server_answer answer = { .text = OK("2") "{}" };
	const struct lab *lab = *state;

	CASES(c, requests)
	{
		struct text out = { 0 };
		struct fault why = { 0 };
		struct server s;
		struct api api;
		char first[128];

		server_start(&s, lab->dir, "good", false, &answer, 1);
		api = client(lab, s.url);
		api.token = "abc.def";
		assert_int_equal(api_call(&api, c->method, path, c->body, &out, &why), 200);
		server_stop(&s);
		snprintf(first, sizeof(first), "%s %s HTTP/1.1\r\n", c->method, path);
		assert_int_equal(strncmp(text_str(&s.requests), first, strlen(first)), 0);
		assert_non_null(strstr(text_str(&s.requests), "Authorization: Bearer abc.def\r\n"));
		assert_null(strstr(text_str(&s.requests), "Expect"));
		if (c->type)
			assert_non_null(strstr(text_str(&s.requests), c->type));
		if (c->body)
			assert_non_null(strstr(text_str(&s.requests), "\r\n\r\n{\"a\":1}"));
		text_done(&s.requests);
		text_done(&out);
	}
}

static void test_the_admin_certificate_is_shown_to_the_server(void **state)
{
	static const struct server_answer answer = { .text = OK("2") "{}" };
	const struct lab *lab = *state;
	bool with;

	for (with = true;; with = false) {
		struct text out = { 0 };
		struct fault why = { 0 };
		struct server s;
		struct api api;
		int r;

		server_start(&s, lab->dir, "good", true, &answer, 1);
		api = client(lab, s.url);
		api.crt = with ? text_str(&lab->crt) : NULL;
		api.key = with ? text_str(&lab->key) : NULL;
		r = api_call(&api, "GET", "/", NULL, &out, &why);
		if (with ? r != 200 : r >= 0)
			fail_msg("%s certificate: %d '%s'", with ? "with" : "without", r, why.text);
		server_stop(&s);
		text_done(&s.requests);
		text_done(&out);
		if (!with)
			break;
	}
}

static void test_certificates_that_cannot_be_used_are_told(void **state)
{
	const struct lab *lab = *state;
	struct api api = client(lab, "https://127.0.0.1:1");
	struct text out = { 0 };
	struct fault why = { 0 };

	api.ca = "not PEM";
	assert_int_equal(api_call(&api, "GET", "/", NULL, &out, &why), -ECONNREFUSED);
	{
		static const struct server_answer answer = { .text = OK("2") "{}" };
		struct server s;

		server_start(&s, lab->dir, "good", false, &answer, 1);
		api.server = s.url;
		assert_int_equal(api_call(&api, "GET", "/", NULL, &out, &why), -EINVAL);
		assert_non_null(strstr(why.text, "the CA given is no certificate"));
		api.ca = text_str(&lab->ca);
		api.crt = "not PEM";
		api.key = "not PEM";
		assert_int_equal(api_call(&api, "GET", "/", NULL, &out, &why), -EINVAL);
		assert_non_null(strstr(why.text, "client certificate and key"));
		server_stop(&s);
		text_done(&s.requests);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_answer_is_told_for_what_it_is),
		cmocka_unit_test(test_servers_that_are_not_the_clusters_are_refused),
		cmocka_unit_test(test_the_systems_authorities_count_for_nothing),
		cmocka_unit_test(test_no_proxy_is_ever_asked),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_a_black_hole_ends_at_the_time_limit),
		cmocka_unit_test(test_a_server_without_tls_is_told),
		cmocka_unit_test(test_an_unknown_name_is_told),
		cmocka_unit_test(test_a_connection_is_kept_until_it_is_closed),
		cmocka_unit_test(test_calls_that_could_not_be_safe_are_not_made),
		cmocka_unit_test(test_the_server_sees_what_was_asked),
		cmocka_unit_test(test_the_admin_certificate_is_shown_to_the_server),
		cmocka_unit_test(test_certificates_that_cannot_be_used_are_told),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
