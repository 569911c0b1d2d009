/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libfdisk/libfdisk.h>

#include "image/flash_io.h"
#include "image/flash_map.h"
#include "image/flash_ring.h"
#include "image/flash_source.h"
#include "image/flash_table.h"
#include "image/flash_write.h"
#include "image/target_probe.h"

enum { MIB = 1 << 20, IMAGE = 12 * MIB };

/* ---- the map -------------------------------------------------------------------------------- */

static void map_text(const struct flash_map *map, struct text *out)
{
	size_t i;

	for (i = 0; i < map->n; i++)
		text_addf(out, "%s%c%llu+%llu", i ? " " : "",
			  map->runs[i].kind == FLASH_DATA ? 'd' : 'z',
			  (unsigned long long)(map->runs[i].start / FLASH_BLOCK),
			  (unsigned long long)(map->runs[i].length / FLASH_BLOCK));
}

/* All in blocks of FLASH_BLOCK but for the odd ones in bytes. */
static const struct {
	struct flash_extent extents[3];
	size_t n_extents;
	struct flash_range unused[3];
	size_t n_unused;
	uint64_t first, end;
	const char *map;
} maps[] = {
	{ { { 0 } }, 0, { { 0 } }, 0, 0, 0, "" },
	{ { { 0 } }, 0, { { 0 } }, 0, 4, 10, "z4+6" },
	{ { { 2, 3, 0, 0 } }, 1, { { 0 } }, 0, 0, 10, "z0+2 d2+3 z5+5" },
	{ { { 2, 3, 0, 0 } }, 1, { { 0 } }, 0, 3, 10, "d3+2 z5+5" },
	{ { { 2, 30, 0, 0 } }, 1, { { 0 } }, 0, 0, 10, "z0+2 d2+8" },
	{ { { 2, 3, 0, 0 }, { 5, 1, 9, 0 } }, 2, { { 0 } }, 0, 0, 10, "z0+2 d2+4 z6+4" },
	/* what is unused keeps its zeros away, and never data */
	{ { { 2, 3, 0, 0 } }, 1, { { 0, 10 } }, 1, 0, 10, "d2+3" },
	{ { { 2, 3, 0, 0 } }, 1, { { 1, 6 } }, 1, 0, 10, "z0+1 d2+3 z7+3" },
	{ { { 2, 3, 0, 0 } }, 1, { { 6, 1 }, { 8, 1 } }, 2, 0, 10, "z0+2 d2+3 z5+1 z7+1 z9+1" },
	{ { { 2, 1, 0, 0 }, { 8, 1, 0, 0 } },
	  2,
	  { { 0, 1 }, { 4, 2 }, { 9, 9 } },
	  3,
	  0,
	  12,
	  "z1+1 d2+1 z3+1 z6+2 d8+1" },
};

static void test_every_block_is_data_or_zero_or_left_alone(void **state)
{
	struct fault why;
	size_t i;

	(void)state;
	CASES (c, maps) {
		struct flash_extent extents[3];
		struct flash_range unused[3];
		struct flash_source source = { .extents = extents, .n_extents = c->n_extents };
		struct flash_map map = { 0 };
		struct text got = { 0 };

		for (i = 0; i < 3; i++) {
			extents[i] = c->extents[i];
			extents[i].start *= FLASH_BLOCK;
			extents[i].length *= FLASH_BLOCK;
			extents[i].offset *= FLASH_BLOCK;
			unused[i].start = c->unused[i].start * FLASH_BLOCK;
			unused[i].length = c->unused[i].length * FLASH_BLOCK;
		}
		assert_int_equal(flash_map_make(&source, unused, c->n_unused,
						c->first * FLASH_BLOCK, c->end * FLASH_BLOCK, &map,
						&why),
				 0);
		map_text(&map, &got);
		assert_string_equal(text_str(&got), c->map);
		flash_map_done(&map);
		text_done(&got);
	}
}

static void test_data_is_rounded_outwards_and_never_twice(void **state)
{
	struct flash_extent extents[] = { { 4096 + 512, 100, 0, 0 }, { 4096 + 2048, 3000, 0, 0 } };
	struct flash_source source = { .extents = extents, .n_extents = 2 };
	struct flash_map map = { 0 };
	struct fault why;

	(void)state;
	assert_int_equal(flash_map_make(&source, NULL, 0, 0, 5 * 4096, &map, &why), 0);
	assert_int_equal(map.n, 3);
	assert_int_equal(map.runs[1].start, 4096);
	assert_int_equal(map.runs[1].length, 2 * 4096);
	assert_int_equal(map.data_bytes + map.zero_bytes, 5 * 4096);
	flash_map_done(&map);
}

/* ---- images --------------------------------------------------------------------------------- */

static int scratch(uint64_t size)
{
	char path[] = "/tmp/rackseed-flash-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void fill(int fd, uint64_t offset, size_t n, unsigned char seed)
{
	unsigned char *p = malloc(n);
	size_t i;

	assert_non_null(p);
	for (i = 0; i < n; i++)
		p[i] = (unsigned char)(seed + i * 7 + (i >> 8) + (i >> 16)) | 1;
	assert_int_equal(pwrite(fd, p, n, (off_t)offset), (ssize_t)n);
	free(p);
}

/* A GPT with one partition from 1 MiB to the end. */
static void partition(int fd)
{
	struct fdisk_context *cxt = fdisk_new_context();
	struct fdisk_partition *p = fdisk_new_partition();

	assert_int_equal(fdisk_assign_device_by_fd(cxt, fd, "image", 0), 0);
	assert_int_equal(fdisk_create_disklabel(cxt, "gpt"), 0);
	fdisk_partition_partno_follow_default(p, 1);
	fdisk_partition_start_follow_default(p, 1);
	fdisk_partition_end_follow_default(p, 1);
	assert_int_equal(fdisk_add_partition(cxt, p, NULL), 0);
	assert_int_equal(fdisk_write_disklabel(cxt), 0);
	fdisk_deassign_device(cxt, 1);
	fdisk_unref_partition(p);
	fdisk_unref_context(cxt);
}

struct image {
	int fd;
	struct flash_source source;
	struct flash_extent extents[2];
	struct flash_map map;
	struct flash_table table;
	struct flash_order order;
	struct flash_progress progress;
};

/* 12 MiB: a table, zeros, data at 2 to 7 MiB with a hole of zeros inside that are stored. */
static void make_image(struct image *im, uint64_t target)
{
	struct fault why = { 0 };

	memset(im, 0, sizeof(*im));
	im->fd = scratch(IMAGE);
	fill(im->fd, 0, 440, 9); /* boot code */
	partition(im->fd);
	fill(im->fd, 2 * MIB, 2 * MIB, 1);
	fill(im->fd, 5 * MIB, 2 * MIB, 2);
	im->extents[0] = (struct flash_extent){ 0, 8 * MIB, 0, im->fd };
	im->extents[1] = (struct flash_extent){ 11 * MIB, MIB, 11 * MIB, im->fd };
	im->source = (struct flash_source){ .size = IMAGE, .extents = im->extents, .n_extents = 2 };
	if (flash_table_make(&im->source, target, &im->table, &why) < 0 ||
	    flash_map_make(&im->source, NULL, 0, FLASH_HEAD, im->table.image_end, &im->map, &why) <
		    0)
		fail_msg("%s", why.text);
	im->order = (struct flash_order){ &im->source, &im->map, &im->table, true, NULL };
}

static void drop_image(struct image *im)
{
	flash_map_done(&im->map);
	flash_table_done(&im->table);
	close(im->fd);
}

static bool same_bytes(int a, int b, uint64_t offset, size_t n)
{
	unsigned char *x = malloc(n), *y = malloc(n);
	bool same = pread(a, x, n, (off_t)offset) == (ssize_t)n &&
		    pread(b, y, n, (off_t)offset) == (ssize_t)n && memcmp(x, y, n) == 0;

	free(x);
	free(y);
	return same;
}

static bool is_zero(int fd, uint64_t offset, size_t n)
{
	unsigned char *x = malloc(n);
	bool zero = pread(fd, x, n, (off_t)offset) == (ssize_t)n && x[0] == 0 &&
		    memcmp(x, x + 1, n - 1) == 0;

	free(x);
	return zero;
}

/* The header of a GPT at sector, or NULL; it tells its own place and the other's. */
static bool has_gpt(int fd, uint64_t sector, uint64_t other)
{
	unsigned char h[512];
	uint64_t own, away;

	if (pread(fd, h, sizeof(h), (off_t)(sector * 512)) != sizeof(h))
		return false;
	memcpy(&own, h + 24, 8);
	memcpy(&away, h + 32, 8);
	return memcmp(h, "EFI PART", 8) == 0 && own == sector && away == other;
}

static void test_a_target_becomes_the_image_with_its_backup_at_the_end(void **state)
{
	static const uint64_t sizes[] = { IMAGE, IMAGE + 512, 40 * MIB, 1000ULL * MIB };
	struct flash_result result;
	struct fault why = { 0 };
	struct image im;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		int target = scratch(sizes[i]);
		uint64_t last = sizes[i] / 512 - 1;

		make_image(&im, sizes[i]);
		fill(target, 3 * MIB, 8 * MIB, 77); /* what was there before */
		fill(target, sizes[i] - 4 * MIB, 4 * MIB, 78);
		if (flash_write(target, &im.order, &im.progress, &result, &why) < 0)
			fail_msg("%s", why.text);
		assert_true(same_bytes(im.fd, target, 0, 440));
		assert_true(same_bytes(im.fd, target, MIB, 10 * MIB));
		assert_true(has_gpt(target, 1, last));
		assert_true(has_gpt(target, last, 1));
		assert_true(same_bytes(im.table.fd, target, 0, MIB));
		assert_int_equal(atomic_load(&im.progress.phase), FLASH_FINISHED);
		assert_true(result.data_bytes < 6 * MIB); /* zeros that were stored are no data */
		assert_true(result.verified_bytes ==
			    im.map.data_bytes + im.map.zero_bytes + MIB + im.table.tail_bytes);
		drop_image(&im);
		close(target);
	}
}

static void test_the_partitions_stay_and_only_the_usable_end_moves(void **state)
{
	struct target_partition a[4], b[4];
	struct fault why = { 0 };
	struct image im;

	(void)state;
	make_image(&im, 100ULL * MIB);
	assert_int_equal(target_partitions(im.fd, a, 4, &why), 1);
	assert_int_equal(target_partitions(im.table.fd, b, 4, &why), 1);
	assert_true(a[0].start == b[0].start && a[0].length == b[0].length);
	assert_int_equal(im.table.tail_bytes, 33 * 512);
	assert_true(im.table.image_end == IMAGE - 33 * 512);
	drop_image(&im);
}

static void test_a_file_that_is_empty_grows_to_the_image(void **state)
{
	struct flash_result result;
	struct fault why = { 0 };
	int target = scratch(0);
	struct image im;
	struct stat st;

	(void)state;
	make_image(&im, IMAGE);
	assert_int_equal(flash_write(target, &im.order, &im.progress, &result, &why), 0);
	assert_int_equal(fstat(target, &st), 0);
	assert_int_equal(st.st_size, IMAGE);
	assert_true(same_bytes(im.fd, target, 0, IMAGE));
	drop_image(&im);
	close(target);
}

static void test_no_table_is_left_when_it_is_stopped(void **state)
{
	struct flash_result result;
	struct fault why = { 0 };
	int target = scratch(20 * MIB);
	struct image im;

	(void)state;
	make_image(&im, 20 * MIB);
	partition(target); /* an old table */
	fill(target, 2 * MIB, MIB, 5);
	atomic_store(&im.progress.stop, true);
	assert_int_equal(flash_write(target, &im.order, &im.progress, &result, &why), -ECANCELED);
	assert_non_null(strstr(why.text, "stopped; it is unfinished: it has no partition table"));
	assert_true(is_zero(target, 0, MIB));
	assert_true(is_zero(target, 19 * MIB, MIB));
	drop_image(&im);
	close(target);
}

/* A source that gives other bytes each time is what a disk that forgets looks like. */
static void test_what_reads_back_otherwise_is_no_node(void **state)
{
	struct flash_result result;
	struct fault why = { 0 };
	int target = scratch(IMAGE), noise = open("/dev/urandom", O_RDONLY);
	struct image im;

	(void)state;
	make_image(&im, IMAGE);
	im.extents[0].length = 4 * MIB;
	im.extents[1] = (struct flash_extent){ 6 * MIB, MIB, 0, noise };
	assert_int_equal(flash_write(target, &im.order, &im.progress, &result, &why), -EIO);
	assert_non_null(strstr(why.text, "is not what was written"));
	assert_non_null(strstr(why.text, "no partition table"));
	assert_true(is_zero(target, 0, MIB));
	im.order.verify = false;
	assert_int_equal(flash_write(target, &im.order, &im.progress, &result, &why), 0);
	assert_true(has_gpt(target, 1, IMAGE / 512 - 1));
	drop_image(&im);
	close(target);
	close(noise);
}

static void test_an_image_that_cannot_be_read_stops_it(void **state)
{
	struct flash_result result;
	struct fault why = { 0 };
	int target = scratch(IMAGE);
	struct image im;

	(void)state;
	make_image(&im, IMAGE);
	assert_int_equal(ftruncate(im.fd, 6 * MIB), 0);
	assert_int_equal(flash_write(target, &im.order, &im.progress, &result, &why), -EIO);
	assert_non_null(strstr(why.text, "image: reading at byte 6291456"));
	assert_true(is_zero(target, 0, MIB));
	drop_image(&im);
	close(target);
}

static void test_a_target_that_takes_nothing_is_not_called_erased(void **state)
{
	struct flash_result result;
	struct fault why = { 0 };
	char path[64];
	int target = scratch(IMAGE), locked;
	struct image im;

	(void)state;
	make_image(&im, IMAGE);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", target);
	locked = open(path, O_RDONLY);
	assert_true(locked >= 0);
	assert_int_equal(flash_write(locked, &im.order, &im.progress, &result, &why), -EBADF);
	assert_non_null(strstr(why.text, "writing at 0 bytes"));
	assert_non_null(strstr(why.text, "not to be relied on"));
	drop_image(&im);
	close(locked);
	close(target);
}

static void test_zeros_are_written_where_no_hole_can_be_made(void **state)
{
	struct flash_io io = { 0 };
	struct fault why = { 0 };
	int target = scratch(4 * MIB);

	(void)state;
	fill(target, 0, 4 * MIB, 3);
	assert_int_equal(flash_io_open(&io, target, &why), 0);
	assert_false(io.block);
	io.holes = false;
	assert_int_equal(flash_io_zero(&io, MIB, MIB, &why), 0);
	assert_int_equal(flash_io_sync(&io, &why), 0);
	assert_true(is_zero(target, MIB, MIB));
	assert_false(is_zero(target, 0, MIB));
	flash_io_done(&io);
	close(target);
}

static void test_an_odd_length_goes_through_the_cache(void **state)
{
	struct flash_io io = { 0 };
	struct fault why = { 0 };
	int target = scratch(MIB);
	unsigned char odd[1000];

	(void)state;
	memset(odd, 5, sizeof(odd));
	assert_int_equal(flash_io_open(&io, target, &why), 0);
	assert_int_equal(flash_io_write(&io, odd, sizeof(odd), 3, &why), 0);
	memset(odd, 0, sizeof(odd));
	assert_int_equal(flash_io_read(&io, odd, sizeof(odd), 3, &why), 0);
	assert_int_equal(odd[999], 5);
	flash_io_done(&io);
	close(target);
}

static void test_an_image_without_a_sound_table_is_refused(void **state)
{
	struct flash_extent extent = { 0 };
	struct flash_source source = { .size = IMAGE, .extents = &extent, .n_extents = 1 };
	struct flash_table table;
	struct fault why = { 0 };

	(void)state;
	extent = (struct flash_extent){ 0, IMAGE, 0, scratch(IMAGE) };
	assert_int_equal(flash_table_make(&source, IMAGE, &table, &why), -EBADMSG);
	assert_non_null(strstr(why.text, "no GPT"));
	partition(extent.fd);
	assert_int_equal(flash_table_make(&source, IMAGE - 512, &table, &why), -ENOSPC);
	fill(extent.fd, 512 + 56, 16, 1); /* another GUID: the sum is wrong now */
	fill(extent.fd, IMAGE - 512, 512, 1);
	assert_int_equal(flash_table_make(&source, IMAGE, &table, &why), -EBADMSG);
	close(extent.fd);
}

/* ---- reading -------------------------------------------------------------------------------- */

static void test_a_source_is_pieces_and_zeros_between_them(void **state)
{
	struct fault why = { 0 };
	int a = scratch(MIB), b = scratch(MIB);
	struct flash_extent extents[] = { { 1000, 500, 100, a },
					  { 1500, 500, 7, b },
					  { 3000, 100, 0, a } };
	struct flash_source source = { .size = 4000, .extents = extents, .n_extents = 3 };
	unsigned char got[4000], want[4000] = { 0 };
	size_t from;

	(void)state;
	fill(a, 0, 1000, 1);
	fill(b, 0, 1000, 2);
	assert_int_equal(pread(a, want + 1000, 500, 100), 500);
	assert_int_equal(pread(b, want + 1500, 500, 7), 500);
	assert_int_equal(pread(a, want + 3000, 100, 0), 100);
	for (from = 0; from < sizeof(want); from += 333) {
		memset(got, 0xee, sizeof(got));
		assert_int_equal(flash_source_read(&source, got, sizeof(want) - from, from, &why),
				 0);
		assert_memory_equal(got, want + from, sizeof(want) - from);
	}
	close(a);
	close(b);
}

static void test_a_ring_that_is_left_early_ends(void **state)
{
	const struct flash_piece *piece;
	struct flash_ring ring = { 0 };
	struct fault why = { 0 };
	int fd = scratch(64 * MIB);
	struct flash_extent extent = { 0, 64 * MIB, 0, fd };
	struct flash_source source = { .size = 64 * MIB, .extents = &extent, .n_extents = 1 };
	struct flash_run run = { 0, 64 * MIB, FLASH_DATA };
	struct flash_map map = { .runs = &run, .n = 1 };

	(void)state;
	flash_ring_done(&ring);
	assert_int_equal(flash_ring_start(&ring, &source, &map, NULL, &why), 0);
	assert_int_equal(flash_ring_next(&ring, &piece, &why), 1);
	assert_int_equal(piece->length, FLASH_PIECE);
	flash_ring_release(&ring);
	assert_int_equal(flash_ring_next(&ring, &piece, &why), 1);
	assert_int_equal(piece->start, FLASH_PIECE);
	flash_ring_done(&ring);
	close(fd);
}

static void test_progress_is_phase_percent_rate_and_time(void **state)
{
	static const struct {
		enum flash_phase phase;
		uint64_t done, total, ms;
		const char *text;
	} cases[] = {
		{ FLASH_WAITING, 0, 0, 0, "waiting" },
		{ FLASH_PREPARING, 1ULL << 30, 2ULL << 30, 5000, "preparing 50 %" },
		{ FLASH_WRITING, 0, 1000, 10, "writing 0 %" },
		{ FLASH_WRITING, 500000000, 2000000000, 2000,
		  "writing 25 %, 250.0 MB/s, 0:06 left" },
		{ FLASH_VERIFYING, 100000000, 40100000000, 1000,
		  "reading back 0 %, 100.0 MB/s, 6:40 left" },
		{ FLASH_WRITING, 3000000, 2000000, 5000, "writing 100 %, 0.4 MB/s, 0:00 left" },
		{ FLASH_FINISHED, 0, 0, 0, "finished" },
	};
	struct text t = { 0 };

	(void)state;
	CASES (c, cases) {
		flash_progress_text(c->phase, c->done, c->total, c->ms, &t);
		assert_string_equal(text_str(&t), c->text);
		text_done(&t);
	}
}

static void test_every_phase_has_a_name(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < FLASH_N_PHASES; i++)
		assert_true(strlen(flash_phase_name((enum flash_phase)i)) > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_block_is_data_or_zero_or_left_alone),
		cmocka_unit_test(test_data_is_rounded_outwards_and_never_twice),
		cmocka_unit_test(test_a_target_becomes_the_image_with_its_backup_at_the_end),
		cmocka_unit_test(test_the_partitions_stay_and_only_the_usable_end_moves),
		cmocka_unit_test(test_a_file_that_is_empty_grows_to_the_image),
		cmocka_unit_test(test_no_table_is_left_when_it_is_stopped),
		cmocka_unit_test(test_what_reads_back_otherwise_is_no_node),
		cmocka_unit_test(test_an_image_that_cannot_be_read_stops_it),
		cmocka_unit_test(test_a_target_that_takes_nothing_is_not_called_erased),
		cmocka_unit_test(test_zeros_are_written_where_no_hole_can_be_made),
		cmocka_unit_test(test_an_odd_length_goes_through_the_cache),
		cmocka_unit_test(test_an_image_without_a_sound_table_is_refused),
		cmocka_unit_test(test_a_source_is_pieces_and_zeros_between_them),
		cmocka_unit_test(test_a_ring_that_is_left_early_ends),
		cmocka_unit_test(test_progress_is_phase_percent_rate_and_time),
		cmocka_unit_test(test_every_phase_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
