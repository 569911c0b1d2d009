/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include <errno.h>

#include "firstboot/seeddisk.h"

/* A partition as sysfs shows it: a folder below its disk's, and a link to it. */
static void put_partition(const struct tree *t, const char *disk, const char *name,
			  const char *label)
{
	char path[160], content[160];
	struct fault why = { 0 };

	snprintf(path, sizeof(path), "sys/devices/pci0/block/%s/%s/uevent", disk, name);
	snprintf(content, sizeof(content), "DEVNAME=%s\nDEVTYPE=partition\nPARTNAME=%s\n", name,
		 label);
	tree_put(t, path, content);
	snprintf(path, sizeof(path), "sys/class/block/%s", name);
	snprintf(content, sizeof(content), "../../devices/pci0/block/%s/%s", disk, name);
	assert_true(fs_link(t->fd, path, content, &why) >= 0);
}

static const struct {
	const char *partitions[4][3]; /* disk, partition, label */
	const char *root_disk;
	int want;
	const char *name, *said;
} cases[] = {
	{ { { "vda", "vda3", "RACKSEED" }, { "vda", "vda4", "root" } }, "vda", 0, "vda3", NULL },
	{ { { "vda", "vda3", "RACKSEED" } }, "", 0, "vda3", NULL },
	{ { { "vda", "vda4", "root" } }, "vda", -ENOENT, NULL, "no partition is named 'RACKSEED'" },
	{ { { "vda", "vda3", "RACKSEED2" } }, "vda", -ENOENT, NULL, "RACKSEED" },
	{ { { "sda", "sda3", "RACKSEED" }, { "sdb", "sdb3", "RACKSEED" } },
	  "sdb",
	  0,
	  "sdb3",
	  NULL },
	{ { { "sda", "sda3", "RACKSEED" }, { "sdb", "sdb3", "RACKSEED" } },
	  "sda",
	  0,
	  "sda3",
	  NULL },
	{ { { "sda", "sda3", "RACKSEED" }, { "sdb", "sdb3", "RACKSEED" } },
	  "",
	  -ENOTUNIQ,
	  NULL,
	  "take the other disks out" },
	{ { { "nvme0n1", "nvme0n1p3", "RACKSEED" }, { "sdb", "sdb3", "RACKSEED" } },
	  "nvme0n1",
	  0,
	  "nvme0n1p3",
	  NULL },
};

static void test_finds_the_seed_of_the_disk_that_runs(void **s)
{
	(void)s;
	CASES (c, cases) {
		struct fault why = { 0 };
		char name[64] = "";
		struct tree t;
		size_t i;

		tree_make(&t);
		for (i = 0; i < 4 && c->partitions[i][0]; i++)
			put_partition(&t, c->partitions[i][0], c->partitions[i][1],
				      c->partitions[i][2]);
		assert_int_equal(seeddisk_find(t.fd, c->root_disk, name, sizeof(name), &why),
				 c->want);
		if (c->name)
			assert_string_equal(name, c->name);
		if (c->said)
			assert_non_null(strstr(why.text, c->said));
		tree_done(&t);
	}
}

static void test_no_sysfs_is_a_fault(void **s)
{
	struct fault why = { 0 };
	char name[64];
	struct tree t;

	(void)s;
	tree_make(&t);
	assert_int_equal(seeddisk_find(t.fd, "", name, sizeof(name), &why), -ENOENT);
	assert_non_null(strstr(why.text, "/sys/class/block"));
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_the_seed_of_the_disk_that_runs),
		cmocka_unit_test(test_no_sysfs_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
