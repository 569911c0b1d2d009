/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "image/bolt.h"

/* containerd's index after an import: what was settled once stays as it is. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(text_done) struct text once = { 0 };
	scoped(text_done) struct text twice = { 0 };
	struct fault why = { 0 };

	if (bolt_settle((const char *)data, size, 1, &once, &why) < 0)
		return 0;
	if (bolt_settle(once.data, once.len, 1, &twice, &why) < 0 || twice.len != once.len ||
	    memcmp(twice.data, once.data, once.len) != 0)
		__builtin_trap();
	return 0;
}
