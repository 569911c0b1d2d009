/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include <sys/stat.h>

#include "cluster/plan.h"
#include "firstboot/stray.h"
#include "registry/registry.h"

#define S(text) ((char *)(uintptr_t)(text))
#define CERTS "etc/containerd/certs.d/"

static struct plan_action actions[] = {
	{ PLAN_CONTAINERD, PLAN_FILE, 0644, S("/" CERTS "a:5000/hosts.toml"), S(""), NULL },
	{ PLAN_CONTAINERD, PLAN_SECRET, 0644, S("/" CERTS "a:5000/ca.crt"), NULL, S("a") },
};
static const struct plan plan = { .actions = actions, .n = sizeof(actions) / sizeof(*actions) };

static bool is_there(const struct tree *t, const char *path)
{
	struct stat st;

	return fstatat(t->fd, path, &st, 0) == 0;
}

static void test_what_the_file_has_no_more_goes(void **s)
{
	struct fault why = { 0 };
	struct tree t;

	(void)s;
	tree_make(&t);
	tree_put(&t, CERTS "a:5000/hosts.toml",
		 REGISTRY_HOSTS_HEAD "server = \"https://a:5000\"\n");
	tree_put(&t, CERTS "a:5000/ca.crt", "CA");
	tree_put(&t, CERTS "a:5000/client.key", "KEY");
	tree_put(&t, CERTS "b/hosts.toml", REGISTRY_HOSTS_HEAD);
	tree_put(&t, CERTS "b/client.key", "KEY");
	tree_put(&t, CERTS "c/hosts.toml", REGISTRY_HOSTS_HEAD);
	tree_put(&t, CERTS "c/note", "a person's");
	assert_int_equal(stray_registries(t.fd, &plan, &why), FS_CHANGED);
	assert_true(is_there(&t, CERTS "a:5000/hosts.toml") && is_there(&t, CERTS "a:5000/ca.crt"));
	assert_false(is_there(&t, CERTS "a:5000/client.key"));
	assert_false(is_there(&t, CERTS "b"));
	assert_false(is_there(&t, CERTS "c/hosts.toml"));
	assert_true(is_there(&t, CERTS "c/note"));
	assert_int_equal(stray_registries(t.fd, &plan, &why), FS_SAME);
	tree_done(&t);
}

static void test_what_somebody_else_wrote_stays(void **s)
{
	struct fault why = { 0 };
	struct tree t;

	(void)s;
	tree_make(&t);
	assert_int_equal(stray_registries(t.fd, &plan, &why), FS_SAME);
	tree_put(&t, CERTS "d/hosts.toml", "server = \"https://d\"\n");
	tree_put(&t, CERTS "d/ca.crt", "CA");
	tree_put(&t, CERTS "e/client.key", "KEY");
	tree_put(&t, CERTS "f", REGISTRY_HOSTS_HEAD);
	assert_int_equal(stray_registries(t.fd, &plan, &why), FS_SAME);
	assert_true(is_there(&t, CERTS "d/hosts.toml") && is_there(&t, CERTS "d/ca.crt"));
	assert_true(is_there(&t, CERTS "e/client.key") && is_there(&t, CERTS "f"));
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_the_file_has_no_more_goes),
		cmocka_unit_test(test_what_somebody_else_wrote_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
