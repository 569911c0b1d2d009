/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "cluster/decide_data.h"
#include "cluster/disk.h"
#include "cluster/model.h"

#define OURS "rackseed-0a1b2c3"

static void test_makes_a_file_system_only_where_nothing_is(void **state)
{
	static const struct {
		const char *signatures, *held;
		bool zeros, begun;
		enum decide_data verdict;
		const char *says;
	} cases[] = {
		{ "", "", true, false, DECIDE_DATA_MAKE, "" },
		{ "", "", false, true, DECIDE_DATA_MAKE, "" },
		{ "", "", false, false, DECIDE_DATA_REFUSE,
		  "has no signature, but something is written on it" },
		{ "0x438,u-u," OURS ",ext4\n", "", false, false, DECIDE_DATA_MOUNT, "" },
		{ "0x438,u-u," OURS ",ext4\n", "", false, true, DECIDE_DATA_MOUNT, "" },
		{ "0x438,u-u," DECIDE_DATA_MAKING ",ext4\n", "", false, false, DECIDE_DATA_MAKE,
		  "" },
		{ "0x438,u-u," DECIDE_DATA_MAKING ",ext4", "", false, true, DECIDE_DATA_MAKE, "" },
		{ "0x438,u-u,photos,ext4\n", "", false, false, DECIDE_DATA_REFUSE,
		  "holds ext4 'photos'" },
		/* What came onto it after we began is not ours. */
		{ "0x0,u-u,,xfs\n", "", false, true, DECIDE_DATA_REFUSE, "holds xfs" },
		{ "0x0,u-u," OURS ",xfs\n", "", false, false, DECIDE_DATA_REFUSE,
		  "holds xfs '" OURS "'" },
		{ "0x200,,,gpt\n0x1fe,,,PMBR\n", "", false, false, DECIDE_DATA_REFUSE,
		  "holds gpt, PMBR" },
		{ "0x200,,,gpt\n0x438,u," OURS ",ext4\n", "", false, false, DECIDE_DATA_REFUSE,
		  "holds gpt, ext4 '" OURS "' (another node's data; tune2fs -L " OURS
		  " gives it to this one)" },
		{ "0x438,u,a,b,ext4\n", "", false, false, DECIDE_DATA_REFUSE, "holds ext4 'a,b'" },
		{ "0x438,u," OURS ",x,ext4\n", "", false, false, DECIDE_DATA_REFUSE, NULL },
		{ "0x438,u,rackseed-fffffff,ext4\n", "", false, true, DECIDE_DATA_REFUSE,
		  "holds ext4 'rackseed-fffffff' (another node's data; tune2fs -L " OURS
		  " gives it to this one)" },
		{ "# offset,uuid,label,type\n0x438,u," OURS ",ext4\n", "", false, false,
		  DECIDE_DATA_MOUNT, "" },
		{ "nonsense\n", "", true, true, DECIDE_DATA_REFUSE, "holds nonsense" },
		{ ",\n", "", true, false, DECIDE_DATA_REFUSE, NULL },
		{ "", "partition sdb1", true, false, DECIDE_DATA_REFUSE,
		  "is in use (partition sdb1)" },
		{ "0x438,u," OURS ",ext4\n", "dm-0 on it", false, false, DECIDE_DATA_REFUSE,
		  "is in use (dm-0 on it)" },
	};

	(void)state;
	CASES (c, cases) {
		const struct data_facts facts = { c->signatures, c->held, c->zeros, c->begun };
		struct text out = { 0 };

		assert_int_equal(decide_data(&facts, OURS, &out), c->verdict);
		if (c->says)
			assert_string_equal(text_str(&out), c->says);
		else
			assert_true(out.len > 0);
		text_done(&out);
	}
}

static void test_a_label_belongs_to_one_node_of_one_cluster(void **state)
{
	char a[DECIDE_DATA_LABEL_LEN], b[DECIDE_DATA_LABEL_LEN];

	(void)state;
	decide_data_label("lab", "storage", a);
	assert_int_equal(strlen(a), 16); /* what ext4 has room for */
	assert_int_equal(strspn(a + 9, "0123456789abcdef"), 7);
	decide_data_label("lab", "storage", b);
	assert_string_equal(a, b);
	decide_data_label("lab", "storage2", b);
	assert_string_not_equal(a, b);
	decide_data_label("labs", "torage", b);
	assert_string_not_equal(a, b);
}

static void test_a_disk_is_meant_when_all_that_is_said_is_so(void **state)
{
	static const struct disk disk = { .serial = "S6Z1NX0T",
					  .wwn = "naa.5002538e40a0b0c0",
					  .size_bytes = 480103981056 };
	static const struct {
		struct model_disk want;
		bool meant;
	} cases[] = {
		{ { 0 }, false }, /* nothing said, nothing meant */
		{ { .serial = (char *)"s6z1nx0t" }, true },
		{ { .serial = (char *)"S6Z1NX0" }, false },
		{ { .wwn = (char *)"0x5002538E40A0B0C0" }, true },
		{ { .wwn = (char *)"0x5002538E40A0B0C1" }, false },
		{ { .size_bytes = 480000000000 }, true },
		{ { .size_bytes = 500000000000 }, false },
		{ { .serial = (char *)"S6Z1NX0T", .size_bytes = 500000000000 }, false },
	};

	(void)state;
	CASES (c, cases) {
		assert_int_equal(disk_is_meant(&disk, &c->want), c->meant);
	}
}

static void test_a_serial_number_fits_virtio(void **state)
{
	char serial[MODEL_DATA_SERIAL_LEN];

	(void)state;
	model_data_serial("storage", serial);
	assert_string_equal(serial, "storage-data");
	model_data_serial("a-node-with-a-long-name", serial);
	assert_string_equal(serial, "a-node-with-a-l-data");
	assert_int_equal(strlen(serial), 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_makes_a_file_system_only_where_nothing_is),
		cmocka_unit_test(test_a_label_belongs_to_one_node_of_one_cluster),
		cmocka_unit_test(test_a_disk_is_meant_when_all_that_is_said_is_so),
		cmocka_unit_test(test_a_serial_number_fits_virtio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
