/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "image/flash_source.h"
#include "image/target_probe.h"

/*
 * What programs of others answer who looked at a stranger's disk for us: qemu-img (which file of an
 * image holds what) and mtools (what a seed says of itself). The first byte says which; answers end
 * with a zero byte.
 */

/* libfyaml 0.7 loses some bytes over quoted texts of many lines; not ours to free. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

static const char *answers;
static size_t n_answers;

/* In place of base's. */
int run(const struct run *what, struct fault *why)
{
	size_t n = strnlen(answers, n_answers);

	if (n_answers == 0)
		return fault_set(why, EREMOTEIO, "'%s' failed", what->argv[0]);
	text_add_n(what->out, answers, n);
	n += n < n_answers;
	answers += n;
	n_answers -= n;
	return 0;
}

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static void map_of_an_image(void)
{
	scoped(flash_source_done) struct flash_source s = { 0 };
	struct fault why = { 0 };
	char buf[512];
	size_t i;
	int r;

	s.fds[s.n_fds++] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	r = flash_source_open_qcow("/dev/zero", &s, &why);
	must(r == 0 || why.code != 0);
	if (r < 0)
		return;
	for (i = 0; i < s.n_extents; i++) {
		const struct flash_extent *e = &s.extents[i];

		must(e->length > 0 && e->length <= s.size && e->start <= s.size - e->length);
		must(i == 0 || e->start >= e[-1].start + e[-1].length);
	}
	if (s.n_extents > 0)
		must(flash_source_read(&s, buf, sizeof(buf), s.extents[0].start, &why) == 0 ||
		     why.code != 0);
}

static bool is_name(const char *s, size_t size)
{
	return memchr(s, '\0', size) &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(s);
}

static int zeros(const void *from, void *buf, size_t len, uint64_t offset, struct fault *why)
{
	(void)from, (void)offset, (void)why;
	memset(buf, 0, len);
	return 0;
}

static void seed_of_a_stranger(void)
{
	const struct target_partition partition = { .length = 4096, .name = "RACKSEED" };
	struct target_seed seed = { 0 };
	struct fault why = { 0 };

	if (target_seed_read(zeros, "", &partition, &seed, &why) < 0) {
		must(why.code != 0 && !seed.node[0]);
		return;
	}
	must(seed.node[0] && is_name(seed.node, sizeof(seed.node)));
	must(is_name(seed.cluster, sizeof(seed.cluster)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	answers = (const char *)data + 1;
	n_answers = size - 1;
	if (data[0] % 2)
		map_of_an_image();
	else
		seed_of_a_stranger();
	return 0;
}
