/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include <errno.h>
#include <sys/stat.h>

#include "cluster/seed.h"
#include "firstboot/apply.h"
#include "registry/server.h"

#define S(text) ((char *)(uintptr_t)(text))

static struct plan_action actions[] = {
	{ PLAN_KERNEL, PLAN_FILE, 0644, S("/etc/modules-load.d/a.conf"), S("overlay\n"), NULL },
	{ PLAN_KERNEL, PLAN_FILE, 0600, S("/etc/sysctl.d/a.conf"), S("a = 1\n"), NULL },
	{ PLAN_SWAP, PLAN_LINK, 0, S("/etc/systemd/system/swap.target"), S("/dev/null"), NULL },
	{ PLAN_CLUSTER, PLAN_SECRET, 0600, S("/etc/kubernetes/pki/ca.key"), NULL, S("pki/ca.key") },
	{ PLAN_CLUSTER, PLAN_TEMPLATE, 0600, S("/etc/rackseed/kubeadm.yaml"),
	  S("token: " PLAN_PLACE "word:token" PLAN_PLACE "\n"), NULL },
	{ PLAN_REGISTRY, PLAN_HTPASSWD, 0600, S("/etc/rackseed/registry/5000.htpasswd"),
	  S("puller:registry\npusher:sub/push\n"), NULL },
	{ PLAN_CLUSTER, PLAN_ABSENT, 0, S("/etc/kubernetes/old.conf"), NULL, NULL },
	{ PLAN_OBJECTS, PLAN_OBJECT, 0, S("/api/v1/nodes/w1"), S("{}"), NULL },
};
static const struct plan plan = { .actions = actions, .n = sizeof(actions) / sizeof(*actions) };

static struct seed make_seed(void)
{
	struct seed seed = { 0 };
	struct fault why = { 0 };

	assert_int_equal(seed_add(&seed, "secrets/pki/ca.key", "KEY\n", 4, &why), 0);
	assert_int_equal(seed_add(&seed, "secrets/token", "abcdef.0123456789abcdef\n", 24, &why),
			 0);
	assert_int_equal(seed_add(&seed, "secrets/registry", "pass\n", 5, &why), 0);
	assert_int_equal(seed_add(&seed, "secrets/sub/push", "word", 4, &why), 0);
	return seed;
}

static void test_files_of_a_step_only(void **s)
{
	struct fault why = { 0 };
	struct seed seed = make_seed();
	struct stat st;
	struct tree t;

	(void)s;
	tree_make(&t);
	assert_int_equal(apply_step(t.fd, &plan, PLAN_KERNEL, &seed, &why), FS_CHANGED);
	assert_tree_file(&t, "etc/modules-load.d/a.conf", "overlay\n");
	assert_int_equal(fstatat(t.fd, "etc/sysctl.d/a.conf", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(fstatat(t.fd, "etc/kubernetes", &st, 0) < 0);
	assert_int_equal(apply_step(t.fd, &plan, PLAN_KERNEL, &seed, &why), FS_SAME);
	tree_done(&t);
	seed_done(&seed);
}

static void test_links_secrets_templates_and_absence(void **s)
{
	struct fault why = { 0 };
	struct seed seed = make_seed();
	char target[64] = "";
	struct stat st;
	struct tree t;

	(void)s;
	tree_make(&t);
	tree_put(&t, "etc/kubernetes/old.conf", "old");
	assert_int_equal(apply_step(t.fd, &plan, PLAN_SWAP, &seed, &why), FS_CHANGED);
	assert_true(readlinkat(t.fd, "etc/systemd/system/swap.target", target, 63) == 9);
	assert_string_equal(target, "/dev/null");
	assert_int_equal(apply_step(t.fd, &plan, PLAN_CLUSTER, &seed, &why), FS_CHANGED);
	assert_tree_file(&t, "etc/kubernetes/pki/ca.key", "KEY\n");
	assert_tree_file(&t, "etc/rackseed/kubeadm.yaml", "token: abcdef.0123456789abcdef\n");
	assert_true(fstatat(t.fd, "etc/kubernetes/old.conf", &st, 0) < 0);
	assert_int_equal(apply_step(t.fd, &plan, PLAN_CLUSTER, &seed, &why), FS_SAME);
	tree_done(&t);
	seed_done(&seed);
}

/* The file's two lines, and whether they let in who they shall. */
static void read_users(const struct tree *t, struct text *out)
{
	struct fault why = { 0 };

	text_done(out);
	assert_int_equal(fs_read(t->fd, "etc/rackseed/registry/5000.htpasswd", 4096, out, &why), 0);
	assert_true(registry_htpasswd_holds(text_str(out), "puller", "pass"));
	assert_true(registry_htpasswd_holds(text_str(out), "pusher", "word"));
}

static void test_users_are_written_when_they_differ_only(void **s)
{
	static const char path[] = "etc/rackseed/registry/5000.htpasswd";
	static const char stranger[] = "stranger:$2y$08$x\n";
	struct fault why = { 0 };
	struct seed seed = make_seed();
	struct text first = { 0 }, text = { 0 };
	struct stat st;
	struct tree t;

	(void)s;
	tree_make(&t);
	assert_int_equal(apply_step(t.fd, &plan, PLAN_REGISTRY, &seed, &why), FS_CHANGED);
	read_users(&t, &first);
	assert_int_equal(fstatat(t.fd, path, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* Salts would differ: the same bytes say that it was left alone. */
	assert_int_equal(apply_step(t.fd, &plan, PLAN_REGISTRY, &seed, &why), FS_SAME);
	read_users(&t, &text);
	assert_string_equal(text_str(&text), text_str(&first));
	/* One too many, and one damaged by a power cut. */
	text_add(&text, stranger);
	tree_put(&t, path, text_str(&text));
	assert_int_equal(apply_step(t.fd, &plan, PLAN_REGISTRY, &seed, &why), FS_CHANGED);
	read_users(&t, &text);
	assert_null(strstr(text_str(&text), "stranger"));
	tree_put(&t, path, "puller:$2y$08$");
	assert_int_equal(apply_step(t.fd, &plan, PLAN_REGISTRY, &seed, &why), FS_CHANGED);
	read_users(&t, &text);
	text_done(&first);
	text_done(&text);
	tree_done(&t);
	seed_done(&seed);
}

static void test_a_second_time_writes_nothing(void **s)
{
	static const char *const paths[] = { "etc/kubernetes/pki/ca.key", "etc/kubernetes/pki",
					     "etc/rackseed/kubeadm.yaml", "etc/rackseed" };
	struct stat before[4], after;
	struct fault why = { 0 };
	struct seed seed = make_seed();
	struct tree t;
	size_t i;

	(void)s;
	tree_make(&t);
	assert_int_equal(apply_step(t.fd, &plan, PLAN_CLUSTER, &seed, &why), FS_CHANGED);
	for (i = 0; i < 4; i++)
		assert_int_equal(fstatat(t.fd, paths[i], &before[i], 0), 0);
	assert_int_equal(apply_step(t.fd, &plan, PLAN_CLUSTER, &seed, &why), FS_SAME);
	for (i = 0; i < 4; i++) {
		assert_int_equal(fstatat(t.fd, paths[i], &after, 0), 0);
		assert_int_equal(after.st_ino, before[i].st_ino);
		assert_int_equal(after.st_ctim.tv_nsec, before[i].st_ctim.tv_nsec);
	}
	tree_done(&t);
	seed_done(&seed);
}

static void test_what_a_power_cut_emptied_is_written_again(void **s)
{
	struct fault why = { 0 };
	struct seed seed = make_seed();
	struct tree t;

	(void)s;
	tree_make(&t);
	tree_put(&t, "etc/kubernetes/pki/ca.key", "");
	assert_int_equal(apply_step(t.fd, &plan, PLAN_CLUSTER, &seed, &why), FS_CHANGED);
	assert_tree_file(&t, "etc/kubernetes/pki/ca.key", "KEY\n");
	tree_done(&t);
	seed_done(&seed);
}

static void test_a_secret_that_the_seed_lacks_is_named(void **s)
{
	struct fault why = { 0 };
	struct seed seed = { 0 };
	struct tree t;

	(void)s;
	tree_make(&t);
	assert_int_equal(apply_step(t.fd, &plan, PLAN_CLUSTER, &seed, &why), -ENOENT);
	assert_non_null(strstr(why.text, "/etc/kubernetes/pki/ca.key"));
	assert_non_null(strstr(why.text, "secrets/pki/ca.key"));
	tree_done(&t);
}

static void test_finds_what_a_step_wrote(void **s)
{
	(void)s;
	assert_ptr_equal(apply_find(&plan, PLAN_KERNEL, "/etc/sysctl.d/", ".conf", 0), &actions[1]);
	assert_ptr_equal(apply_find(&plan, PLAN_KERNEL, "/etc/", ".conf", 1), &actions[1]);
	assert_null(apply_find(&plan, PLAN_KERNEL, "/etc/", ".conf", 2));
	assert_null(apply_find(&plan, PLAN_KERNEL, "/etc/", ".nft", 0));
	assert_ptr_equal(apply_find(&plan, PLAN_CLUSTER, "", "kubeadm.yaml", 0), &actions[4]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_of_a_step_only),
		cmocka_unit_test(test_links_secrets_templates_and_absence),
		cmocka_unit_test(test_users_are_written_when_they_differ_only),
		cmocka_unit_test(test_a_second_time_writes_nothing),
		cmocka_unit_test(test_what_a_power_cut_emptied_is_written_again),
		cmocka_unit_test(test_a_secret_that_the_seed_lacks_is_named),
		cmocka_unit_test(test_finds_what_a_step_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
