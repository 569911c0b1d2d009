/* SPDX-License-Identifier: MIT */
#include "image/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/seed.h"
#include "image/args.h"
#include "image/build.h"
#include "image/copy.h"
#include "image/disk.h"
#include "image/fat.h"
#include "image/golden.h"
#include "image/record.h"
#include "image/seeding.h"
#include "image/sums_file.h"

/* The names of one node's files in the output folder; the paths are absolute. */
struct names {
	struct text disk, disk_temp, disk_temp_path;
	struct text seed_temp, seed_temp_path;
	const char *golden; /* file name */
};

const char *stamp_format_name(enum stamp_format format)
{
	static const char *const names[] = { [STAMP_QCOW2] = "qcow2", [STAMP_RAW] = "raw" };

	return names[format];
}

static void names_done(struct names *n)
{
	text_done(&n->disk);
	text_done(&n->disk_temp);
	text_done(&n->disk_temp_path);
	text_done(&n->seed_temp);
	text_done(&n->seed_temp_path);
}

static void name_files(const struct stamp *s, struct names *n)
{
	const char *node = s->node->name;

	text_addf(&n->disk, "%s.%s", node, stamp_format_name(s->format));
	text_addf(&n->disk_temp, ".unfinished-%s", text_str(&n->disk));
	text_addf(&n->disk_temp_path, "%s/%s", s->path, text_str(&n->disk_temp));
	text_addf(&n->seed_temp, ".unfinished-%s.seed", node);
	text_addf(&n->seed_temp_path, "%s/%s", s->path, text_str(&n->seed_temp));
	n->golden = strrchr(text_str(&s->golden->path), '/') + 1;
}

/* QEMU's own locks tell whether a machine has it open; the words are of its last line. */
static int refuse_used(const struct stamp *s, const struct names *n, struct fault *why)
{
	const char *const argv[] = { "qemu-img", "info",
				     "-f",	 stamp_format_name(s->format),
				     "--",	 text_str(&n->disk),
				     NULL };
	struct fault said = { 0 };

	if (faccessat(s->folder, text_str(&n->disk), F_OK, 0) < 0 ||
	    run(&(struct run){ .argv = argv, .dir = s->path }, &said) == 0 ||
	    (!strstr(said.text, "lock") && !strstr(said.text, "another process")))
		return 0;
	return fault_set(why, EBUSY,
			 "'%s' is in use by a machine: take it down first (rackseed vm down %s)",
			 text_str(&n->disk), s->node->name);
}

/* A temp file of the seed's size with the seed in it, readable by the owner alone. */
static int make_seed(const struct stamp *s, const struct names *n, const struct seed *seed,
		     const char *sum, struct fault *why)
{
	const struct fat fat = { .path = text_str(&n->seed_temp_path),
				 .size = SEED_BYTES,
				 .label = SEED_LABEL,
				 .epoch = s->build->epoch,
				 .serial = seeding_serial(sum, s->golden->key) };
	scoped(drop_fd) int fd = -1;

	if (unlinkat(s->folder, text_str(&n->seed_temp), 0) < 0 && errno != ENOENT)
		return fault_errno(why, errno, "%s", fat.path);
	fd = openat(s->folder, text_str(&n->seed_temp),
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, SEED_BYTES) < 0)
		return fault_errno(why, errno, "%s", fat.path);
	return seeding_write(&fat, seed, why);
}

/* The golden disk beside the nodes' disks: qcow2 finds it there by its name alone. */
static int place_golden(const struct stamp *s, const struct names *n, struct fault *why)
{
	static const char temp[] = ".unfinished-golden";
	const char *from = text_str(&s->golden->path);
	scoped(drop_fd) int in = -1;
	scoped(drop_fd) int out = -1;
	int r;

	if (faccessat(s->folder, n->golden, R_OK, 0) == 0 ||
	    linkat(AT_FDCWD, from, s->folder, n->golden, 0) == 0)
		return 0;
	in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return fault_errno(why, errno, "%s", from);
	r = copy_room(s->folder, s->path, copy_size(in), why);
	if (r < 0)
		return r;
	progress_phase(&s->build->progress, copy_size(in), "copying the golden disk");
	unlinkat(s->folder, temp, 0);
	out = openat(s->folder, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return fault_errno(why, errno, "%s/%s", s->path, temp);
	r = copy_sparse(in, out, &s->build->progress, why);
	if (r < 0)
		return r;
	if (fchmod(out, 0444) < 0 || fsync(out) < 0 ||
	    renameat(s->folder, temp, s->folder, n->golden) < 0)
		return fault_errno(why, errno, "%s/%s", s->path, n->golden);
	progress_end(&s->build->progress);
	return 0;
}

/* For qemu-io, and for this moment only: it is on no disk for certain, and need not be. */
static int write_part(const struct stamp *s, const char *name, const struct text *data,
		      struct fault *why)
{
	scoped(drop_fd) int fd = openat(
		s->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text_str(data), data->len) != (ssize_t)data->len)
		return fault_errno(why, errno, "%s/%s", s->path, name);
	return 0;
}

/* How much of the seed is not zero, as the golden disk is there: by whole clusters of qcow2. */
static int measure_seed(const struct stamp *s, const struct names *n, size_t *ret,
			struct fault *why)
{
	enum { CLUSTER = 1 << 16 };
	scoped(drop_fd) int fd =
		openat(s->folder, text_str(&n->seed_temp), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char data[CLUSTER];
	size_t at = SEED_BYTES;
	ssize_t got = 0;

	/* From its end, a piece at a time: to read it whole takes longer than all the rest. */
	for (; fd >= 0 && at > 0; at -= CLUSTER) {
		got = pread(fd, data, CLUSTER, (off_t)(at - CLUSTER));
		if (got != CLUSTER || data[0] || memcmp(data, data + 1, CLUSTER - 1) != 0)
			break;
	}
	explicit_bzero(data, sizeof(data));
	if (fd < 0 || got < 0)
		return fault_errno(why, errno, "%s/%s", s->path, text_str(&n->seed_temp));
	if (got != CLUSTER)
		return fault_set(why, EBADMSG, "%s/%s is no seed", s->path,
				 text_str(&n->seed_temp));
	*ret = at;
	return 0;
}

/* Puts seed and partition table over the golden disk; the table fits the larger disk. */
static int fill_qcow2(const struct stamp *s, const struct names *n, uint64_t bytes,
		      struct fault *why)
{
	static const char head_name[] = ".unfinished-head", tail_name[] = ".unfinished-tail";
	scoped(text_done) struct text head = { 0 };
	scoped(text_done) struct text tail = { 0 };
	scoped(args_done) struct args argv = { 0 };
	size_t seed = 0;
	int r = disk_table(text_str(&s->golden->path), bytes, &head, &tail, why);

	if (r == 0)
		r = write_part(s, head_name, &head, why);
	if (r == 0)
		r = write_part(s, tail_name, &tail, why);
	if (r == 0)
		r = measure_seed(s, n, &seed, why);
	if (r < 0)
		return r;
	args_add(&argv, "qemu-io");
	args_add(&argv, "-f");
	args_add(&argv, "qcow2");
	/* It goes to the disk once, when all of it is there. */
	args_add(&argv, "-t");
	args_add(&argv, "unsafe");
	args_add(&argv, "-c");
	args_add(&argv, "write -q -s %s 0 %d", head_name, DISK_HEAD);
	args_add(&argv, "-c");
	args_add(&argv, "write -q -s %s %llu %d", tail_name,
		 (unsigned long long)(bytes - DISK_BACKUP), DISK_BACKUP);
	args_add(&argv, "-c");
	args_add(&argv, "write -q -s %s %d %zu", text_str(&n->seed_temp), DISK_SEED_OFFSET, seed);
	args_add(&argv, "%s", text_str(&n->disk_temp));
	r = args_list(&argv) ? run(&(struct run){ .argv = args_list(&argv), .dir = s->path }, why)
			     : fault_errno(why, ENOMEM, "qemu-io");
	unlinkat(s->folder, head_name, 0);
	unlinkat(s->folder, tail_name, 0);
	return r;
}

static int make_qcow2(const struct stamp *s, const struct names *n, uint64_t bytes,
		      struct fault *why)
{
	char size[32];
	const char *const create[] = {
		"qemu-img", "create", "-q", "-f",      "qcow2",
		"-F",	    "raw",    "-b", n->golden, text_str(&n->disk_temp),
		size,	    NULL
	};
	int r = place_golden(s, n, why);

	if (r < 0)
		return r;
	snprintf(size, sizeof(size), "%llu", (unsigned long long)bytes);
	/* Run in the folder: the names are then relative, and the folder can be moved. */
	r = run(&(struct run){ .argv = create, .dir = s->path }, why);
	return r < 0 ? r : fill_qcow2(s, n, bytes, why);
}

static int make_raw(const struct stamp *s, const struct names *n, uint64_t bytes, struct fault *why)
{
	scoped(drop_fd) int from = open(text_str(&s->golden->path), O_RDONLY | O_CLOEXEC);
	scoped(drop_fd) int seed = openat(s->folder, text_str(&n->seed_temp), O_RDONLY | O_CLOEXEC);
	scoped(drop_fd) int to = -1;
	scoped(text_wipe) struct text data = { 0 };
	size_t len = 0;
	int r;

	if (from < 0 || seed < 0)
		return fault_errno(why, errno, "%s", text_str(&s->golden->path));
	r = copy_room(s->folder, s->path, copy_size(from) + SEED_BYTES, why);
	if (r == 0)
		r = measure_seed(s, n, &len, why);
	if (r == 0)
		r = fs_read(s->folder, text_str(&n->seed_temp), SEED_BYTES, &data, why);
	if (r < 0)
		return r;
	to = openat(s->folder, text_str(&n->disk_temp),
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return fault_errno(why, errno, "%s", text_str(&n->disk_temp_path));
	progress_phase(&s->build->progress, copy_size(from), "%s", s->node->name);
	r = copy_sparse(from, to, &s->build->progress, why);
	if (r < 0)
		return r;
	if (pwrite(to, data.data, len, DISK_SEED_OFFSET) != (ssize_t)len ||
	    ftruncate(to, (off_t)bytes) < 0)
		return fault_errno(why, errno, "%s", text_str(&n->disk_temp_path));
	return disk_lengthen(text_str(&n->disk_temp_path), why);
}

static int make_disk(const struct stamp *s, const struct names *n, uint64_t bytes,
		     struct fault *why)
{
	scoped(drop_fd) int fd = -1;
	int r;

	if (unlinkat(s->folder, text_str(&n->disk_temp), 0) < 0 && errno != ENOENT)
		return fault_errno(why, errno, "%s", text_str(&n->disk_temp_path));
	r = s->format == STAMP_RAW ? make_raw(s, n, bytes, why) : make_qcow2(s, n, bytes, why);
	if (r < 0)
		return r;
	fd = openat(s->folder, text_str(&n->disk_temp), O_RDWR | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0600) < 0 || fsync(fd) < 0 ||
	    renameat(s->folder, text_str(&n->disk_temp), s->folder, text_str(&n->disk)) < 0 ||
	    fsync(s->folder) < 0)
		return fault_errno(why, errno, "%s/%s", s->path, text_str(&n->disk));
	return 0;
}

static bool is_current(const struct stamp *s, const struct record_node *want)
{
	const struct record_node *have = record_find(s->record, s->node->name);

	return have && !s->force && strcmp(have->disk, want->disk) == 0 &&
	       strcmp(have->golden, want->golden) == 0 && have->bytes == want->bytes &&
	       strcmp(have->seed_sha256, want->seed_sha256) == 0 &&
	       faccessat(s->folder, want->disk, R_OK, 0) == 0 &&
	       (s->format == STAMP_RAW || faccessat(s->folder, want->golden, R_OK, 0) == 0);
}

/* The machine's disk, or just the golden disk's size for a server of unknown disk. */
static int find_size(const struct stamp *s, uint64_t *ret_bytes, struct fault *why)
{
	struct stat st;

	if (stat(text_str(&s->golden->path), &st) < 0)
		return fault_errno(why, errno, "%s", text_str(&s->golden->path));
	*ret_bytes = (uint64_t)st.st_size;
	if (s->node->vm.mark.line == 0 || s->node->vm.disk_bytes == 0)
		return 0;
	if (s->node->vm.disk_bytes < *ret_bytes)
		return fault_set(why, ENOSPC,
				 "node '%s': vm.disk is smaller than the image, which has %llu MiB",
				 s->node->name, (unsigned long long)(*ret_bytes >> 20));
	*ret_bytes = s->node->vm.disk_bytes;
	return 0;
}

static int stamp(const struct stamp *s, const struct names *n, const struct seed *seed,
		 const struct record_node *want, struct fault *why)
{
	int r = refuse_used(s, n, why);
	int end;

	if (r == 0)
		r = copy_room(s->folder, s->path, 3 * (uint64_t)SEED_BYTES, why);
	if (r == 0)
		r = make_seed(s, n, seed, want->seed_sha256, why);
	if (r == 0)
		r = make_disk(s, n, want->bytes, why);
	end = unlinkat(s->folder, text_str(&n->seed_temp), 0) < 0 ? errno : 0;
	if (r < 0) {
		unlinkat(s->folder, text_str(&n->disk_temp), 0);
		return fault_wrap(why, "node '%s'", s->node->name);
	}
	return end ? fault_errno(why, end, "%s", text_str(&n->seed_temp_path)) : 0;
}

int stamp_node(const struct stamp *s, struct fault *why)
{
	scoped(names_done) struct names n = { 0 };
	scoped(seed_done) struct seed seed = { 0 };
	char sum[DIGEST_LEN];
	struct record_node want = { .name = s->node->name, .seed_sha256 = sum };
	int r = seeding_gather(s->build, s->node, &seed, sum, why);

	if (r == 0)
		r = find_size(s, &want.bytes, why);
	if (r < 0)
		return r;
	name_files(s, &n);
	want.disk = n.disk.data;
	want.golden = (char *)(uintptr_t)n.golden;
	want.format = (char *)(uintptr_t)stamp_format_name(s->format);
	if (is_current(s, &want))
		return STAMP_SAME;
	r = stamp(s, &n, &seed, &want, why);
	if (r == 0 && s->sums)
		r = sums_add_file(s->sums, s->folder, want.disk, &s->build->progress, why);
	if (r < 0)
		return r;
	progress_end(&s->build->progress);
	return record_put(s->record, &want) < 0 ? fault_errno(why, ENOMEM, "record") : STAMP_MADE;
}
