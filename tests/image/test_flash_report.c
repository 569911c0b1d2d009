/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "base/macros.h"
#include "cluster/model.h"
#include "image/flash_job.h"
#include "image/flash_list.h"

#define GIB (1ULL << 30)

/* What programs read of flash: disks that it would take or not, and how each of three ended. */

static const struct target_facts server = {
	.name = "sdb",
	.kind = TARGET_DISK,
	.size_bytes = 480 * GIB,
	.sector_bytes = 512,
	.model = "Disk \"480\"",
	.serial = "S6Z1NX0T",
	.transport = "sata",
	.wwn = "0x5002538e40a0b0c0",
	.table = "gpt",
	.n_contents = 2,
	.contents = { { 1, "vfat", "ESP" }, { 2, "ext4", "old\\root" } },
};
static const struct target_facts used = {
	.name = "sda",
	.kind = TARGET_DISK,
	.size_bytes = 4 * GIB,
	.sector_bytes = 512,
	.holds_root = true,
	.mount = "/",
	.removable = true,
};
static const struct target_facts blank = {
	.name = "disk.raw", .kind = TARGET_FILE, .size_bytes = 20 * GIB, .blank = true
};

static char node_name[] = "gpu1", cluster_name[] = "lab", serial[] = "s6z1nx0t";
static struct model_node node = { .name = node_name, .disk = { .serial = serial } };
static const struct model model = { .name = cluster_name, .nodes = &node, .n_nodes = 1 };

static void judge(const struct target_facts *facts, struct target_verdict *ret)
{
	const struct target_want want = { .node = node_name,
					  .cluster = cluster_name,
					  .disk = &node.disk,
					  .image_bytes = 10 * GIB };

	target_judge(facts, &want, ret);
}

static void test_the_list_for_programs(void **state)
{
	static const struct target_facts *const facts[] = { &used, &server, &blank };
	struct flash_row *rows = calloc(COUNT(facts), sizeof(*rows));
	const struct flash_list list = { .rows = rows, .n = COUNT(facts) };
	struct text out = { 0 };
	size_t i;

	(void)state;
	assert_non_null(rows);
	for (i = 0; i < COUNT(facts); i++) {
		snprintf(rows[i].path, sizeof(rows[i].path), "/dev/%.16s", facts[i]->name);
		rows[i].facts = *facts[i];
		judge(facts[i], &rows[i].verdict);
	}
	rows[2].verdict.n = 0;
	snprintf(rows[2].trouble, sizeof(rows[2].trouble), "/dev/disk.raw: Permission denied");
	flash_list_json(&list, &model, &out);
	assert_golden("image/flash-list.json", text_str(&out));
	free(rows);
	text_done(&out);
}

static void fill(struct flash_job *job, const char *path, const struct target_facts *facts)
{
	*job = (struct flash_job){ .model = &model, .node = &node, .target.facts = *facts };
	job->target.path = (char *)(uintptr_t)path;
	job->source.size = 10 * GIB;
	judge(facts, &job->verdict);
}

static void test_the_report_for_programs(void **state)
{
	struct flash_job *jobs = calloc(3, sizeof(*jobs));
	struct text out = { 0 };

	(void)state;
	assert_non_null(jobs);
	fill(&jobs[0], "/dev/sdb", &server);
	jobs[0].result = (struct flash_result){ .data_bytes = 2 * GIB,
						.zero_bytes = 8 * GIB,
						.verified_bytes = 10 * GIB,
						.ms = { [FLASH_PREPARING] = 12,
							[FLASH_WRITING] = 20500,
							[FLASH_VERIFYING] = 10250,
							[FLASH_FINISHING] = 7 } };
	jobs[0].proof.by = FLASH_BY_SIGNATURE;
	fill(&jobs[1], "disk.raw", &blank);
	jobs[1].proof.by = FLASH_BY_SUMS;
	jobs[1].r = fault_set(&jobs[1].why, EIO, "it is unfinished: \"no\" reply");
	fill(&jobs[2], "/dev/sda", &used);
	jobs[2].r = 1;
	flash_report_json(jobs, 3, &out);
	assert_golden("image/flash-report.json", text_str(&out));
	free(jobs);
	text_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_list_for_programs),
		cmocka_unit_test(test_the_report_for_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
