/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "cluster/peer.h"

static void test_an_answer_is_read(void **s)
{
	static const char json[] =
		"{\"name\":\"n1\",\"phase\":\"waiting\",\"step\":\"cluster\",\"steps\":["
		"{\"name\":\"seed\",\"state\":\"done\",\"reason\":\"as it must be\",\"since\":7},"
		"{\"name\":\"cluster\",\"state\":\"waiting\",\"reason\":\"for\\u001b[31m "
		"x\",\"since\":8},"
		"{\"state\":\"nameless\"}, 5, null],"
		"\"version\":\"0.1.0\",\"boot\":\"b\",\"uptime\":61,\"etcdData\":false,"
		"\"began\":\"the cluster began anew on 2026-11-26\"}";
	struct peer peer;
	struct fault why = { 0 };

	(void)s;
	assert_int_equal(peer_parse(json, strlen(json), &peer, &why), 0);
	assert_string_equal(peer.name, "n1");
	assert_string_equal(peer.phase, "waiting");
	assert_string_equal(peer.step, "cluster");
	assert_int_equal(peer.n_steps, 2);
	assert_string_equal(peer.steps[1].reason, "for?[31m x");
	assert_int_equal(peer.steps[0].since_usec, 7);
	assert_string_equal(peer.began, "the cluster began anew on 2026-11-26");
	assert_int_equal(peer.uptime_s, 61);
	assert_false(peer.has_etcd_data);
}

static void test_what_is_not_said_clearly_may_be_data(void **s)
{
	static const struct {
		const char *json;
		int outcome;
		bool has_etcd_data;
	} cases[] = {
		{ "{\"phase\":\"ready\",\"etcdData\":false}", 0, false },
		{ "{\"phase\":\"ready\",\"etcdData\":true}", 0, true },
		{ "{\"phase\":\"ready\"}", 0, true },
		{ "{\"phase\":\"ready\",\"etcdData\":null}", 0, true },
		{ "{\"phase\":\"ready\",\"etcdData\":{}}", 0, true },
		{ "{\"phase\":\"\"}", -EBADMSG, true },
		{ "[]", -EBADMSG, true },
		{ "{", -EBADMSG, true },
		{ "", -EBADMSG, true },
	};

	(void)s;
	CASES (c, cases) {
		struct peer peer = { 0 };
		struct fault why = { 0 };

		assert_int_equal(peer_parse(c->json, strlen(c->json), &peer, &why), c->outcome);
		if (c->outcome == 0)
			assert_int_equal(peer.has_etcd_data, c->has_etcd_data);
	}
}

static void test_more_steps_than_there_is_room_for_are_cut(void **s)
{
	struct text json = { 0 };
	struct peer peer;
	struct fault why = { 0 };
	int i;

	(void)s;
	text_add(&json, "{\"phase\":\"ready\",\"steps\":[{\"name\":\"x\"}");
	for (i = 0; i < 1000; i++)
		text_addf(&json, ",{\"name\":\"%0100d\"}", i);
	text_add(&json, "]}");
	assert_int_equal(peer_parse(text_str(&json), json.len, &peer, &why), 0);
	assert_int_equal(peer.n_steps, PEER_STEPS_MAX);
	assert_int_equal(strlen(peer.steps[1].name), sizeof(peer.steps[1].name) - 1);
	text_done(&json);
}

static void test_addresses_become_urls(void **s)
{
	struct net_ip ip;
	char buf[PEER_URL_LEN];

	(void)s;
	assert_int_equal(net_ip_parse("192.168.10.50", &ip), 0);
	assert_string_equal(peer_url(&ip, buf), "https://192.168.10.50:10270");
	assert_int_equal(net_ip_parse("fd00::1", &ip), 0);
	assert_string_equal(peer_url(&ip, buf), "https://[fd00::1]:10270");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_is_read),
		cmocka_unit_test(test_what_is_not_said_clearly_may_be_data),
		cmocka_unit_test(test_more_steps_than_there_is_room_for_are_cut),
		cmocka_unit_test(test_addresses_become_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
