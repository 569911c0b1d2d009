/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "cluster/model.h"
#include "image/boot.h"
#include "image/disk.h"
#include "image/release.h"
#include "image/render.h"
#include "tests/image/scratch.h"

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

#define SHIM "root/usr/lib/shim/"
#define GRUB "root/usr/lib/grub/x86_64-efi-signed/"

struct esp {
	struct scratch s;
	char disk[256], root[256];
};

static void set_up(struct esp *t)
{
	static const char *const folders[] = { SHIM, GRUB, "root/etc/alternatives" };
	struct fault why = { 0 };
	size_t i;

	t->s = scratch_open();
	scratch_path(&t->s, "disk", t->disk);
	scratch_path(&t->s, "root", t->root);
	scratch_file(&t->s, "disk", DISK_BIOS_OFFSET);
	for (i = 0; i < COUNT(folders); i++)
		assert_true(fs_mkdirs(t->s.fd, folders[i], 0755, &why) >= 0);
	scratch_write(&t->s, GRUB "grubx64.efi.signed", 0644, "the GRUB");
}

static int make(const struct esp *t, enum model_distribution distribution, const char *name,
		struct fault *why)
{
	const struct render texts = { .distribution = "x", .root_uuid = "y", .root_number = 4 };
	struct boot b = { .disk = t->disk, .root = t->root, .texts = &texts, .serial = 1 };

	assert_int_equal(release_find(distribution, name, &b.release, why), 0);
	return boot_efi(&b, why);
}

static void assert_holds(const struct esp *t, const char *path, const char *part)
{
	scoped(text_done) struct text image = { 0 };
	scoped(text_done) struct text out = { 0 };
	const char *argv[] = { "mtype", "-i", NULL, path, NULL };
	struct fault why = { 0 };

	text_addf(&image, "%s@@%d", t->disk, DISK_ESP_OFFSET);
	argv[2] = text_str(&image);
	if (run(&(struct run){ .argv = argv, .out = &out }, &why) < 0)
		fail_msg("%s: %s", path, why.text);
	assert_non_null(strstr(text_str(&out), part));
}

static void test_takes_debians_boot_files(void **state)
{
	struct fault why = { 0 };
	struct esp t;

	(void)state;
	set_up(&t);
	scratch_write(&t.s, SHIM "shimx64.efi.signed", 0644, "the shim");
	scratch_write(&t.s, SHIM "mmx64.efi.signed", 0644, "signed keys");
	scratch_write(&t.s, SHIM "mmx64.efi", 0644, "bare keys");
	if (make(&t, MODEL_DEBIAN, "trixie", &why) < 0)
		fail_msg("%s", why.text);
	assert_holds(&t, "::EFI/BOOT/BOOTX64.EFI", "the shim");
	assert_holds(&t, "::EFI/BOOT/mmx64.efi", "signed keys");
	assert_holds(&t, "::EFI/BOOT/grubx64.efi", "the GRUB");
	assert_holds(&t, "::EFI/debian/grub.cfg", "configfile $prefix/grub.cfg");
	scratch_close(&t.s);
}

/* There shim is an alternative, an absolute link, and the key manager's name has no ending. */
static void test_takes_ubuntus_boot_files(void **state)
{
	struct fault why = { 0 };
	struct esp t;

	(void)state;
	set_up(&t);
	scratch_write(&t.s, SHIM "shimx64.efi.signed.latest", 0644, "the shim");
	assert_int_equal(symlinkat("/etc/alternatives/shim", t.s.fd, SHIM "shimx64.efi.signed"), 0);
	assert_int_equal(symlinkat("/usr/lib/shim/shimx64.efi.signed.latest", t.s.fd,
				   "root/etc/alternatives/shim"),
			 0);
	assert_int_equal(make(&t, MODEL_UBUNTU, "noble", &why), -ENOENT);
	assert_non_null(strstr(why.text, "mmx64.efi"));
	scratch_write(&t.s, SHIM "mmx64.efi", 0644, "the keys");
	if (make(&t, MODEL_UBUNTU, "noble", &why) < 0)
		fail_msg("%s", why.text);
	assert_holds(&t, "::EFI/BOOT/BOOTX64.EFI", "the shim");
	assert_holds(&t, "::EFI/BOOT/mmx64.efi", "the keys");
	assert_holds(&t, "::EFI/BOOT/grubx64.efi", "the GRUB");
	assert_holds(&t, "::EFI/ubuntu/grub.cfg", "configfile $prefix/grub.cfg");
	scratch_close(&t.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links_the_two_parts_of_grub),
		cmocka_unit_test(test_refuses_what_is_no_grub),
		cmocka_unit_test(test_takes_debians_boot_files),
		cmocka_unit_test(test_takes_ubuntus_boot_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
