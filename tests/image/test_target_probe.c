/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <unistd.h>

#include "image/target_probe.h"

/* Machines that nobody has here, as trees of /sys, /proc and /run. */

struct file {
	const char *path, *text; /* text "-> X": a link to X; "dir": a folder */
};

#define BASE "sys/devices/pci0/ata1/host0/block/sda/"
#define LVM "sys/devices/virtual/block/dm-0/"

/* A SATA disk with three partitions; the third is an LVM physical volume that holds the root. */
static const struct file sata[] = {
	{ "sys/dev/block/8:0", "-> ../../devices/pci0/ata1/host0/block/sda" },
	{ "sys/dev/block/8:3", "-> ../../devices/pci0/ata1/host0/block/sda/sda3" },
	{ "sys/dev/block/253:0", "-> ../../devices/virtual/block/dm-0" },
	{ "sys/block/sda", "-> ../devices/pci0/ata1/host0/block/sda" },
	{ BASE "dev", "8:0\n" },
	{ BASE "size", "937703088\n" },
	{ BASE "ro", "0\n" },
	{ BASE "removable", "0\n" },
	{ BASE "diskseq", "9\n" },
	{ BASE "queue/logical_block_size", "512\n" },
	{ BASE "queue/rotational", "0\n" },
	{ BASE "device/model", "Samsung SSD 870 \033[2J\n" },
	{ BASE "sda1/dev", "8:1\n" },
	{ BASE "sda1/partition", "1\n" },
	{ BASE "sda2/dev", "8:2\n" },
	{ BASE "sda2/partition", "2\n" },
	{ BASE "sda3/dev", "8:3\n" },
	{ BASE "sda3/partition", "3\n" },
	{ BASE "sda3/holders/dm-0", "-> ../../../../../../../virtual/block/dm-0" },
	{ LVM "dev", "253:0\n" },
	{ LVM "dm/uuid", "LVM-abc\n" },
	{ LVM "slaves/sda3", "-> ../../../../pci0/ata1/host0/block/sda/sda3" },
	{ "run/udev/data/b8:0", "S:disk/by-id/x\nE:ID_SERIAL=Samsung_S6Z1NX0T\n"
				"E:ID_SERIAL_SHORT=S6Z1NX0T\nE:ID_WWN=0x5002538e40a0b0c0\n" },
	{ "proc/self/mountinfo",
	  "22 27 0:21 / /proc rw - proc proc rw\n"
	  "27 1 253:0 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw\n"
	  "28 27 8:1 / /boot/my\\040efi rw - vfat /dev/sda1 rw\n" },
	{ "proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"
			"/dev/sda2                               partition\t1\t0\t-2\n" },
	{ NULL, NULL },
};

/* An NVMe disk with nothing on it that anybody uses. */
static const struct file nvme[] = {
	{ "sys/dev/block/259:0", "-> ../../devices/pci0/nvme/nvme0/nvme0n1" },
	{ "sys/devices/pci0/nvme/nvme0/nvme0n1/dev", "259:0\n" },
	{ "sys/devices/pci0/nvme/nvme0/nvme0n1/size", "2048\n" },
	{ "sys/devices/pci0/nvme/nvme0/nvme0n1/wwid", "eui.0025385b71b00abc\n" },
	{ "sys/devices/pci0/nvme/nvme0/nvme0n1/device/serial", "  S4EWNX0   \n" },
	{ "sys/devices/pci0/nvme/nvme0/nvme0n1/device/model", "MZ 970\n" },
	{ "proc/self/mountinfo", "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n" },
	{ NULL, NULL },
};

/* A SAS disk without udev: the serial is in the vital product data; multipath holds it. */
static const struct file sas[] = {
	{ "sys/dev/block/8:16", "-> ../../devices/pci0/host1/port-1/end_device-1/block/sdb" },
	{ "sys/devices/pci0/host1/port-1/end_device-1/block/sdb/dev", "8:16\n" },
	{ "sys/devices/pci0/host1/port-1/end_device-1/block/sdb/size", "2048\n" },
	{ "sys/devices/pci0/host1/port-1/end_device-1/block/sdb/device/vpd_pg80",
	  "XXXXZC10ABCD\n" },
	{ "sys/devices/pci0/host1/port-1/end_device-1/block/sdb/device/wwid",
	  "naa.5000c500a1b2c3d4\n" },
	{ "sys/devices/pci0/host1/port-1/end_device-1/block/sdb/holders/dm-3",
	  "-> ../../../../../../../virtual/block/dm-3" },
	{ "sys/devices/virtual/block/dm-3/dev", "253:3\n" },
	{ "sys/devices/virtual/block/dm-3/dm/uuid", "mpath-3600\n" },
	{ "sys/devices/virtual/block/dm-3/holders/md0", "-> ../../md0" },
	{ "sys/devices/virtual/block/md0/dev", "9:0\n" },
	{ "proc/self/mountinfo", "40 27 0:44 /vol /data rw - btrfs /dev/md0 rw\n" },
	{ "proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n" },
	{ NULL, NULL },
};

/* A USB stick that multipathd has claimed, and whose number sysfs does not know. */
static const struct file stick[] = {
	{ "sys/dev/block/8:32", "-> ../../devices/pci0/usb2/host3/block/sdc" },
	{ "sys/devices/pci0/usb2/host3/block/sdc/dev", "8:32\n" },
	{ "sys/devices/pci0/usb2/host3/block/sdc/ro", "1\n" },
	{ "sys/devices/pci0/usb2/host3/block/sdc/removable", "1\n" },
	{ "run/udev/data/b8:32", "E:DM_MULTIPATH_DEVICE_PATH=1" },
	{ "proc/self/mountinfo", "" },
	{ NULL, NULL },
};

static int tree_of(const struct file *files, char dir[static 64])
{
	struct fault why = { 0 };
	int fd, r = 0;

	snprintf(dir, 64, "/tmp/rackseed-target-XXXXXX");
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	for (; r >= 0 && files->path; files++)
		if (strncmp(files->text, "-> ", 3) == 0)
			r = fs_link(fd, files->path, files->text + 3, &why);
		else
			r = fs_write(fd, files->path, 0644, files->text, strlen(files->text), &why);
	if (r < 0)
		fail_msg("%s", why.text);
	return fd;
}

static void done(int fd, const char *dir)
{
	struct fault why;

	close(fd);
	assert_true(fs_remove_tree(AT_FDCWD, dir, &why) >= 0);
}

/* Looks at major:minor in the tree: sysfs, then mounts. */
static int look(const struct file *files, unsigned major, unsigned minor, struct target_facts *f,
		struct target_family *family)
{
	struct fault why = { 0 };
	char dir[64];
	int fd = tree_of(files, dir), r;

	*f = (struct target_facts){ .major = major, .minor = minor };
	r = target_look_sys(fd, f, family, &why);
	if (r == 0)
		r = target_look_mounts(fd, family, f, &why);
	done(fd, dir);
	return r;
}

static void test_a_disk_under_lvm_holds_the_root(void **state)
{
	struct target_family family;
	struct target_facts f;

	(void)state;
	assert_int_equal(look(sata, 8, 0, &f, &family), 0);
	assert_string_equal(f.name, "sda");
	assert_int_equal(f.kind, TARGET_DISK);
	assert_true(f.size_bytes == 480103981056);
	assert_int_equal(f.diskseq, 9);
	assert_int_equal(f.sector_bytes, 512);
	assert_string_equal(f.serial, "S6Z1NX0T");
	assert_string_equal(f.wwn, "0x5002538e40a0b0c0");
	assert_string_equal(f.transport, "sata");
	assert_int_equal(family.n, 5); /* the disk, three partitions, the logical volume */
	assert_true(f.holds_root);
	assert_string_equal(f.mount, "/");
	assert_string_equal(f.swap, "/dev/sda2");
	assert_string_equal(f.member[TARGET_LVM], "dm-0 holds sda3");
	assert_false(f.stacked || f.read_only || f.removable);
}

static void test_what_a_disk_says_cannot_steer_a_terminal(void **state)
{
	struct target_family family;
	struct target_facts f;

	(void)state;
	assert_int_equal(look(sata, 8, 0, &f, &family), 0);
	assert_string_equal(f.model, "Samsung SSD 870 ?[2J");
}

static void test_a_partition_is_told_from_a_disk(void **state)
{
	struct target_family family;
	struct target_facts f;

	(void)state;
	assert_int_equal(look(sata, 8, 3, &f, &family), 0);
	assert_int_equal(f.kind, TARGET_PARTITION);
	assert_string_equal(f.name, "sda3");
}

static void test_a_logical_volume_is_made_of_other_disks(void **state)
{
	struct target_family family;
	struct target_facts f;

	(void)state;
	assert_int_equal(look(sata, 253, 0, &f, &family), 0);
	assert_true(f.stacked);
}

static void test_a_mount_point_with_a_blank_is_read(void **state)
{
	struct target_family only_sda1 = { .list = { { 8, 1, "sda1" } }, .n = 1 };
	struct target_facts f = { 0 };
	struct fault why;
	char dir[64];
	int fd = tree_of(sata, dir);

	(void)state;
	assert_int_equal(target_look_mounts(fd, &only_sda1, &f, &why), 0);
	assert_string_equal(f.mount, "/boot/my efi");
	assert_false(f.holds_root);
	done(fd, dir);
}

static void test_an_nvme_disk_is_known_without_udev(void **state)
{
	struct target_family family;
	struct target_facts f;

	(void)state;
	assert_int_equal(look(nvme, 259, 0, &f, &family), 0);
	assert_string_equal(f.name, "nvme0n1");
	assert_string_equal(f.serial, "S4EWNX0");
	assert_string_equal(f.wwn, "eui.0025385b71b00abc");
	assert_string_equal(f.model, "MZ 970");
	assert_string_equal(f.transport, "nvme");
	assert_string_equal(f.mount, "");
	assert_false(f.holds_root);
}

static void test_holders_of_holders_count(void **state)
{
	struct target_family family;
	struct target_facts f;

	(void)state;
	assert_int_equal(look(sas, 8, 16, &f, &family), 0);
	assert_string_equal(f.serial, "ZC10ABCD");
	assert_string_equal(f.wwn, "naa.5000c500a1b2c3d4");
	assert_string_equal(f.transport, "sas");
	assert_string_equal(f.member[TARGET_MULTIPATH], "dm-3 holds sdb");
	assert_string_equal(f.member[TARGET_RAID], "md0 holds dm-3");
	assert_string_equal(f.mount, "/data"); /* btrfs, known by its source alone */
}

static void test_multipathd_and_the_switch_are_seen(void **state)
{
	struct target_family family;
	struct target_facts f;

	(void)state;
	assert_int_equal(look(stick, 8, 32, &f, &family), 0);
	assert_string_equal(f.member[TARGET_MULTIPATH], "multipathd claims it");
	assert_string_equal(f.transport, "usb");
	assert_true(f.read_only && f.removable);
}

static void test_not_to_know_the_mounts_is_a_fault(void **state)
{
	static const struct file files[] = {
		{ "sys/dev/block/8:0", "-> ../../sda" },
		{ "sys/sda/dev", "8:0\n" },
		{ NULL, NULL },
	};
	struct target_family family;
	struct target_facts f;

	(void)state;
	assert_int_equal(look(files, 8, 0, &f, &family), -ENOENT);
	assert_true(look(files, 8, 99, &f, &family) < 0);
}

static void test_by_name_alone_nothing_is_said_of_its_content(void **state)
{
	struct target_facts f;
	struct fault why;
	char dir[64];
	int fd = tree_of(sata, dir);

	(void)state;
	assert_int_equal(target_look_name(fd, "sda", &f, &why), 0);
	assert_true(f.holds_root && f.unread);
	assert_true(target_look_name(fd, "sdz", &f, &why) < 0);
	done(fd, dir);
}

static void test_a_file_is_a_target_and_an_empty_one_is_blank(void **state)
{
	char path[] = "/tmp/rackseed-target-XXXXXX";
	int fd = mkstemp(path), root = open("/", O_RDONLY | O_DIRECTORY);
	struct target t;
	struct fault why = { 0 };

	(void)state;
	assert_true(fd >= 0 && root >= 0);
	assert_int_equal(target_open(root, path, TARGET_TO_WRITE, &t, &why), 0);
	assert_int_equal(t.facts.kind, TARGET_FILE);
	assert_true(t.facts.size_bytes == 0 && t.facts.blank && !t.facts.busy);
	target_done(&t);
	assert_int_equal(write(fd, "a disk? no, a letter", 20), 20);
	assert_int_equal(ftruncate(fd, 3 << 20), 0);
	assert_int_equal(target_open(root, path, TARGET_TO_WRITE, &t, &why), 0);
	assert_false(t.facts.blank);
	target_done(&t);
	assert_int_equal(target_open(root, "/tmp", TARGET_TO_WRITE, &t, &why), 0);
	assert_int_equal(t.facts.kind, TARGET_STRANGE);
	target_done(&t);
	unlink(path);
	assert_int_equal(target_open(root, path, TARGET_TO_WRITE, &t, &why), -ENOENT);
	close(fd);
	close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_disk_under_lvm_holds_the_root),
		cmocka_unit_test(test_what_a_disk_says_cannot_steer_a_terminal),
		cmocka_unit_test(test_a_partition_is_told_from_a_disk),
		cmocka_unit_test(test_a_logical_volume_is_made_of_other_disks),
		cmocka_unit_test(test_a_mount_point_with_a_blank_is_read),
		cmocka_unit_test(test_an_nvme_disk_is_known_without_udev),
		cmocka_unit_test(test_holders_of_holders_count),
		cmocka_unit_test(test_multipathd_and_the_switch_are_seen),
		cmocka_unit_test(test_not_to_know_the_mounts_is_a_fault),
		cmocka_unit_test(test_by_name_alone_nothing_is_said_of_its_content),
		cmocka_unit_test(test_a_file_is_a_target_and_an_empty_one_is_blank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
