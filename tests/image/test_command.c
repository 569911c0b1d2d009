/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/yaml.h"
#include "image/command.h"

/* What a command says of a file that cannot be read as one. */

/* Runs it with stdout in *out. */
static int run(const struct command *command, const char *path, bool json, struct text *out,
	       struct fault *why)
{
	struct invocation in = { .command = command, .file = path, .json = json };
	FILE *file = tmpfile();
	int saved = dup(STDOUT_FILENO);
	char buf[4096];
	size_t n;
	int r;

	assert_true(file && saved >= 0);
	fflush(stdout);
	assert_int_equal(dup2(fileno(file), STDOUT_FILENO), STDOUT_FILENO);
	r = command->run(&in, why);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	while ((n = fread(buf, 1, sizeof(buf), file)) > 0)
		text_add_n(out, buf, n);
	fclose(file);
	return r;
}

static void test_a_folder_is_a_wrong_file(void **state)
{
	static const char *const paths[] = { "/", "tests", "/tmp/" };

	(void)state;
	CASES (path, paths) {
		scoped(text_done) struct text out = { 0 }, none = { 0 };
		scoped(yaml_done) struct yaml y = { 0 };
		struct yaml_error error = { 0 };
		struct fault why = { 0 };

		assert_int_equal(run(&cmd_check, *path, true, &out, &why), EXIT_BAD_FILE);
		assert_int_equal(yaml_parse(text_str(&out), out.len, &y, &error), 0);
		assert_int_equal(y.n_items, 1);
		assert_string_equal(yaml_text(yaml_get(&y.items[0], "code")), "not-file");
		assert_string_equal(yaml_text(yaml_get(&y.items[0], "file")), *path);
		assert_string_equal(yaml_text(yaml_get(&y.items[0], "line")), "1");
		assert_string_equal(yaml_text(yaml_get(&y.items[0], "column")), "1");
		assert_int_equal(run(&cmd_kubeconfig, *path, false, &none, &why), EXIT_BAD_FILE);
		assert_string_equal(text_str(&none), "");
	}
}

static void test_a_file_that_is_not_there_can_be_made(void **state)
{
	static const struct command *const commands[] = { &cmd_check, &cmd_plan, &cmd_status };

	(void)state;
	CASES (command, commands) {
		scoped(text_done) struct text out = { 0 };
		struct fault why = { 0 };

		assert_int_equal(run(*command, "/nowhere/lab.yaml", true, &out, &why), -ENOENT);
		assert_string_equal(why.text, "/nowhere/lab.yaml is not there: `rackseed init` "
					      "writes one to begin with");
		assert_string_equal(text_str(&out), "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_folder_is_a_wrong_file),
		cmocka_unit_test(test_a_file_that_is_not_there_can_be_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
