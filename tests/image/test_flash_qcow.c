/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "image/flash_source.h"
#include "tests/image/scratch.h"

/* A qemu-img that says this, at the front of PATH. */
static int open_with_map(const char *map, struct flash_source *ret, struct fault *why)
{
	struct scratch s = scratch_open();
	struct text program = { 0 }, path = { 0 };
	char *old = strdup(getenv("PATH"));
	int r;

	text_addf(&program,
		  "#!/bin/sh\ncase $1 in\ninfo) echo '[{\"virtual-size\": 1048576}]' ;;\n"
		  "map) echo '%s' ;;\nesac\n",
		  map);
	scratch_write(&s, "qemu-img", 0755, text_str(&program));
	text_addf(&path, "%s:%s", s.path, old);
	setenv("PATH", text_str(&path), 1);
	ret->fds[ret->n_fds++] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	r = flash_source_open_qcow("w1.qcow2", ret, why);
	setenv("PATH", old, 1);
	free(old);
	text_done(&program);
	text_done(&path);
	scratch_close(&s);
	return r;
}

#define ROW(start, length)                                                                         \
	"{\"start\": " start ", \"length\": " length ", \"depth\": 0, \"data\": true, "            \
	"\"offset\": 65536}"

static void test_a_map_tells_where_the_pieces_lie(void **state)
{
	struct flash_source s = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(open_with_map("[" ROW("0", "4096") ", " ROW("1044480", "4096") "]", &s,
				       &why),
			 0);
	assert_int_equal(s.size, 1048576);
	assert_int_equal(s.n_extents, 2);
	assert_int_equal(s.extents[1].start, 1044480);
	assert_int_equal(s.extents[1].offset, 65536);
	flash_source_done(&s);
}

/* Sums of such numbers run over, and what is sorted by them is not. */
static void test_a_piece_outside_the_disk_is_refused(void **state)
{
	static const char *const maps[] = {
		"[" ROW("1044480", "4097") "]",
		"[" ROW("1048577", "1") "]",
		"[" ROW("0", "18446744073709551615") "]",
		"[" ROW("18446744073709551615", "65536") "]",
	};

	(void)state;
	CASES (map, maps) {
		struct flash_source s = { 0 };
		struct fault why = { 0 };

		assert_int_equal(open_with_map(*map, &s, &why), -EBADMSG);
		assert_non_null(strstr(why.text, "map is not understood"));
		flash_source_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_map_tells_where_the_pieces_lie),
		cmocka_unit_test(test_a_piece_outside_the_disk_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
