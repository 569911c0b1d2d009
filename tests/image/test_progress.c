/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "image/progress.h"

static void test_shows_what_it_knows(void **state)
{
	static const struct {
		struct progress_view view;
		const char *line;
	} cases[] = {
		{ { .name = "unpacking" }, "unpacking  0:00" },
		{ { .name = "unpacking", .elapsed_ms = 61000 }, "unpacking  1:01" },
		{ { .name = "root", .permille = 250, .elapsed_ms = 10000 },
		  "root  25 %  0:30 left" },
		{ { .name = "copy", .done = 420000000, .total = 1000000000, .elapsed_ms = 4200 },
		  "copy  42 %  100 MB/s  0:06 left" },
		/* too early to promise anything */
		{ { .name = "copy", .done = 10, .total = 1000000, .elapsed_ms = 100 },
		  "copy  0:00" },
		/* more was done than was announced */
		{ { .name = "copy", .done = 2000, .total = 1000, .elapsed_ms = 1000 },
		  "copy  100 %  0 MB/s  0:00 left" },
	};

	(void)state;
	CASES (c, cases) {
		struct text line = { 0 };

		progress_line(&c->view, &line);
		assert_string_equal(text_str(&line), c->line);
		text_done(&line);
	}
}

static void test_tells_sizes_for_people(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *size;
	} cases[] = {
		{ 0, "0 bytes" },
		{ 1023, "1023 bytes" },
		{ 2048, "2 KiB" },
		{ 16 << 20, "16.0 MiB" },
		{ 1500ULL << 20, "1.5 GiB" },
		{ 40ULL << 30, "40.0 GiB" },
		{ 300ULL << 30, "300 GiB" },
	};

	(void)state;
	CASES (c, cases) {
		struct text size = { 0 };

		progress_size(c->bytes, &size);
		assert_string_equal(text_str(&size), c->size);
		text_done(&size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shows_what_it_knows),
		cmocka_unit_test(test_tells_sizes_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
