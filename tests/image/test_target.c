/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "cluster/disk.h"
#include "cluster/model.h"
#include "image/target.h"

#define GIB (1ULL << 30)

/* A case says what it has other than BLANK: the later value of a field is meant. */
#pragma GCC diagnostic ignored "-Woverride-init"

/* A blank disk that fits: each case spoils one thing of it. */
#define BLANK                                                                                      \
	.name = "sdb", .kind = TARGET_DISK, .major = 8, .minor = 16, .size_bytes = 480 * GIB,      \
	.diskseq = 7, .sector_bytes = 512, .model = "Disk 480", .serial = "S6Z1NX0T",              \
	.wwn = "0x5002538e40a0b0c0", .transport = "sata", .blank = true

static const struct model_disk any = { 0 };
static const struct model_disk by_serial = { .serial = (char *)"s6z1nx0t" };
static const struct model_disk other_serial = { .serial = (char *)"S6Z1NX0U" };
static const struct model_disk by_wwn = { .wwn = (char *)"naa.5002538E40A0B0C0" };
static const struct model_disk other_wwn = { .wwn = (char *)"0x5002538e40a0b0c1" };
static const struct model_disk by_size = { .size_bytes = 478 * GIB };
static const struct model_disk other_size = { .size_bytes = 500 * GIB };

static const struct {
	const char *name;
	struct target_facts facts;
	const struct model_disk *disk;
	int weight;	  /* -1: may be written */
	const char *code; /* of the first reason */
	const char *says; /* a part of its sentence */
} cases[] = {
	{ "blank", { BLANK }, &any, -1, NULL, NULL },
	{ "folder", { BLANK, .kind = TARGET_STRANGE }, &any, TARGET_REFUSED, "not-a-disk", "sdb" },
	{ "partition",
	  { BLANK, .kind = TARGET_PARTITION },
	  &any,
	  TARGET_REFUSED,
	  "partition",
	  "name the whole disk" },
	{ "md", { BLANK, .stacked = true }, &any, TARGET_REFUSED, "stacked", "other disks" },
	{ "drive", { BLANK, .size_bytes = 0 }, &any, TARGET_REFUSED, "no-medium", "medium" },
	{ "empty file", { BLANK, .kind = TARGET_FILE, .size_bytes = 0 }, &any, -1, NULL, NULL },
	{ "root",
	  { BLANK, .holds_root = true, .mount = "/" },
	  &any,
	  TARGET_REFUSED,
	  "holds-root",
	  "running system" },
	{ "mount", { BLANK, .mount = "/srv" }, &any, TARGET_REFUSED, "mounted", "'/srv'" },
	{ "swap", { BLANK, .swap = "/dev/sdb2" }, &any, TARGET_REFUSED, "swap", "'/dev/sdb2'" },
	{ "lvm",
	  { BLANK, .member = { [TARGET_LVM] = "dm-0 holds sdb3" } },
	  &any,
	  TARGET_REFUSED,
	  "lvm",
	  "dm-0 holds sdb3" },
	{ "raid",
	  { BLANK, .member = { [TARGET_RAID] = "md0 holds sdb" } },
	  &any,
	  TARGET_REFUSED,
	  "raid",
	  "md0" },
	{ "multipath",
	  { BLANK, .member = { [TARGET_MULTIPATH] = "multipathd claims it" } },
	  &any,
	  TARGET_REFUSED,
	  "multipath",
	  "multipathd" },
	{ "crypt",
	  { BLANK, .member = { [TARGET_CRYPT] = "dm-1 holds sdb" } },
	  &any,
	  TARGET_REFUSED,
	  "crypt",
	  "dm-1" },
	{ "zfs",
	  { BLANK, .member = { [TARGET_OTHER] = "zfs_member" } },
	  &any,
	  TARGET_REFUSED,
	  "member",
	  "zfs_member" },
	{ "busy", { BLANK, .busy = true }, &any, TARGET_REFUSED, "busy", "holds it open" },
	{ "busy, and why is known",
	  { BLANK, .busy = true, .mount = "/srv" },
	  &any,
	  TARGET_REFUSED,
	  "mounted",
	  "/srv" },
	{ "changed",
	  { BLANK, .changed = "another serial" },
	  &any,
	  TARGET_REFUSED,
	  "changed",
	  "another serial" },
	{ "serial fits", { BLANK }, &by_serial, -1, NULL, NULL },
	{ "other serial",
	  { BLANK },
	  &other_serial,
	  TARGET_REFUSED,
	  "wrong-serial",
	  "names serial 'S6Z1NX0U' for node 'w1', and this one bears 'S6Z1NX0T'" },
	{ "no serial",
	  { BLANK, .serial = "" },
	  &by_serial,
	  TARGET_REFUSED,
	  "wrong-serial",
	  "bears none" },
	{ "wwn fits", { BLANK }, &by_wwn, -1, NULL, NULL },
	{ "other wwn", { BLANK }, &other_wwn, TARGET_REFUSED, "wrong-wwn", "WWN" },
	{ "no wwn", { BLANK, .wwn = "" }, &by_wwn, TARGET_REFUSED, "wrong-wwn", "bears none" },
	{ "size fits", { BLANK }, &by_size, -1, NULL, NULL },
	{ "other size",
	  { BLANK },
	  &other_size,
	  TARGET_REFUSED,
	  "wrong-size",
	  "a disk of 500 GiB for node 'w1', and this one has 480 GiB" },
	{ "read-only",
	  { BLANK, .read_only = true },
	  &any,
	  TARGET_REFUSED,
	  "read-only",
	  "read-only" },
	{ "4Kn", { BLANK, .sector_bytes = 4096 }, &any, TARGET_REFUSED, "sector-size", "4096" },
	{ "small",
	  { BLANK, .size_bytes = 2 * GIB },
	  &any,
	  TARGET_REFUSED,
	  "too-small",
	  "it has 2 GiB (2147483648 bytes) and the image needs 3 GiB" },
	{ "just large enough", { BLANK, .size_bytes = 3 * GIB }, &any, -1, NULL, NULL },
	{ "other node",
	  { BLANK, .table = "gpt", .has_seed = true, .seed_node = "w2", .seed_cluster = "lab" },
	  &any,
	  TARGET_ASKS_SERIAL,
	  "other-node",
	  "node 'w2' of this cluster, not 'w1'" },
	{ "this node",
	  { BLANK, .table = "gpt", .has_seed = true, .seed_node = "w1", .seed_cluster = "lab" },
	  &any,
	  TARGET_ASKS,
	  "this-node",
	  "node 'w1' already" },
	{ "node of another cluster",
	  { BLANK, .table = "gpt", .has_seed = true, .seed_node = "w1", .seed_cluster = "prod" },
	  &any,
	  TARGET_ASKS,
	  "holds-data",
	  "node 'w1' of cluster 'prod'" },
	{ "seed that cannot be read",
	  { BLANK, .table = "gpt", .has_seed = true },
	  &any,
	  TARGET_ASKS_SERIAL,
	  "unreadable-node",
	  "cannot be read" },
	{ "table", { BLANK, .table = "dos" }, &any, TARGET_ASKS, "holds-data", "dos" },
	{ "file system",
	  { BLANK, .contents = { { 0, "xfs", "data\n" } }, .n_contents = 1 },
	  &any,
	  TARGET_ASKS,
	  "holds-data",
	  "xfs 'data?'" },
	{ "bytes",
	  { BLANK, .blank = false },
	  &any,
	  TARGET_ASKS,
	  "holds-data",
	  "bytes of no known kind" },
	{ "not looked at", { BLANK, .blank = false, .unread = true }, &any, -1, NULL, NULL },
};

static void judge(const struct target_facts *facts, const struct model_disk *disk,
		  struct target_verdict *verdict)
{
	const struct target_want want = {
		.node = "w1", .cluster = "lab", .disk = disk, .image_bytes = 3 * GIB
	};

	target_judge(facts, &want, verdict);
}

static void test_every_disk_gets_its_verdict(void **state)
{
	struct target_verdict v;

	(void)state;
	CASES (c, cases) {
		judge(&c->facts, c->disk, &v);
		if (target_weight(&v) != c->weight)
			fail_msg("%s: weight %d, first '%s'", c->name, target_weight(&v),
				 v.n ? v.reasons[0].code : "");
		if (!c->code)
			continue;
		assert_int_equal(v.n, 1);
		assert_string_equal(v.reasons[0].code, c->code);
		if (!strstr(v.reasons[0].text, c->says))
			fail_msg("%s: says '%s'", c->name, v.reasons[0].text);
	}
}

static void test_the_disk_for_data_is_never_the_systems(void **state)
{
	static const struct {
		const struct model_disk *disk, *data;
		bool refused;
	} wants[] = {
		{ &any, &any, false },		{ &any, &by_serial, true },
		{ &any, &by_wwn, true },	{ &any, &by_size, true },
		{ &any, &other_serial, false }, { &any, &other_size, false },
		{ &by_size, &by_serial, true }, { &by_serial, &by_size, false },
	};
	const struct target_facts facts = { BLANK };

	(void)state;
	CASES (c, wants) {
		const struct target_want want = {
			.node = "w1", .cluster = "lab", .disk = c->disk, .data = c->data
		};
		struct target_verdict v;

		target_judge(&facts, &want, &v);
		assert_int_equal(v.n, c->refused);
		if (!c->refused)
			continue;
		assert_string_equal(v.reasons[0].code, "for-data");
		assert_int_equal(v.reasons[0].weight, TARGET_REFUSED);
		assert_non_null(strstr(v.reasons[0].text, "data of node 'w1'"));
	}
}

static void test_all_reasons_are_told_at_once(void **state)
{
	const struct target_facts bad = { BLANK,
					  .mount = "/srv",
					  .swap = "/dev/sdb1",
					  .sector_bytes = 4096,
					  .read_only = true,
					  .table = "gpt" };
	static const char *const codes[] = { "mounted",	  "swap",	 "wrong-serial",
					     "read-only", "sector-size", "holds-data" };
	struct target_verdict v;
	size_t i;

	(void)state;
	judge(&bad, &other_serial, &v);
	assert_int_equal(v.n, sizeof(codes) / sizeof(*codes));
	for (i = 0; i < v.n; i++)
		assert_string_equal(v.reasons[i].code, codes[i]);
	assert_int_equal(target_weight(&v), TARGET_REFUSED);
}

static void test_without_a_node_the_disk_alone_is_judged(void **state)
{
	const struct target_facts node = { BLANK, .table = "gpt", .has_seed = true,
					   .seed_node = "w1", .seed_cluster = "lab" };
	const struct target_want want = { 0 };
	struct target_verdict v;

	(void)state;
	target_judge(&node, &want, &v);
	assert_int_equal(v.n, 1);
	assert_string_equal(v.reasons[0].code, "holds-data");
}

#define TABLED BLANK, .table = "gpt"
#define NODE BLANK, .table = "gpt", .has_seed = true, .seed_node = "w2", .seed_cluster = "lab"

static const struct {
	struct target_facts facts;
	const char *word;
	bool script, consents;
} words[] = {
	{ { TABLED }, "S6Z1NX0T", false, true },
	{ { TABLED }, "s6z1nx0t", true, true },
	{ { TABLED }, "wwn-0x5002538e40a0b0c0", true, true },
	{ { TABLED }, "sdb", false, true },
	{ { TABLED }, "/dev/sdb", false, true },
	{ { TABLED }, "/dev/disk/by-id/ata-1", false, true }, /* as it was given */
	{ { TABLED }, "sdb", true, false },		      /* names move from boot to boot */
	{ { TABLED }, "sda", false, false },
	{ { TABLED }, "yes", false, false },
	{ { TABLED }, "", false, false },
	{ { TABLED, .serial = "" }, "", true, false },
	{ { TABLED, .serial = "", .wwn = "" }, "sdb", true, true },
	{ { TABLED, .serial = "" }, "sdb", true, false },
	{ { NODE }, "sdb", false, false },
	{ { NODE }, "S6Z1NX0T", false, true },
	{ { NODE, .serial = "", .wwn = "" }, "sdb", false, true },
	{ { NODE, .mount = "/srv" }, "S6Z1NX0T", true, false },
};

static void test_only_the_right_word_wipes(void **state)
{
	struct target_verdict v;

	(void)state;
	CASES (c, words) {
		judge(&c->facts, &any, &v);
		if (target_consents(&c->facts, &v, "/dev/disk/by-id/ata-1", c->word, c->script) !=
		    c->consents)
			fail_msg("row %d: '%s'", (int)(c - words), c->word);
	}
}

static const struct {
	struct target_facts now;
	const char *changed;
} changes[] = {
	{ { TABLED }, "" },
	{ { TABLED, .minor = 32 }, "another device" },
	{ { TABLED, .diskseq = 8 }, "another medium" },
	{ { TABLED, .serial = "OTHER" }, "another serial" },
	{ { TABLED, .wwn = "" }, "another WWN" },
	{ { TABLED, .size_bytes = 481 * GIB }, "another size" },
	{ { BLANK }, "other things on it" },
	{ { NODE }, "other things on it" },
	{ { TABLED, .contents = { { 1, "ext4", "" } }, .n_contents = 1 }, "other things on it" },
	{ { TABLED, .changed = "the medium was changed" }, "the medium was changed" },
};

static void test_a_change_after_the_first_look_is_seen(void **state)
{
	const struct target_facts before = { TABLED };

	(void)state;
	CASES (c, changes) {
		struct target_facts now = c->now;

		target_compare(&before, &now);
		if (strncmp(now.changed, c->changed, strlen(c->changed)) != 0 ||
		    !c->changed[0] != !now.changed[0])
			fail_msg("row %d: '%s'", (int)(c - changes), now.changed);
	}
}

static void test_a_label_and_its_partition_are_part_of_what_is_compared(void **state)
{
	const struct target_facts before = { TABLED, .contents = { { 1, "ext4", "a" } },
					     .n_contents = 1 };
	struct target_facts now = before;

	(void)state;
	target_compare(&before, &now);
	assert_string_equal(now.changed, "");
	snprintf(now.contents[0].label, sizeof(now.contents[0].label), "b");
	target_compare(&before, &now);
	assert_string_equal(now.changed, "other things on it");
}

static void test_sizes_are_readable(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0 bytes" },
		{ 1023, "1023 bytes" },
		{ 1024, "1 KiB" },
		{ 1536, "1.5 KiB" },
		{ 480103981056, "447.1 GiB" },
		{ 16ULL << 20, "16 MiB" },
		{ UINT64_MAX, "15.9 EiB" },
	};
	char buf[TARGET_SIZE_LEN];

	(void)state;
	CASES (c, sizes)
		assert_string_equal(target_size(c->bytes, buf), c->text);
}

static void test_members_are_told_by_their_type(void **state)
{
	static const struct {
		const char *type;
		enum target_member member;
	} types[] = {
		{ "LVM2_member", TARGET_LVM },
		{ "linux_raid_member", TARGET_RAID },
		{ "isw_raid_member", TARGET_RAID },
		{ "ddf_raid_member", TARGET_RAID },
		{ "mpath_member", TARGET_MULTIPATH },
		{ "zfs_member", TARGET_OTHER },
		{ "drbd", TARGET_OTHER },
		{ "ext4", TARGET_N_MEMBERS },
		{ "crypto_LUKS", TARGET_N_MEMBERS },
		{ "swap", TARGET_N_MEMBERS },
		{ "VMFS_volume_member", TARGET_OTHER },
	};

	(void)state;
	CASES (c, types)
		assert_int_equal(target_member_of(c->type), c->member);
}

static void test_wwns_are_equal_in_every_spelling(void **state)
{
	(void)state;
	assert_true(disk_wwn_equal("0x5002538e40a0b0c0", "wwn-0x5002538E40A0B0C0"));
	assert_true(disk_wwn_equal("eui.0025385b71b00abc", "nvme-eui.0025385b71b00abc"));
	assert_false(disk_wwn_equal("0x5002538e40a0b0c0", "0x5002538e40a0b0c1"));
	assert_false(disk_wwn_equal("", ""));
	assert_false(disk_wwn_equal("0x", "naa."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_disk_gets_its_verdict),
		cmocka_unit_test(test_the_disk_for_data_is_never_the_systems),
		cmocka_unit_test(test_all_reasons_are_told_at_once),
		cmocka_unit_test(test_without_a_node_the_disk_alone_is_judged),
		cmocka_unit_test(test_only_the_right_word_wipes),
		cmocka_unit_test(test_a_change_after_the_first_look_is_seen),
		cmocka_unit_test(test_a_label_and_its_partition_are_part_of_what_is_compared),
		cmocka_unit_test(test_sizes_are_readable),
		cmocka_unit_test(test_members_are_told_by_their_type),
		cmocka_unit_test(test_wwns_are_equal_in_every_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
