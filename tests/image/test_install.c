/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <pty.h>
#include <time.h>

#include "cluster/envelope.h"
#include "cluster/machine.h"
#include "cluster/seed.h"
#include "image/disk.h"
#include "image/flash_list.h"
#include "image/install.h"
#include "tests/image/scratch.h"

/* ---- which disk ----------------------------------------------------------------------------- */

static struct flash_row disk_row(const char *name, const char *serial, uint64_t size)
{
	struct flash_row row = { .facts = { .kind = TARGET_DISK,
					    .size_bytes = size,
					    .sector_bytes = 512,
					    .blank = true } };

	snprintf(row.path, sizeof(row.path), "/dev/%s", name);
	snprintf(row.facts.name, sizeof(row.facts.name), "%s", name);
	snprintf(row.facts.serial, sizeof(row.facts.serial), "%s", serial);
	snprintf(row.facts.model, sizeof(row.facts.model), "QEMU HARDDISK");
	return row;
}

enum { GIB = 1 << 30 };

/* The stick itself, two disks, and a card that was left in its reader. */
static struct flash_list rack_disks(struct flash_row rows[4], const struct model_node *node)
{
	const struct target_want want = { .node = node->name,
					  .cluster = "lab",
					  .disk = &node->disk,
					  .image_bytes = 1 << 20 };
	struct flash_list list = { rows, 4, 4 };
	size_t i;

	rows[0] = disk_row("sda", "STICK", GIB);
	rows[0].facts.holds_root = true;
	rows[1] = disk_row("sdb", "ONE", GIB);
	rows[2] = disk_row("sdc", "TWO", GIB);
	rows[3] = disk_row("sdd", "CARD", GIB);
	rows[3].facts.removable = true;
	for (i = 0; i < 4; i++)
		target_judge(&rows[i].facts, &want, &rows[i].verdict);
	return list;
}

static void test_the_disk_is_the_one_that_the_file_names_or_the_only_one(void **s)
{
	static const struct {
		const char *serial;
		size_t n; /* so many disks of the rack */
		int want;
		size_t row;
		const char *says;
	} cases[] = {
		{ "TWO", 4, 0, 2, "" },
		{ "two", 4, 0, 2, "" },
		{ "CARD", 4, 0, 3, "" }, /* named, so it may be a removable one */
		{ "THREE", 4, -ENOENT, 0,
		  "no disk of this machine is the one that the file names for node 'w1'" },
		{ NULL, 2, 0, 1, "" },
		{ NULL, 1, -ENOENT, 0, "no disk of this machine is fit to become node 'w1'" },
		{ NULL, 4, -ENOTUNIQ, 0,
		  "'/dev/sdb', '/dev/sdc' may all be the disk of node 'w1': name one in the file, "
		  "as disk: {serial: ...}" },
		{ "STICK", 4, -ENOENT, 0,
		  "no disk of this machine is the one that the file names for node 'w1'" },
	};

	(void)s;
	CASES (c, cases) {
		const struct model_node node = { .name = (char *)(uintptr_t) "w1",
						 .disk = { .serial =
								   (char *)(uintptr_t)c->serial } };
		struct flash_row rows[4];
		struct flash_list list = rack_disks(rows, &node);
		struct fault why = { 0 };
		size_t row = 0;

		list.n = c->n;
		assert_int_equal(install_choose(&list, &node, &row, &why), c->want);
		assert_int_equal(row, c->row);
		assert_string_equal(why.text, c->says);
	}
}

static void test_a_disk_that_cannot_be_read_is_none(void **s)
{
	const struct model_node node = { .name = (char *)(uintptr_t) "w1" };
	struct flash_row rows[4];
	struct flash_list list = rack_disks(rows, &node);
	struct fault why = { 0 };
	size_t row;

	(void)s;
	list.n = 3;
	snprintf(rows[1].trouble, sizeof(rows[1].trouble), "Input/output error");
	assert_int_equal(install_choose(&list, &node, &row, &why), 0);
	assert_int_equal(row, 2);
}

/* ---- words and texts ------------------------------------------------------------------------ */

static void test_arguments_of_the_kernel_are_whole_words(void **s)
{
	static const struct {
		const char *cmdline, *word, *want; /* NULL: not there */
	} cases[] = {
		{ "ro rackseed.installer=06f6-eb quiet\n", INSTALLER_ARGUMENT, "06f6-eb" },
		{ "rackseed.installer=", INSTALLER_ARGUMENT, "" },
		{ "xrackseed.installer=1", INSTALLER_ARGUMENT, NULL },
		{ "ro rackseed.again\n", INSTALLER_AGAIN, "" },
		{ "ro rackseed.against\n", INSTALLER_AGAIN, NULL },
		{ "rackseed.installer=0123456789abcdef", INSTALLER_ARGUMENT, NULL }, /* too long */
		{ "", INSTALLER_AGAIN, NULL },
	};

	(void)s;
	CASES (c, cases) {
		char got[16] = "";

		assert_int_equal(install_argument(c->cmdline, c->word, got, sizeof(got)),
				 c->want != NULL);
		assert_string_equal(got, c->want ? c->want : "");
	}
}

static struct machine a_machine(void)
{
	return (struct machine){ .links = { { "eth0", { { 0xd8, 0x5e, 0xd3, 0, 0, 0x1e } } },
					    { "eth1", { { 0xd8, 0x5e, 0xd3, 0, 0, 0x1f } } } },
				 .n_links = 2,
				 .serial = "5CG1234X" };
}

static void test_a_stranger_is_shown_as_lines_for_the_file(void **s)
{
	const struct model_node node = { .name = (char *)(uintptr_t) "w1" };
	struct machine machine = a_machine();
	struct flash_row rows[4];
	struct flash_list list = rack_disks(rows, &node);
	struct text out = { 0 };

	(void)s;
	install_print_stranger(&machine, &list, "lab", &out);
	assert_golden("installer/stranger.txt", text_str(&out));
	text_done(&out);
}

static void test_the_plan_names_machine_node_disk_and_what_is_lost(void **s)
{
	const struct model_node node = { .name = (char *)(uintptr_t) "w1" };
	const struct model model = { .name = (char *)(uintptr_t) "lab" };
	struct machine machine = a_machine();
	struct flash_job job = { .model = &model, .node = &node };
	struct target_want want = { .node = "w1",
				    .cluster = "lab",
				    .image_bytes = 1 << 20 };
	struct text out = { 0 };

	(void)s;
	job.target.path = (char *)(uintptr_t) "/dev/sdb";
	job.target.facts = disk_row("sdb", "ONE", GIB).facts;
	job.table.target_bytes = GIB;
	target_judge(&job.target.facts, &want, &job.verdict);
	install_print_plan(&machine, &job, &out);
	job.target.facts.blank = false;
	snprintf(job.target.facts.table, sizeof(job.target.facts.table), "gpt");
	target_judge(&job.target.facts, &want, &job.verdict);
	install_print_plan(&machine, &job, &out);
	assert_golden("installer/plan.txt", text_str(&out));
	text_done(&out);
}

/* ---- the stick ------------------------------------------------------------------------------ */

enum { DISK = DISK_ROOT_OFFSET + (4 << 20) + DISK_TAIL };

static void put_stick(const struct scratch *t, const char *seed, size_t len, bool sealed)
{
	struct text json = { 0 };
	struct fault why = { 0 };

	text_addf(
		&json,
		"{\"cluster\": \"lab\", \"waitSeconds\": 1, \"sealed\": %s, \"nodes\": [{\"name\": "
		"\"w1\", \"serial\": \"X\", \"golden\": \"g.raw\", \"seed\": \"w1.seed\"}]}",
		sealed ? "true" : "false");
	scratch_write(t, INSTALLER_FILE, 0400, text_str(&json));
	scratch_file(t, "g.raw", DISK);
	assert_true(fs_write(t->fd, "w1.seed", 0400, seed, len, &why) >= 0);
	text_done(&json);
}

static void open_stick(const struct scratch *t, struct install_stick *stick)
{
	struct fault why = { 0 };
	int fd = openat(t->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (install_stick_read(fd, stick, &why) < 0)
		fail_msg("%s", why.text);
}

static void test_golden_and_seed_are_one_disk(void **state)
{
	struct scratch t = scratch_open();
	struct install_stick stick = { .fd = -1 };
	struct flash_source source = { 0 };
	struct fault why = { 0 };
	char got[12];
	int fd;

	(void)state;
	put_stick(&t, "the seed\n", 9, false);
	fd = openat(t.fd, "g.raw", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "AAAA", 4, DISK_SEED_OFFSET - 4), 4);
	assert_int_equal(pwrite(fd, "hidden", 6, DISK_SEED_OFFSET + 4), 6);
	assert_int_equal(pwrite(fd, "BBBB", 4, DISK_ROOT_OFFSET), 4);
	close(fd);
	open_stick(&t, &stick);
	assert_int_equal(install_stick_source(&stick, 0, "", &source, &why), 0);
	assert_int_equal(source.size, DISK);
	assert_int_equal(flash_source_read(&source, got, 12, DISK_SEED_OFFSET - 4, &why), 0);
	assert_memory_equal(got, "AAAAthe seed", 12);
	assert_int_equal(flash_source_read(&source, got, 12, DISK_SEED_OFFSET + 9, &why), 0);
	assert_memory_equal(got, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
	assert_int_equal(flash_source_read(&source, got, 8, DISK_ROOT_OFFSET - 4, &why), 0);
	assert_memory_equal(got, "\0\0\0\0BBBB", 8);
	flash_source_done(&source);
	install_stick_done(&stick);
	scratch_close(&t);
}

static void test_a_sealed_seed_opens_with_its_passphrase_alone(void **state)
{
	struct scratch t = scratch_open();
	struct install_stick stick = { .fd = -1 };
	struct flash_source source = { 0 };
	struct text box = { 0 };
	struct fault why = { 0 };
	char got[8];

	(void)state;
	assert_int_equal(envelope_seal("the seed", 8, "horse", &box, &why), 0);
	put_stick(&t, box.data, box.len, true);
	open_stick(&t, &stick);
	assert_int_equal(install_stick_source(&stick, 0, "house", &source, &why), -EKEYREJECTED);
	assert_string_equal(why.text, "'w1.seed': the passphrase is not the right one");
	assert_int_equal(install_stick_source(&stick, 0, "horse", &source, &why), 0);
	assert_int_equal(flash_source_read(&source, got, 8, DISK_SEED_OFFSET, &why), 0);
	assert_memory_equal(got, "the seed", 8);
	flash_source_done(&source);
	install_stick_done(&stick);
	text_done(&box);
	scratch_close(&t);
}

static void test_what_is_no_seed_makes_no_disk(void **state)
{
	struct scratch t = scratch_open();
	struct install_stick stick = { .fd = -1 };
	struct flash_source source = { 0 };
	struct fault why = { 0 };

	(void)state;
	put_stick(&t, "", 0, false);
	open_stick(&t, &stick);
	assert_int_equal(install_stick_source(&stick, 0, "", &source, &why), -EBADMSG);
	assert_string_equal(why.text, "'w1.seed': 0 bytes are no seed");
	assert_int_equal(unlinkat(t.fd, "g.raw", 0), 0);
	scratch_write(&t, "w1.seed", 0400, "seed");
	assert_int_equal(install_stick_source(&stick, 0, "", &source, &why), -ENOENT);
	install_stick_done(&stick);
	scratch_close(&t);
}

/* ---- the consoles --------------------------------------------------------------------------- */

static void test_every_console_is_told_and_any_may_answer(void **state)
{
	struct install_console c = { .n = 2 };
	int far[2];
	char line[INSTALL_LINE] = "", heard[64] = "";
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++)
		assert_int_equal(openpty(&far[i], &c.fds[i], NULL, NULL, NULL), 0);
	install_console_say(&c, "one\ntwo");
	for (i = 0; i < 2; i++) {
		memset(heard, 0, sizeof(heard));
		assert_true(read(far[i], heard, sizeof(heard) - 1) > 0);
		/* The terminal adds a return of its own. */
		assert_non_null(strstr(heard, "one\r"));
		assert_non_null(strstr(heard, "two"));
	}
	assert_int_equal(install_console_ask(&c, false, 10, line), 0);
	assert_int_equal(write(far[1], "S6Z1NX0T\r", 9), 9);
	assert_int_equal(install_console_ask(&c, false, 5000, line), 1);
	assert_string_equal(line, "S6Z1NX0T");
	install_console_done(&c);
	assert_int_equal(c.n, 0);
	close(far[0]);
	close(far[1]);
}

static void test_time_runs_no_faster_when_nobody_listens(void **state)
{
	struct install_console c = { .n = 1 };
	char line[INSTALL_LINE];
	struct timespec before, after;
	int far;

	(void)state;
	assert_int_equal(openpty(&far, &c.fds[0], NULL, NULL, NULL), 0);
	close(far);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(install_console_ask(&c, false, 300, line), 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true((after.tv_sec - before.tv_sec) * 1000 +
			    (after.tv_nsec - before.tv_nsec) / 1000000 >=
		    299);
	assert_int_equal(install_console_ask(&c, false, -1, line), 0);
	install_console_done(&c);
}

static void test_what_was_typed_before_answers_nothing(void **state)
{
	struct install_console c = { .n = 1 };
	char line[INSTALL_LINE];
	int far;

	(void)state;
	assert_int_equal(openpty(&far, &c.fds[0], NULL, NULL, NULL), 0);
	assert_int_equal(write(far, "\r", 1), 1);
	install_console_forget(&c);
	assert_int_equal(install_console_ask(&c, false, 50, line), 0);
	install_console_done(&c);
	close(far);
}

static void test_no_console_is_a_fault(void **state)
{
	struct scratch t = scratch_open();
	struct install_console c = { .n = 0 };
	struct fault why = { 0 };

	(void)state;
	scratch_write(&t, "sys/class/tty/console/active", 0444, "tty0 ttyS0\n");
	assert_int_equal(install_console_open(t.fd, &c, &why), -ENODEV);
	scratch_write(&t, "dev/ttyS0", 0600, "");
	assert_int_equal(install_console_open(t.fd, &c, &why), 0);
	assert_int_equal(c.n, 1);
	install_console_done(&c);
	scratch_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_disk_is_the_one_that_the_file_names_or_the_only_one),
		cmocka_unit_test(test_a_disk_that_cannot_be_read_is_none),
		cmocka_unit_test(test_arguments_of_the_kernel_are_whole_words),
		cmocka_unit_test(test_a_stranger_is_shown_as_lines_for_the_file),
		cmocka_unit_test(test_the_plan_names_machine_node_disk_and_what_is_lost),
		cmocka_unit_test(test_golden_and_seed_are_one_disk),
		cmocka_unit_test(test_a_sealed_seed_opens_with_its_passphrase_alone),
		cmocka_unit_test(test_what_is_no_seed_makes_no_disk),
		cmocka_unit_test(test_every_console_is_told_and_any_may_answer),
		cmocka_unit_test(test_time_runs_no_faster_when_nobody_listens),
		cmocka_unit_test(test_what_was_typed_before_answers_nothing),
		cmocka_unit_test(test_no_console_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
