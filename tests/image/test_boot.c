/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "image/boot.h"
#include "image/disk.h"

static void test_links_the_two_parts_of_grub(void **state)
{
	uint8_t code[512] = { [510] = 0x55, [511] = 0xaa };
	uint8_t core[4 * 512 + 100] = { 0 };
	static const uint8_t entry[12] = { 0x01, 0x08, 0x02, 0, 0, 0, 0, 0, 4, 0, 0x20, 0x08 };
	static const uint8_t sector[8] = { 0x00, 0x08, 0x02 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(boot_link(code, sizeof(code), core, sizeof(core), 0x20800, &why), 0);
	assert_memory_equal(code + 0x5c, sector, sizeof(sector));
	assert_int_equal(code[0x66], 0x90);
	assert_int_equal(code[0x67], 0x90);
	assert_memory_equal(core + 500, entry, sizeof(entry));
}

static void test_refuses_what_is_no_grub(void **state)
{
	static uint8_t large[DISK_BIOS_SIZE + 1];
	uint8_t code[512] = { [510] = 0x55, [511] = 0xaa };
	uint8_t zeros[512] = { 0 };
	uint8_t core[1024] = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(boot_link(zeros, 512, core, sizeof(core), 1, &why), -EBADMSG);
	assert_int_equal(boot_link(code, 511, core, sizeof(core), 1, &why), -EBADMSG);
	assert_int_equal(boot_link(code, 512, core, 512, 1, &why), -EBADMSG);
	assert_int_equal(boot_link(code, 512, large, sizeof(large), 1, &why), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links_the_two_parts_of_grub),
		cmocka_unit_test(test_refuses_what_is_no_grub),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
