/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_api.h"

#include "cluster/api.h"

#define HEAD(status, length) "HTTP/1.1 " status "\r\nContent-Length: " length "\r\n\r\n"

/* ---- Status objects ---- */

static const struct {
	int status;
	const char *body;
	int code;
	const char *text;
} faults[] = {
	{ 403,
	  "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
	  "\"message\":\"nodes is forbidden: User \\\"system:anonymous\\\" cannot list resource\","
	  "\"reason\":\"Forbidden\",\"details\":{\"kind\":\"nodes\"},\"code\":403}",
	  EPERM, "the API server said 403: nodes is forbidden: User \"system:anonymous\" cannot "
		 "list resource" },
	{ 401, "{\"message\":\"Unauthorized\",\"code\":401}", EACCES,
	  "the API server said 401: Unauthorized" },
	{ 404, "404 page not found\n", ENOENT, "the API server said 404: 404 page not found " },
	{ 404, "{\"message\":\"nodes \\\"w1\\\" not found\"}", ENOENT,
	  "the API server said 404: nodes \"w1\" not found" },
	{ 409, "{}", EEXIST, "the API server said 409" },
	{ 410, "{\"message\":\"gone\"}", ESTALE, "the API server said 410: gone" },
	{ 429, "", EAGAIN, "the API server said 429" },
	{ 500, "{\"message\": 5", EREMOTEIO, "the API server said 500" },
	{ 500, "{\"message\": {\"a\": 1}}", EREMOTEIO, "the API server said 500" },
	{ 502, "<html>bad gateway</html>", EREMOTEIO, "the API server said 502" },
	{ 503, "{\"message\":\"\\u001b[31mred\\n\"}", EAGAIN,
	  "the API server said 503:  [31mred " },
};

static void test_status_objects_become_sentences(void **state)
{
	(void)state;
	CASES(c, faults)
	{
		struct fault why = { 0 };

		assert_int_equal(api_fault(c->status, c->body, &why), -c->code);
		assert_string_equal(why.text, c->text);
	}
}

/* ---- lists of nodes ---- */

#define CONDITION(status, reason) \
	"{\"type\":\"MemoryPressure\",\"status\":\"False\",\"reason\":\"Fine\"}," \
	"{\"type\":\"Ready\",\"status\":\"" status "\",\"reason\":\"" reason "\"," \
	"\"message\":\"why \\u00e9\\/\"}"
#define NODE(name, conditions) \
	"{\"metadata\":{\"name\":\"" name "\",\"uid\":\"1\",\"managedFields\":[{\"fieldsV1\":" \
	"{\"f:status\":{\"k:{\\\"type\\\":\\\"Ready\\\"}\":{\".\":{}}}}}]}," \
	"\"spec\":{\"podCIDR\":\"10.244.1.0/24\"},\"status\":{\"addresses\":[" \
	"{\"type\":\"Hostname\",\"address\":\"" name "\"}," \
	"{\"type\":\"InternalIP\",\"address\":\"192.168.10.50\"}]," \
	"\"conditions\":[" conditions "],\"nodeInfo\":{\"kubeletVersion\":\"v1.20.2\"}}}"
#define LIST(metadata, items) \
	"{\"kind\":\"NodeList\",\"apiVersion\":\"v1\",\"metadata\":{" metadata "},\"items\":[" \
	items "]}\n"

static const struct {
	const char *json;
	const char *shown; /* "name version address reason" of each; NULL: refused */
	const char *says; /* or the next page */
} lists[] = {
	{ LIST("\"resourceVersion\":\"1\"", ""), "", "" },
	{ "{\"items\":null}", "", "" },
	{ LIST("", NODE("master", CONDITION("True", "KubeletReady"))),
	  "master v1.20.2 192.168.10.50 -\n", "" },
	{ LIST("", NODE("w1", CONDITION("False", "KubeletNotReady")) ","
		   NODE("w2", CONDITION("Unknown", "NodeStatusUnknown"))),
	  "w1 v1.20.2 192.168.10.50 KubeletNotReady: why \303\251/\n"
	  "w2 v1.20.2 192.168.10.50 NodeStatusUnknown: why \303\251/\n", "" },
	{ LIST("", NODE("new", "")),
	  "new v1.20.2 192.168.10.50 its kubelet has not reported yet\n", "" },
	{ LIST("", NODE("odd", "{\"type\":\"Ready\"}")),
	  "odd v1.20.2 192.168.10.50 no reason given\n", "" },
	{ "{\"items\":[{\"metadata\":{\"name\":\"bare\"}}]}",
	  "bare - - its kubelet has not reported yet\n", "" },
	{ LIST("\"continue\":\"tok/en=\"", ""), "", "tok/en=" },
	{ "", NULL, "not JSON" },
	{ "hello", NULL, "no list of nodes" },
	{ "{\"items\":", NULL, "not JSON" },
	{ "{\"items\":{}}", NULL, "no list of nodes" },
	{ "[]", NULL, "no list of nodes" },
	{ "{\"items\":[{}]}", NULL, "a node without a name" },
	{ "{\"items\":[1]}", NULL, "a node without a name" },
	{ "{\"items\":[{\"metadata\":{\"name\":[]}}]}", NULL, "a node without a name" },
};

static void show(const struct api_node *nodes, unsigned long n, struct text *out)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		assert_int_equal(nodes[i].ready, nodes[i].reason == NULL);
		text_addf(out, "%s %s %s %s\n", nodes[i].name,
			  nodes[i].version ? nodes[i].version : "-",
			  nodes[i].address ? nodes[i].address : "-",
			  nodes[i].reason ? nodes[i].reason : "-");
	}
}

static void test_lists_of_nodes_are_read(void **state)
{
	(void)state;
	CASES(c, lists)
	{
		struct api_node *nodes = NULL;
		struct text next = { 0 }, shown = { 0 };
		struct fault why = { 0 };
		unsigned long n = 0;
		int r = api_nodes_parse(c->json, strlen(c->json), &nodes, &n, &next, &why);

		if ((r == 0) != (c->shown != NULL))
			fail_msg("%s: %d '%s'", c->json, r, why.text);
		if (r == 0) {
			show(nodes, n, &shown);
			assert_string_equal(text_str(&shown), c->shown);
			assert_string_equal(text_str(&next), c->says);
		} else if (!strstr(why.text, c->says)) {
			fail_msg("%s: '%s'", c->json, why.text);
		}
		api_nodes_free(nodes, n);
		text_done(&next);
		text_done(&shown);
	}
}

/* ---- against the server ---- */

static struct api client(const struct lab *lab, const struct server *s)
{
	return (struct api){ .server = s->url, .ca = text_str(&lab->ca), .timeout_ms = 20000 };
}

static void with_head(const char *status, const char *body, struct text *out)
{
	text_addf(out, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body), body);
}

static void test_nodes_come_page_by_page(void **state)
{
	const struct lab *lab = *state;
	struct text pages[2] = { 0 }, shown = { 0 };
	struct server_answer answers[2] = { 0 };
	struct fault why = { 0 };
	struct api_node *nodes;
	unsigned long n;
	struct server s;
	struct api api;

	with_head("200 OK", LIST("\"continue\":\"a=/b\"",
				 NODE("w1", CONDITION("True", "KubeletReady"))), &pages[0]);
	with_head("200 OK", LIST("\"continue\":\"\"",
				 NODE("w2", CONDITION("True", "KubeletReady"))), &pages[1]);
	answers[0].text = text_str(&pages[0]);
	answers[1].text = text_str(&pages[1]);
	server_start(&s, lab->dir, "good", false, answers, 2);
	api = client(lab, &s);
	if (api_nodes(&api, &nodes, &n, &why) < 0)
		fail_msg("%s", why.text);
	server_stop(&s);
	show(nodes, n, &shown);
	assert_string_equal(text_str(&shown), "w1 v1.20.2 192.168.10.50 -\n"
					      "w2 v1.20.2 192.168.10.50 -\n");
	assert_non_null(strstr(text_str(&s.requests), "GET /api/v1/nodes?limit=500 HTTP/1.1\r\n"));
	assert_non_null(strstr(text_str(&s.requests), "?limit=500&continue=a%3D%2Fb HTTP/1.1\r\n"));
	api_nodes_free(nodes, n);
	text_done(&pages[0]);
	text_done(&pages[1]);
	text_done(&shown);
	text_done(&s.requests);
}

static void test_a_refused_list_says_why(void **state)
{
	static const struct server_answer answer = {
		.text = HEAD("403 Forbidden", "25") "{\"message\":\"not for you\"}",
	};
	const struct lab *lab = *state;
	struct fault why = { 0 };
	struct api_node *nodes;
	unsigned long n;
	struct server s;
	struct api api;

	server_start(&s, lab->dir, "good", false, &answer, 1);
	api = client(lab, &s);
	assert_int_equal(api_nodes(&api, &nodes, &n, &why), -EPERM);
	assert_non_null(strstr(why.text, "the API server said 403: not for you"));
	assert_int_equal(strncmp(why.text, s.url, strlen(s.url)), 0);
	server_stop(&s);
	text_done(&s.requests);
}

static const struct {
	struct server_answer answers[2];
	size_t n;
	int code;
	const char *says;
} readies[] = {
	{ { { .text = HEAD("200 OK", "2") "ok" } }, 1, 0, "" },
	{ { { .text = HEAD("404 Not Found", "0") }, { .text = HEAD("200 OK", "2") "ok" } }, 2, 0,
	  "" },
	{ { { .text = HEAD("404 Not Found", "0") }, { .text = HEAD("404 Not Found", "0") } }, 2,
	  -ENOENT, "said 404" },
	{ { { .text = HEAD("500 Internal Server Error", "89")
		      "[+]ping ok\n[-]etcd failed: reason withheld\n"
		      "[-]poststarthook/rbac failed: reason withheld\n" } }, 1,
	  -EAGAIN, "not ready yet: etcd, poststarthook/rbac" },
	{ { { .text = HEAD("401 Unauthorized", "26") "{\"message\":\"Unauthorized\"}" } }, 1,
	  -EACCES, "said 401: Unauthorized" },
	{ { { .text = HEAD("200 OK", "2") "o", .hang_up = true } }, 1, -ECONNRESET, "broke off" },
};

static void test_readiness_is_asked_as_versions_allow(void **state)
{
	const struct lab *lab = *state;

	CASES(c, readies)
	{
		struct fault why = { 0 };
		struct server s;
		struct api api;

		server_start(&s, lab->dir, "good", false, c->answers, c->n);
		api = client(lab, &s);
		if (api_ready(&api, &why) != c->code || !strstr(why.text, c->code ? c->says : ""))
			fail_msg("wanted '%s', got %d '%s'", c->says, why.code, why.text);
		server_stop(&s);
		assert_int_equal(strncmp(text_str(&s.requests), "GET /readyz ", 12), 0);
		assert_int_equal(strstr(text_str(&s.requests), "GET /healthz ") != NULL, c->n == 2);
		text_done(&s.requests);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_objects_become_sentences),
		cmocka_unit_test(test_lists_of_nodes_are_read),
		cmocka_unit_test(test_nodes_come_page_by_page),
		cmocka_unit_test(test_a_refused_list_says_why),
		cmocka_unit_test(test_readiness_is_asked_as_versions_allow),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
