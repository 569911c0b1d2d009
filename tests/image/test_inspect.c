/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <stdbool.h>

#include "image/inspect.h"

static struct inspection sample(void)
{
	struct inspection i = { .image = strdup("out/w1.qcow2"),
				.format = strdup("qcow2"),
				.bytes = 40LL << 30,
				.product = strdup("Debian GNU/Linux 12"),
				.kernel = strdup("6.1.0-56-amd64"),
				.facts = { "1.20.2", "1.6.20", "k8s.gcr.io/pause:3.2" },
				.cluster = strdup("lab"),
				.node = strdup("w1"),
				.roles = strdup("worker"),
				.address = strdup("192.168.10.101"),
				.seed = strdup("verified"),
				.seed_good = 1 };

	args_add(&i.packages, "adduser 3.134");
	args_add(&i.packages, "kubeadm 1.20.2-1.1");
	args_add(&i.secrets, "secrets/pki/ca.crt");
	args_add(&i.secrets, "secrets/token");
	return i;
}

static void test_shows_a_node_and_a_golden_disk(void **state)
{
	static const struct {
		void (*print)(const struct inspection *i, struct text *out);
		bool golden_disk;
		const char *golden;
	} cases[] = {
		{ inspection_print, false, "image/inspect-node" },
		{ inspection_json, false, "image/inspect-node.json" },
		{ inspection_print, true, "image/inspect-golden" },
		{ inspection_json, true, "image/inspect-golden.json" },
	};

	(void)state;
	CASES (c, cases) {
		struct inspection bare = { .image = (char *)(uintptr_t) "golden.raw",
					   .format = (char *)(uintptr_t) "raw",
					   .bytes = 2 << 20,
					   .seed = (char *)(uintptr_t) "none" };
		struct inspection node = sample();
		struct text out = { 0 };

		c->print(c->golden_disk ? &bare : &node, &out);
		assert_golden(c->golden, text_str(&out));
		text_done(&out);
		inspection_done(&node);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shows_a_node_and_a_golden_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
