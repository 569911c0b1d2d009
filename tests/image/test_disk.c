/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "base/run.h"
#include "image/disk.h"
#include "tests/image/scratch.h"

enum { ROOT = 4 << 20, SIZE = DISK_ROOT_OFFSET + ROOT + DISK_TAIL };

static const char key[] = "6c3e226b4d4795d518ab341b0824ec29";

static void make(const struct scratch *s, const char *name)
{
	struct disk_ids ids;
	struct fault why = { 0 };
	char path[256];

	scratch_file(s, name, SIZE);
	assert_int_equal(disk_ids(key, &ids, &why), 0);
	if (disk_partition(scratch_path(s, name, path), &ids, ROOT, &why) < 0)
		fail_msg("%s", why.text);
}

/* What an independent reader says of it, with the path left out. */
static void dump(const struct scratch *s, const char *name, struct text *out)
{
	const char *const argv[] = { "sfdisk", "--dump", name, NULL };
	const char *const verify[] = { "sfdisk", "--verify", name, NULL };
	struct text said = { 0 };
	struct fault why = { 0 };

	if (run(&(struct run){ .argv = argv, .out = out, .dir = s->path }, &why) < 0)
		fail_msg("%s", why.text);
	if (run(&(struct run){ .argv = verify, .out = &said, .dir = s->path }, &why) < 0)
		fail_msg("%s", why.text);
	if (!strstr(text_str(&said), "No errors detected"))
		fail_msg("%s", text_str(&said));
	text_done(&said);
}

static void test_the_table_is_what_the_design_says(void **state)
{
	struct scratch s = scratch_open();
	struct text out = { 0 };

	(void)state;
	make(&s, "disk");
	dump(&s, "disk", &out);
	assert_golden("image/table", text_str(&out));
	text_done(&out);
	scratch_close(&s);
}

static void test_the_same_key_gives_the_same_bytes(void **state)
{
	struct scratch s = scratch_open();
	struct text a, b;

	(void)state;
	make(&s, "a");
	make(&s, "b");
	a = scratch_read(&s, "a");
	b = scratch_read(&s, "b");
	assert_int_equal(a.len, SIZE);
	assert_memory_equal(a.data, b.data, SIZE);
	text_done(&a);
	text_done(&b);
	scratch_close(&s);
}

static void test_ids_differ_from_each_other_and_from_key_to_key(void **state)
{
	struct disk_ids a, b;
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(disk_ids(key, &a, &why), 0);
	assert_int_equal(disk_ids("other", &b, &why), 0);
	assert_string_not_equal(a.root, b.root);
	assert_string_not_equal(a.root, a.root_fs);
	assert_string_not_equal(a.esp, a.seed);
	assert_int_equal(strlen(a.root), 36);
}

static void test_a_longer_disk_has_its_second_table_at_its_end(void **state)
{
	struct scratch s = scratch_open();
	struct text short_dump = { 0 }, long_dump = { 0 };
	struct fault why = { 0 };
	char path[256];

	(void)state;
	make(&s, "disk");
	dump(&s, "disk", &short_dump);
	assert_int_equal(truncate(scratch_path(&s, "disk", path), 2L * SIZE), 0);
	if (disk_lengthen(path, &why) < 0)
		fail_msg("%s", why.text);
	dump(&s, "disk", &long_dump);
	/* Only the line with the last usable sector may differ. */
	assert_string_not_equal(text_str(&short_dump), text_str(&long_dump));
	assert_string_equal(strstr(text_str(&short_dump), "\n\n"),
			    strstr(text_str(&long_dump), "\n\n"));
	text_done(&short_dump);
	text_done(&long_dump);
	scratch_close(&s);
}

static void test_the_table_alone_is_that_of_the_lengthened_disk(void **state)
{
	struct scratch s = scratch_open();
	struct text head = { 0 }, tail = { 0 }, whole;
	struct fault why = { 0 };
	char path[256];

	(void)state;
	make(&s, "disk");
	scratch_path(&s, "disk", path);
	if (disk_table(path, 2L * SIZE, &head, &tail, &why) < 0)
		fail_msg("%s", why.text);
	assert_int_equal(truncate(path, 2L * SIZE), 0);
	assert_int_equal(disk_lengthen(path, &why), 0);
	whole = scratch_read(&s, "disk");
	assert_int_equal(head.len, DISK_HEAD);
	assert_int_equal(tail.len, DISK_BACKUP);
	assert_memory_equal(whole.data, head.data, DISK_HEAD);
	assert_memory_equal(whole.data + 2L * SIZE - DISK_BACKUP, tail.data, DISK_BACKUP);
	text_done(&head);
	text_done(&tail);
	text_done(&whole);
	scratch_close(&s);
}

static void test_a_partition_more_makes_it_another_disk(void **state)
{
	static const struct disk_added more = { .disk = "11111111-1111-8111-A111-111111111111",
						.root = "22222222-2222-8222-A222-222222222222",
						.part = "33333333-3333-8333-A333-333333333333",
						.offset = SIZE - DISK_TAIL,
						.size = 4 << 20 };
	struct scratch s = scratch_open();
	struct text out = { 0 };
	struct fault why = { 0 };
	char path[256];

	(void)state;
	make(&s, "disk");
	assert_int_equal(truncate(scratch_path(&s, "disk", path), SIZE + (4 << 20)), 0);
	if (disk_add(path, &more, &why) < 0)
		fail_msg("%s", why.text);
	dump(&s, "disk", &out);
	assert_golden("image/table-stick", text_str(&out));
	text_done(&out);
	scratch_close(&s);
}

static void test_a_file_without_a_table_is_refused(void **state)
{
	struct scratch s = scratch_open();
	struct fault why = { 0 };
	char path[256];

	(void)state;
	scratch_file(&s, "disk", 1 << 20);
	assert_true(disk_lengthen(scratch_path(&s, "disk", path), &why) < 0);
	assert_non_null(strstr(why.text, "partition table of '"));
	scratch_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table_is_what_the_design_says),
		cmocka_unit_test(test_the_same_key_gives_the_same_bytes),
		cmocka_unit_test(test_ids_differ_from_each_other_and_from_key_to_key),
		cmocka_unit_test(test_a_longer_disk_has_its_second_table_at_its_end),
		cmocka_unit_test(test_the_table_alone_is_that_of_the_lengthened_disk),
		cmocka_unit_test(test_a_partition_more_makes_it_another_disk),
		cmocka_unit_test(test_a_file_without_a_table_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
