/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_pki.h"

#include <sys/socket.h>

/* The certificates of the status endpoints: for each node, from the cluster CA, made anew alone. */

static struct model_node nodes[] = {
	{ .name = (char[]){ "n1" }, .address = { AF_INET, { 192, 168, 10, 50 } } },
	{ .name = (char[]){ "store" }, .address = { AF_INET6, { 0xfd, 0, [15] = 7 } } },
};
static const struct model m = { .nodes = nodes, .n_nodes = COUNT(nodes) };

static void create(const struct folder *f, struct text *report)
{
	struct fault why = { 0 };

	text_done(report);
	if (pki_create(&m, f->secrets, (int64_t)time(NULL), report, &why) < 0)
		fail_msg("%s", why.text);
}

static void test_each_node_gets_one_for_its_name_and_address(void **state)
{
	static const struct {
		const char *name, *line;
	} cases[] = {
		{ "n1", "DNS:n1, IP Address:192.168.10.50" },
		{ "store", "DNS:store, IP Address:FD00:0:0:0:0:0:0:7" },
	};
	struct text report = { 0 }, shown = { 0 };
	struct folder f;

	(void)state;
	folder_open(&f);
	create(&f, &report);
	CASES (c, cases) {
		char crt[128], ca[128];
		const char *const show[] = {
			"openssl", "x509", "-in", crt, "-noout", "-text", NULL
		};
		const char *const verify[] = { "openssl",  "verify",	"-CAfile", ca,
					       "-purpose", "sslserver", crt,	   NULL };

		snprintf(crt, sizeof(crt), "%s/secrets/pki/status/%s.crt", f.path, c->name);
		snprintf(ca, sizeof(ca), "%s/secrets/pki/ca.crt", f.path);
		text_done(&shown);
		openssl(show, &shown);
		assert_non_null(strstr(text_str(&shown), c->line));
		assert_non_null(strstr(text_str(&shown), "TLS Web Server Authentication"));
		assert_null(strstr(text_str(&shown), "Client Authentication"));
		text_done(&shown);
		openssl(verify, &shown);
	}
	text_done(&shown);
	text_done(&report);
	folder_close(&f);
}

static void test_one_that_does_not_fit_any_more_is_made_anew(void **state)
{
	struct text report = { 0 }, before = { 0 }, after = { 0 }, ca = { 0 };
	struct folder f;

	(void)state;
	folder_open(&f);
	create(&f, &report);
	create(&f, &report);
	assert_string_equal(text_str(&report), "");
	folder_read(&f, "pki/status/store.crt", &before);
	nodes[0].address.bytes[3] = 51;
	create(&f, &report);
	assert_non_null(strstr(text_str(&report), "pki/status/n1.crt"));
	assert_null(strstr(text_str(&report), "store"));
	folder_read(&f, "pki/status/store.crt", &after);
	assert_string_equal(text_str(&before), text_str(&after));
	/* A half of it, and one that somebody put there: neither can be used. */
	assert_int_equal(unlinkat(f.secrets, "pki/status/store.key", 0), 0);
	folder_read(&f, "pki/ca.crt", &ca);
	folder_write(&f, "pki/status/n1.crt", text_str(&ca));
	create(&f, &report);
	assert_non_null(strstr(text_str(&report), "pki/status/n1.crt"));
	assert_non_null(strstr(text_str(&report), "pki/status/store.crt"));
	create(&f, &report);
	assert_string_equal(text_str(&report), "");
	text_done(&report);
	text_done(&before);
	text_done(&after);
	text_done(&ca);
	folder_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_node_gets_one_for_its_name_and_address),
		cmocka_unit_test(test_one_that_does_not_fit_any_more_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
