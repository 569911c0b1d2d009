/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "base/macros.h"
#include "base/run.h"
#include "cluster/model.h"
#include "cluster/seed.h"
#include "image/build.h"
#include "image/disk.h"
#include "image/golden.h"
#include "image/record.h"
#include "image/stamp.h"
#include "image/sums_file.h"
#include "tests/image/scratch.h"

enum { ROOT = 4 << 20, SIZE = DISK_ROOT_OFFSET + ROOT + DISK_TAIL, VM_DISK = 200 << 20 };

static const char private_key[] = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx7fVx\n";

/* A cluster of two with its secrets, a golden disk with a table and nothing in it. */
struct setting {
	struct scratch s;
	struct model_node nodes[2];
	struct model model;
	struct build build;
	struct golden golden;
	struct record record;
	struct sums sums;
};

static void make_golden(struct setting *t)
{
	struct disk_ids ids;
	struct fault why = { 0 };

	scratch_file(&t->s, "golden-0123.raw", SIZE);
	text_addf(&t->golden.path, "%s/golden-0123.raw", t->s.path);
	assert_int_equal(disk_ids("0123", &ids, &why), 0);
	assert_int_equal(disk_partition(text_str(&t->golden.path), &ids, ROOT, &why), 0);
}

static void set_up(struct setting *t)
{
	*t = (struct setting){ .s = scratch_open() };
	scratch_write(&t->s, "secrets/pki/ca.crt", 0600, "the CA's certificate\n");
	scratch_write(&t->s, "secrets/pki/ca.key", 0600, private_key);
	scratch_write(&t->s, "secrets/pki/etcd/ca.crt", 0600, "etcd's certificate\n");
	scratch_write(&t->s, "secrets/pki/etcd/ca.key", 0600, "etcd's key\n");
	scratch_write(&t->s, "secrets/pki/front-proxy-ca.crt", 0600, "another\n");
	scratch_write(&t->s, "secrets/pki/front-proxy-ca.key", 0600, "its key\n");
	scratch_write(&t->s, "secrets/pki/sa.key", 0600, "service accounts\n");
	scratch_write(&t->s, "secrets/pki/sa.pub", 0600, "service accounts\n");
	scratch_write(&t->s, "secrets/token", 0600, "abcdef.0123456789abcdef\n");
	scratch_write(&t->s, "secrets/pki/status/master.crt", 0600, "its endpoint's\n");
	scratch_write(&t->s, "secrets/pki/status/master.key", 0600, "its endpoint's key\n");
	scratch_write(&t->s, "secrets/pki/status/worker.crt", 0600, "its endpoint's\n");
	scratch_write(&t->s, "secrets/pki/status/worker.key", 0600, "its endpoint's key\n");
	t->nodes[0] = (struct model_node){ .name = (char *)(uintptr_t) "master",
					   .roles = MODEL_CONTROL_PLANE };
	t->nodes[1] = (struct model_node){ .name = (char *)(uintptr_t) "worker",
					   .roles = MODEL_WORKER,
					   .vm = { 1, 1 << 30, VM_DISK, { 1, 1 } } };
	t->model = (struct model){ .name = (char *)(uintptr_t) "lab",
				   .nodes = t->nodes,
				   .n_nodes = 2 };
	t->build = (struct build){ .model = &t->model,
				   .folder = t->s.fd,
				   .folder_path = t->s.path,
				   .source = "name: lab\n",
				   .source_len = 10,
				   .epoch = 1767225600 };
	progress_init(&t->build.progress, true);
	assert_int_equal(mkdirat(t->s.fd, "out", 0755), 0);
	make_golden(t);
}

static void tear_down(struct setting *t)
{
	record_done(&t->record);
	sums_done(&t->sums);
	golden_done(&t->golden);
	scratch_close(&t->s);
}

static int stamp(struct setting *t, size_t node, enum stamp_format format, bool force,
		 struct fault *why)
{
	char path[256];
	const struct stamp s = { .build = &t->build,
				 .golden = &t->golden,
				 .node = &t->nodes[node],
				 .record = &t->record,
				 .sums = &t->sums,
				 .folder = openat(t->s.fd, "out", O_RDONLY | O_DIRECTORY),
				 .path = scratch_path(&t->s, "out", path),
				 .format = format,
				 .force = force };
	int r = stamp_node(&s, why);

	close(s.folder);
	return r;
}

static void must_stamp(struct setting *t, size_t node, enum stamp_format format, int outcome)
{
	struct fault why = { 0 };
	int r = stamp(t, node, format, false, &why);

	if (r < 0)
		fail_msg("%s", why.text);
	assert_int_equal(r, outcome);
}

/* What mtools reads at the seed's place. */
static struct text read_seed(const struct setting *t, const char *disk, const char *file)
{
	char image[256], path[64];
	const char *const argv[] = { "mtype", "-i", image, path, NULL };
	struct text out = { 0 };
	struct fault why = { 0 };

	snprintf(image, sizeof(image), "%s@@%d", disk, DISK_SEED_OFFSET);
	snprintf(path, sizeof(path), "::%s", file);
	if (run(&(struct run){ .argv = argv, .out = &out, .dir = t->s.path }, &why) < 0)
		fail_msg("%s", why.text);
	return out;
}

static void test_a_raw_disk_is_golden_with_a_seed(void **state)
{
	struct text name, document, disk, golden;
	struct setting t;
	struct stat st;

	(void)state;
	set_up(&t);
	must_stamp(&t, 1, STAMP_RAW, STAMP_MADE);
	name = read_seed(&t, "out/worker.raw", "node");
	document = read_seed(&t, "out/worker.raw", "cluster.yaml");
	assert_string_equal(text_str(&name), "worker\n");
	assert_string_equal(text_str(&document), "name: lab\n");
	assert_int_equal(fstatat(t.s.fd, "out/worker.raw", &st, 0), 0);
	assert_int_equal(st.st_size, VM_DISK);
	assert_int_equal(st.st_mode & 07777, 0600);
	disk = scratch_read(&t.s, "out/worker.raw");
	golden = scratch_read(&t.s, "golden-0123.raw");
	assert_memory_equal(disk.data + DISK_ROOT_OFFSET, golden.data + DISK_ROOT_OFFSET, ROOT);
	text_done(&name);
	text_done(&document);
	text_done(&disk);
	text_done(&golden);
	tear_down(&t);
}

static void test_both_formats_hold_the_same_disk(void **state)
{
	static const char *const argv[] = {
		"qemu-img",	  "compare",	      "-f", "raw", "-F", "qcow2",
		"out/worker.raw", "out/worker.qcow2", NULL
	};
	struct fault why = { 0 };
	struct setting t;

	(void)state;
	set_up(&t);
	must_stamp(&t, 1, STAMP_RAW, STAMP_MADE);
	must_stamp(&t, 1, STAMP_QCOW2, STAMP_MADE);
	if (run(&(struct run){ .argv = argv, .dir = t.s.path }, &why) < 0)
		fail_msg("%s", why.text);
	tear_down(&t);
}

static void test_one_node_more_costs_its_seed_and_no_mebibyte(void **state)
{
	struct setting t;
	struct stat st;
	size_t i;

	(void)state;
	set_up(&t);
	for (i = 0; i < 2; i++)
		must_stamp(&t, i, STAMP_QCOW2, STAMP_MADE);
	assert_int_equal(fstatat(t.s.fd, "out/master.qcow2", &st, 0), 0);
	assert_in_range(st.st_blocks * 512, 1, 1 << 20);
	assert_in_range(st.st_size, 1, 1 << 20);
	assert_int_equal(fstatat(t.s.fd, "out/worker.qcow2", &st, 0), 0);
	assert_in_range(st.st_blocks * 512, 1, 1 << 20);
	tear_down(&t);
}

static void test_a_workers_disk_holds_no_private_key(void **state)
{
	struct text worker, master;
	struct setting t;

	(void)state;
	set_up(&t);
	must_stamp(&t, 1, STAMP_QCOW2, STAMP_MADE);
	must_stamp(&t, 0, STAMP_QCOW2, STAMP_MADE);
	worker = scratch_read(&t.s, "out/worker.qcow2");
	master = scratch_read(&t.s, "out/master.qcow2");
	assert_null(memmem(worker.data, worker.len, private_key, strlen(private_key)));
	assert_non_null(memmem(master.data, master.len, private_key, strlen(private_key)));
	text_done(&worker);
	text_done(&master);
	tear_down(&t);
}

static void test_a_disk_is_made_again_only_when_something_changed(void **state)
{
	struct fault why = { 0 };
	struct setting t;

	(void)state;
	set_up(&t);
	must_stamp(&t, 1, STAMP_QCOW2, STAMP_MADE);
	must_stamp(&t, 1, STAMP_QCOW2, STAMP_SAME);
	scratch_write(&t.s, "secrets/token", 0600, "fedcba.0123456789abcdef\n");
	must_stamp(&t, 1, STAMP_QCOW2, STAMP_MADE);
	t.nodes[1].vm.disk_bytes += 1 << 20;
	must_stamp(&t, 1, STAMP_QCOW2, STAMP_MADE);
	must_stamp(&t, 1, STAMP_QCOW2, STAMP_SAME);
	assert_int_equal(stamp(&t, 1, STAMP_QCOW2, true, &why), STAMP_MADE);
	assert_int_equal(unlinkat(t.s.fd, "out/worker.qcow2", 0), 0);
	must_stamp(&t, 1, STAMP_QCOW2, STAMP_MADE);
	tear_down(&t);
}

/* Names in the output folder that do not look finished. */
static size_t count_unfinished(const struct setting *t)
{
	static const char *const argv[] = { "find", "out", "-name", ".*", NULL };
	struct text out = { 0 };
	struct fault why = { 0 };
	size_t n;

	assert_int_equal(run(&(struct run){ .argv = argv, .out = &out, .dir = t->s.path }, &why),
			 0);
	n = out.len;
	text_done(&out);
	return n;
}

static void test_faults_name_the_node_and_leave_nothing(void **state)
{
	struct fault why = { 0 };
	struct setting t;

	(void)state;
	set_up(&t);
	t.nodes[1].vm.disk_bytes = 1 << 20;
	assert_int_equal(stamp(&t, 1, STAMP_QCOW2, false, &why), -ENOSPC);
	assert_non_null(strstr(why.text, "node 'worker': vm.disk is smaller than the image"));
	t.nodes[1].vm.disk_bytes = VM_DISK;
	assert_int_equal(unlinkat(t.s.fd, "secrets/pki/ca.crt", 0), 0);
	assert_int_equal(stamp(&t, 1, STAMP_QCOW2, false, &why), -ENOENT);
	assert_string_equal(why.text, "node 'worker': secrets/pki/ca.crt is not there: run "
				      "'rackseed secrets'");
	assert_int_equal(count_unfinished(&t), 0);
	assert_int_equal(faccessat(t.s.fd, "out/worker.qcow2", F_OK, 0), -1);
	tear_down(&t);
}

/* Whether somebody holds a lock on the file. To ask by qemu-img would be to hold one ourselves. */
static bool is_locked(const char *path)
{
	scoped(text_done) struct text locks = { 0 };
	struct fault why = { 0 };
	struct stat st;
	char inode[32];

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(fs_read(AT_FDCWD, "/proc/locks", 1 << 20, &locks, &why), 0);
	snprintf(inode, sizeof(inode), ":%ju ", (uintmax_t)st.st_ino);
	return strstr(text_str(&locks), inode);
}

static void test_a_disk_that_a_machine_uses_is_left_alone(void **state)
{
	struct fault why = { 0 };
	struct setting t;
	char disk[256];
	const struct timespec pause = { .tv_nsec = 50000000 };
	pid_t pid;
	int r, i;

	(void)state;
	set_up(&t);
	must_stamp(&t, 1, STAMP_QCOW2, STAMP_MADE);
	pid = fork();
	if (pid == 0) {
		execlp("qemu-io", "qemu-io", "-f", "qcow2", "-c", "sleep 60000",
		       scratch_path(&t.s, "out/worker.qcow2", disk), (char *)NULL);
		_exit(127);
	}
	scratch_path(&t.s, "out/worker.qcow2", disk);
	for (i = 0; i < 1200 && !is_locked(disk); i++)
		nanosleep(&pause, NULL);
	r = stamp(&t, 1, STAMP_QCOW2, true, &why);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(r, -EBUSY);
	assert_string_equal(why.text, "node 'worker': 'worker.qcow2' is in use by a machine: take "
				      "it down first (rackseed vm down worker)");
	tear_down(&t);
}

static void test_a_made_disk_leaves_only_itself_and_its_golden(void **state)
{
	struct setting t;

	(void)state;
	set_up(&t);
	must_stamp(&t, 0, STAMP_QCOW2, STAMP_MADE);
	must_stamp(&t, 1, STAMP_RAW, STAMP_MADE);
	assert_int_equal(count_unfinished(&t), 0);
	assert_int_equal(faccessat(t.s.fd, "out/golden-0123.raw", F_OK, 0), 0);
	tear_down(&t);
}

static void test_a_made_disk_has_its_sum(void **state)
{
	static const char *const argv[] = { "sha256sum", "-c", "--strict", SUMS_NAME, NULL };
	struct text out = { 0 };
	struct fault why = { 0 };
	struct setting t;
	char path[256];

	(void)state;
	set_up(&t);
	must_stamp(&t, 0, STAMP_QCOW2, STAMP_MADE);
	must_stamp(&t, 1, STAMP_RAW, STAMP_MADE);
	sums_render(&t.sums, &out);
	scratch_write(&t.s, "out/" SUMS_NAME, 0644, text_str(&out));
	text_done(&out);
	if (run(&(struct run){ .argv = argv,
			       .out = &out,
			       .dir = scratch_path(&t.s, "out", path) },
		&why) < 0)
		fail_msg("%s", why.text);
	assert_string_equal(text_str(&out), "master.qcow2: OK\nworker.raw: OK\n");
	sums_drop(&t.sums, "master.qcow2");
	must_stamp(&t, 0, STAMP_QCOW2, STAMP_SAME);
	assert_null(sums_find(&t.sums, "master.qcow2")); /* it may have been changed since */
	text_done(&out);
	tear_down(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_raw_disk_is_golden_with_a_seed),
		cmocka_unit_test(test_both_formats_hold_the_same_disk),
		cmocka_unit_test(test_one_node_more_costs_its_seed_and_no_mebibyte),
		cmocka_unit_test(test_a_workers_disk_holds_no_private_key),
		cmocka_unit_test(test_a_disk_is_made_again_only_when_something_changed),
		cmocka_unit_test(test_faults_name_the_node_and_leave_nothing),
		cmocka_unit_test(test_a_disk_that_a_machine_uses_is_left_alone),
		cmocka_unit_test(test_a_made_disk_leaves_only_itself_and_its_golden),
		cmocka_unit_test(test_a_made_disk_has_its_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
