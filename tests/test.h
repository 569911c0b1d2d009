/* SPDX-License-Identifier: MIT */
#pragma once

/* What every unit test includes first: cmocka with its companions, CASES, golden files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Walks a static array of cases: CASES(c, cases) { use c-> }. */
#define CASES(c, array)                                                                            \
	for (__typeof__(&(array)[0]) c = (array);                                                  \
	     c < (array) + sizeof(array) / sizeof(*(array)); c++)

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/text.h"

/*
 * Compares with tests/golden/NAME; BLESS=1 in the environment rewrites it instead. Tests run in the
 * top folder.
 */
static inline void assert_golden(const char *name, const char *got)
{
	struct text want = { 0 };
	struct fault why = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "tests/golden/%s", name);
	if (getenv("BLESS")) {
		assert_true(fs_write(AT_FDCWD, path, 0644, got, strlen(got), &why) >= 0);
		return;
	}
	if (fs_read(AT_FDCWD, path, 16 << 20, &want, &why) < 0)
		fail_msg("%s (BLESS=1 writes it)", why.text);
	if (strcmp(got, text_str(&want)) != 0)
		fail_msg("differs from %s; got:\n%s", path, got);
	text_done(&want);
}
