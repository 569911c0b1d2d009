/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/run.h"
#include "image/flash_ext4.h"
#include "image/flash_source.h"
#include "image/flash_table.h"
#include "image/target.h"
#include "image/target_probe.h"

/*
 * Disks and images as a stranger may have made them: a partition table, an ext4, whatever libblkid
 * knows. The first byte says who looks; then come records {number of a sector (2 bytes), how many
 * bytes (2), bytes}, and zeros everywhere else.
 */

enum { SECTOR = 512, DISK = 3 << 20, EXT4_START = 1 << 20, EXT4_BYTES = 1 << 20 };

/* No program of others takes part: in place of base's. */
int run(const struct run *what, struct fault *why)
{
	return fault_set(why, EREMOTEIO, "'%s' failed", what->argv[0]);
}

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static unsigned two(const uint8_t *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

/* A memory file with the records in it. */
static int lay_out(const uint8_t *data, size_t size)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	must(fd >= 0 && ftruncate(fd, DISK) == 0);
	while (size > 4) {
		size_t at = (size_t)two(data) * SECTOR % DISK, n = two(data + 2);

		data += 4;
		size -= 4;
		n = n > size ? size : n;
		if (n > DISK - at)
			n = DISK - at;
		must(pwrite(fd, data, n, (off_t)at) == (ssize_t)n);
		data += n;
		size -= n;
	}
	return fd;
}

static void table(const struct flash_source *s, uint64_t more)
{
	scoped(flash_table_done) struct flash_table t = { .fd = -1 };
	struct fault why = { 0 };

	if (flash_table_make(s, s->size + more, &t, &why) < 0) {
		must(why.code != 0);
		return;
	}
	must(t.target_bytes == s->size + more && t.image_end <= s->size);
	must(memcmp(t.head + SECTOR, "EFI PART", 8) == 0);
	must(memcmp(t.tail + t.tail_bytes - SECTOR, "EFI PART", 8) == 0);
}

static void ext4(const struct flash_source *s)
{
	const struct target_partition p = { .start = EXT4_START, .length = EXT4_BYTES };
	scoped(flash_ranges_done) struct flash_ranges free_ranges = { 0 };
	struct fault why = { 0 };
	uint64_t end = p.start;
	size_t i;

	if (flash_ext4_unused(s, &p, &free_ranges, &why) < 0) {
		must(why.code != 0);
		return;
	}
	for (i = 0; i < free_ranges.n; i++) {
		const struct flash_range *r = &free_ranges.list[i];

		must(r->start >= end && r->length > 0 && r->length <= p.start + p.length - end);
		end = r->start + r->length;
		must(end <= p.start + p.length);
	}
}

static void content(int fd)
{
	struct target_facts f = { .size_bytes = DISK };
	struct fault why = { 0 };
	size_t i;

	if (target_look_content(fd, &f, &why) < 0) {
		must(why.code != 0);
		return;
	}
	must(f.n_contents <= TARGET_MAX_CONTENTS);
	for (i = 0; i < f.n_contents; i++)
		must(f.contents[i].type[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(flash_source_done) struct flash_source s = { .size = DISK, .n_fds = 1 };
	struct fault why = { 0 };

	if (size < 5)
		return 0;
	s.fds[0] = lay_out(data + 1, size - 1);
	must(flash_source_add(&s, &(struct flash_extent){ 0, DISK, 0, s.fds[0] }, &why) == 0);
	switch (data[0] % 3) {
	case 0:
		table(&s, data[0] & 16 ? 0 : 5 * SECTOR + DISK);
		break;
	case 1:
		ext4(&s);
		break;
	default:
		content(s.fds[0]);
	}
	return 0;
}
