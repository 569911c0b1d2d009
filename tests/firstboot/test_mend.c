/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include <time.h>

#include "cluster/pki.h"
#include "firstboot/mend.h"
#include "firstboot/node.h"

/* What kubelet keeps, and a power cut leaves in pieces: it would end over each of these, for ever.
 */

#define PKI "var/lib/kubelet/pki/"

struct lab {
	struct tree tree;
	struct model_node self;
	struct node node;
	struct text crt, key; /* a pair */
};

static void lab_make(struct lab *lab)
{
	struct model m = { .name = (char *)(uintptr_t) "lab" };
	struct text report = { 0 };
	struct fault why = { 0 };

	*lab = (struct lab){ 0 };
	tree_make(&lab->tree);
	if (pki_create(&m, lab->tree.fd, time(NULL), &report, &why) < 0)
		fail_msg("%s", why.text);
	text_done(&report);
	assert_int_equal(fs_read(lab->tree.fd, "pki/ca.crt", 1 << 20, &lab->crt, &why), 0);
	assert_int_equal(fs_read(lab->tree.fd, "pki/ca.key", 1 << 20, &lab->key, &why), 0);
	lab->self.roles = MODEL_WORKER;
	lab->node.self = &lab->self;
	lab->node.root = lab->tree.fd;
}

static void lab_done(struct lab *lab)
{
	text_done(&lab->crt);
	text_wipe(&lab->key);
	tree_done(&lab->tree);
}

static bool sweep(struct lab *lab)
{
	struct mend_found found;
	struct fault why = { 0 };

	if (mend_sweep(&lab->node, time(NULL), &found, &why) < 0)
		fail_msg("%s", why.text);
	assert_false(found.over_soon || found.certificates);
	return found.changed;
}

static bool is_there(const struct lab *lab, const char *path)
{
	return faccessat(lab->tree.fd, path, F_OK, 0) == 0;
}

static void test_what_kubelet_serves_with_is_whole_or_gone(void **s)
{
	struct text half = { 0 }, chain = { 0 }, both = { 0 };
	struct lab lab;

	(void)s;
	lab_make(&lab);
	assert_false(sweep(&lab)); /* it has none yet */
	text_add_n(&half, text_str(&lab.crt), lab.crt.len / 2);
	text_addf(&chain, "%s%s", text_str(&lab.crt), text_str(&lab.crt));
	text_addf(&both, "%s%s", text_str(&lab.crt), text_str(&lab.key));
	const struct {
		const char *crt, *key;
		bool stays;
	} cases[] = {
		{ text_str(&lab.crt), text_str(&lab.key), true },
		{ text_str(&chain), text_str(&lab.key), true }, /* as kubelet makes it */
		{ "", "", false },
		{ text_str(&lab.crt), "", false },
		{ "", text_str(&lab.key), false },
		{ text_str(&half), text_str(&lab.key), false },
		{ text_str(&lab.crt), NULL, false },
	};

	CASES (c, cases) {
		tree_put(&lab.tree, PKI "kubelet.crt", c->crt);
		if (c->key)
			tree_put(&lab.tree, PKI "kubelet.key", c->key);
		assert_int_equal(sweep(&lab), !c->stays);
		assert_int_equal(is_there(&lab, PKI "kubelet.crt"), c->stays);
		assert_int_equal(is_there(&lab, PKI "kubelet.key"), c->stays);
		assert_false(sweep(&lab));
	}
	tree_put(&lab.tree, PKI "kubelet-server-current.pem", text_str(&both));
	assert_false(sweep(&lab));
	tree_put(&lab.tree, PKI "kubelet-server-current.pem", text_str(&lab.crt));
	assert_true(sweep(&lab));
	assert_false(is_there(&lab, PKI "kubelet-server-current.pem"));
	text_done(&half);
	text_done(&chain);
	text_wipe(&both);
	lab_done(&lab);
}

static void test_checkpoints_that_cannot_be_read_are_set_aside(void **s)
{
	static const char *const names[] = { "cpu_manager_state",
					     "memory_manager_state",
					     "dra_manager_state",
					     "pod_status_manager_state",
					     "allocated_pods_state",
					     "actuated_pods_state",
					     "device-plugins/kubelet_internal_checkpoint" };
	static const char *const broken[] = { "", "{\"policyName\":\"no", "\1\2" };
	struct lab lab;

	(void)s;
	lab_make(&lab);
	CASES (name, names) {
		char path[96], aside[112];

		snprintf(path, sizeof(path), "var/lib/kubelet/%s", *name);
		snprintf(aside, sizeof(aside), "%s.damaged", path);
		tree_put(&lab.tree, path, "{\"policyName\":\"none\",\"checksum\":1353318690}");
		assert_false(sweep(&lab));
		CASES (b, broken) {
			tree_put(&lab.tree, path, *b);
			assert_true(sweep(&lab));
			assert_false(is_there(&lab, path));
			assert_true(is_there(&lab, aside));
		}
	}
	lab_done(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_kubelet_serves_with_is_whole_or_gone),
		cmocka_unit_test(test_checkpoints_that_cannot_be_read_are_set_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
