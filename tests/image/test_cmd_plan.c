/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_plan.h"

#include <unistd.h>

#include "base/macros.h"
#include "base/yaml.h"
#include "image/command.h"

/* A folder of its own with the documents that the commands are given. */
struct folder {
	char path[32], file[64], old[64], out[64];
	int fd;
};

static void put(const struct folder *f, const char *name, const char *bytes)
{
	struct fault why = { 0 };

	assert_true(fs_write(f->fd, name, 0644, bytes, strlen(bytes), &why) >= 0);
}

static int setup(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "/tmp/test_cmd_plan.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
	snprintf(f->file, sizeof(f->file), "%s/cluster.yaml", f->path);
	snprintf(f->old, sizeof(f->old), "%s/old.yaml", f->path);
	snprintf(f->out, sizeof(f->out), "%s/out", f->path);
	put(f, "cluster.yaml", lab_document);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct folder *f = *state;
	struct fault why = { 0 };
	int r = fs_remove_tree(AT_FDCWD, f->path, &why);

	close(f->fd);
	free(f);
	return r < 0 ? r : 0;
}

/* Runs the command with its two outputs in files of the folder; their text comes back. */
static int run_plan(struct folder *f, const char *node, const char *old, bool json,
		    struct text *out, struct text *err)
{
	char *args[] = { (char *)(uintptr_t)node };
	struct invocation in = { .command = &cmd_plan,
				 .file = f->file,
				 .json = json,
				 .args = args,
				 .n_args = node != NULL,
				 .values = { old, old ? f->out : NULL } };
	struct fault why = { 0 };
	int saved[2] = { dup(1), dup(2) };
	int r, i;

	fflush(stdout);
	for (i = 0; i < 2; i++) {
		int fd = openat(f->fd, i ? "stderr" : "stdout", O_WRONLY | O_CREAT | O_TRUNC, 0644);

		assert_true(saved[i] >= 0 && fd >= 0);
		assert_true(dup2(fd, i + 1) >= 0);
		close(fd);
	}
	r = cmd_plan.run(&in, &why);
	fflush(stdout);
	for (i = 0; i < 2; i++) {
		dup2(saved[i], i + 1);
		close(saved[i]);
	}
	text_done(out);
	text_done(err);
	assert_int_equal(fs_read(f->fd, "stdout", 1 << 20, out, &(struct fault){ 0 }), 0);
	assert_int_equal(fs_read(f->fd, "stderr", 1 << 20, err, &(struct fault){ 0 }), 0);
	if (r < 0)
		text_add(err, why.text);
	return r;
}

static void test_what_is_assumed_is_said(void **state)
{
	struct folder *f = *state;
	struct text out = { 0 }, err = { 0 };

	assert_int_equal(run_plan(f, "w1", NULL, false, &out, &err), EXIT_DONE);
	assert_non_null(strstr(text_str(&err), "assuming Kubernetes 1.20.2, containerd 1.6, "
					       "k8s.gcr.io/pause:3.2"));
	assert_non_null(strstr(text_str(&out), "==== node w1\n\n== step hostname\n"));
	assert_null(strstr(text_str(&out), "==== node cp1"));
	text_done(&out);
	text_done(&err);
}

static void test_a_build_tells_what_is_true(void **state)
{
	struct folder *f = *state;
	struct text out = { 0 }, err = { 0 };

	put(f, "out/build.json",
	    "{\"kubernetes\": \"1.20.2\", \"containerd\": \"2.1.9\", "
	    "\"pause\": \"example/pause:1\", \"nodes\": {}}");
	assert_int_equal(run_plan(f, NULL, NULL, false, &out, &err), EXIT_DONE);
	assert_null(strstr(text_str(&err), "assuming"));
	assert_non_null(strstr(text_str(&out), "sandbox = \"example/pause:1\""));
	assert_non_null(strstr(text_str(&out), "==== node cp1"));
	assert_non_null(strstr(text_str(&out), "==== node w1"));
	/* One of another version says nothing about this document. */
	put(f, "out/build.json", "{\"kubernetes\": \"1.30.2\", \"containerd\": \"2.1.9\"}");
	assert_int_equal(run_plan(f, "w1", NULL, false, &out, &err), EXIT_DONE);
	assert_non_null(strstr(text_str(&err), "assuming Kubernetes 1.20.2"));
	put(f, "out/build.json", "{");
	assert_true(run_plan(f, "w1", NULL, false, &out, &err) < 0);
	assert_non_null(strstr(text_str(&err), "build.json: line "));
	text_done(&out);
	text_done(&err);
}

static void test_json_lists_the_nodes(void **state)
{
	struct folder *f = *state;
	struct text out = { 0 }, err = { 0 };
	struct yaml tree = { 0 };
	struct yaml_error error = { 0 };

	assert_int_equal(run_plan(f, NULL, NULL, true, &out, &err), EXIT_DONE);
	assert_int_equal(yaml_parse(text_str(&out), out.len, &tree, &error), 0);
	assert_int_equal(tree.n_items, 2);
	assert_string_equal(yaml_text(yaml_get(&tree.items[1], "node")), "w1");
	assert_true(yaml_get(&tree.items[1], "actions")->n_items > 10);
	yaml_done(&tree);
	text_done(&out);
	text_done(&err);
}

static void test_diff_tells_what_changes_and_for_whom(void **state)
{
	struct folder *f = *state;
	struct text old = { 0 }, out = { 0 }, err = { 0 };
	const char *at = strstr(lab_document, "w1:");

	put(f, "old.yaml", lab_document);
	assert_int_equal(run_plan(f, NULL, f->old, false, &out, &err), EXIT_DONE);
	assert_string_equal(text_str(&out), "no node changes\n");
	assert_int_equal(run_plan(f, NULL, f->old, true, &out, &err), EXIT_DONE);
	assert_string_equal(text_str(&out), "[]\n");

	/* Another name for the worker: one node goes, one comes, the other hears of it. */
	text_add_n(&old, lab_document, (size_t)(at - lab_document));
	text_add(&old, "w0");
	text_add(&old, at + 2);
	put(f, "old.yaml", text_str(&old));
	assert_int_equal(run_plan(f, NULL, f->old, false, &out, &err), EXIT_DONE);
	assert_non_null(strstr(text_str(&out), "    -192.168.10.101 w0\n"
					       "    +192.168.10.101 w1\n"));
	assert_non_null(
		strstr(text_str(&out), "==== node w0\n\nremoved file /etc/hostname 0644\n"));
	assert_non_null(strstr(text_str(&out), "==== node w1\n\nadded file /etc/hostname 0644\n"));
	assert_int_equal(run_plan(f, "cp1", f->old, false, &out, &err), EXIT_DONE);
	assert_null(strstr(text_str(&out), "==== node w"));
	text_done(&old);
	text_done(&out);
	text_done(&err);
}

static void test_what_cannot_be_planned_is_refused(void **state)
{
	struct folder *f = *state;
	struct text out = { 0 }, err = { 0 };

	assert_true(run_plan(f, "nobody", NULL, false, &out, &err) < 0);
	assert_non_null(strstr(text_str(&err), "no such node: 'nobody'"));
	assert_string_equal(text_str(&out), "");
	assert_true(run_plan(f, NULL, f->old, false, &out, &err) < 0);
	assert_string_equal(text_str(&out), "");
	put(f, "old.yaml", "apiVersion: rackseed/v1\n");
	assert_int_equal(run_plan(f, NULL, f->old, false, &out, &err), EXIT_BAD_FILE);
	put(f, "cluster.yaml", "[]\n");
	assert_int_equal(run_plan(f, NULL, NULL, false, &out, &err), EXIT_BAD_FILE);
	assert_string_equal(text_str(&out), "");
	text_done(&out);
	text_done(&err);
}

/* The document's own checks know little of netplan; its library knows all. */
static void test_what_netplan_refuses_is_no_plan(void **state)
{
	struct folder *f = *state;
	struct text document = { 0 }, out = { 0 }, err = { 0 };

	text_add(&document, lab_document);
	text_add(&document, "    network: {ethernets: {nic0: {addresses: [192.168.10.101/24], "
			    "wakeonlan: perhaps}}}\n");
	put(f, "cluster.yaml", text_str(&document));
	assert_int_equal(run_plan(f, "w1", NULL, false, &out, &err), EXIT_BAD_FILE);
	assert_string_equal(text_str(&out), "");
	assert_non_null(strstr(text_str(&err), ": error: node 'w1': netplan: invalid boolean value "
					       "'perhaps'\n    network: {"));
	text_done(&document);
	text_done(&out);
	text_done(&err);
}

static void test_files_that_are_missing_or_open_are_errors(void **state)
{
	static const char images[] = "images: [./app.tar]\n";
	struct text out = { 0 }, err = { 0 }, document = { 0 };
	struct folder *f = *state;
	struct fault why = { 0 };

	text_add(&document, lab_document);
	text_add(&document, images);
	put(f, "cluster.yaml", text_str(&document));
	assert_int_equal(run_plan(f, "w1", NULL, false, &out, &err), EXIT_BAD_FILE);
	assert_non_null(strstr(text_str(&err), "error: ./app.tar is not there"));
	put(f, "app.tar", "");
	assert_int_equal(run_plan(f, "w1", NULL, false, &out, &err), EXIT_DONE);
	assert_true(fs_write(f->fd, "secrets/token", 0644, "x", 1, &why) >= 0);
	assert_int_equal(run_plan(f, "w1", NULL, false, &out, &err), EXIT_BAD_FILE);
	assert_non_null(strstr(text_str(&err), "error: secrets/token is open to other users"));
	text_done(&document);
	text_done(&out);
	text_done(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_assumed_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_that_are_missing_or_open_are_errors,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_build_tells_what_is_true, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json_lists_the_nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_diff_tells_what_changes_and_for_whom, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_planned_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_what_netplan_refuses_is_no_plan, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
