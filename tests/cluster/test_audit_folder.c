/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "tests/image/scratch.h"

#include <errno.h>

#include "cluster/audit.h"
#include "cluster/seed.h"

/* The audit of a folder; the rules themselves are tested with the judge. */

static const struct audit_result *find(const struct audit *a, const char *number)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (strcmp(a->results[i].number, number) == 0)
			return &a->results[i];
	fail_msg("no result %s", number);
	return NULL;
}

static struct scratch root_make(void)
{
	struct scratch s = scratch_open();

	scratch_write(&s, "etc/passwd", 0644, "root:x:0:0::/root:/bin/sh\n");
	scratch_write(&s, "etc/shadow", 0640, "root:*:1::::::\n");
	scratch_write(&s, "usr/bin/sudo", 0755, "");
	scratch_write(&s, "usr/bin/odd", 0755, "");
	assert_int_equal(fchmodat(s.fd, "usr/bin/sudo", 04755, 0), 0);
	assert_int_equal(fchmodat(s.fd, "usr/bin/odd", 04755, 0), 0);
	return s;
}

static void test_a_folder_is_looked_through(void **state)
{
	struct scratch s = root_make();
	struct audit audit = { 0 };
	struct fault why = { 0 };

	(void)state;
	scratch_write(&s, "var/cache/open", 0600, "");
	assert_int_equal(fchmodat(s.fd, "var/cache/open", 0666, 0), 0);
	if (audit_folder(s.path, NULL, &audit, &why) < 0)
		fail_msg("%s", why.text);
	assert_string_equal(find(&audit, "R.8")->seen, "/var/cache/open");
	assert_string_equal(find(&audit, "R.9")->seen, "/usr/bin/odd");
	assert_int_equal(find(&audit, "R.4")->outcome, AUDIT_PASS);
	assert_int_equal(find(&audit, "R.16")->outcome, AUDIT_FAIL);
	audit_done(&audit);
	scratch_close(&s);
}

/* Else a link in a strange image would have the audit read this machine's own files. */
static void test_links_lead_nowhere_outside(void **state)
{
	struct scratch s = root_make();
	struct audit audit = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(unlinkat(s.fd, "etc/shadow", 0), 0);
	assert_int_equal(symlinkat("/../../../../../../etc/passwd", s.fd, "etc/shadow"), 0);
	assert_int_equal(audit_folder(s.path, NULL, &audit, &why), 0);
	/* It is the tree's own passwd that was read, whose word for a password is an x. */
	assert_string_equal(find(&audit, "R.4")->seen, "root has a password");
	audit_done(&audit);
	scratch_close(&s);
}

static void test_what_is_no_root_is_refused(void **state)
{
	struct scratch s = scratch_open();
	struct audit audit = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(audit_folder(s.path, NULL, &audit, &why), -ENOENT);
	assert_int_equal(audit_folder("/nonexistent", NULL, &audit, &why), -ENOENT);
	assert_non_null(strstr(why.text, "/nonexistent"));
	scratch_write(&s, "etc/passwd", 0644, "");
	assert_true(audit_folder(s.path, &(struct seed){ 0 }, &audit, &why) < 0);
	assert_non_null(strstr(why.text, "the seed holds no node"));
	scratch_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_folder_is_looked_through),
		cmocka_unit_test(test_links_lead_nowhere_outside),
		cmocka_unit_test(test_what_is_no_root_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
