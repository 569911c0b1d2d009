/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/installer.h"

/* installer.json: what is taken is the same after it was written and read once more. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(installer_done) struct installer one = { 0 };
	scoped(installer_done) struct installer two = { 0 };
	scoped(text_done) struct text first = { 0 };
	scoped(text_done) struct text second = { 0 };
	struct fault why = { 0 };

	if (installer_parse((const char *)data, size, &one, &why) < 0)
		return 0;
	installer_render(&one, &first);
	if (installer_parse(text_str(&first), first.len, &two, &why) < 0)
		__builtin_trap();
	installer_render(&two, &second);
	if (strcmp(text_str(&first), text_str(&second)) != 0)
		__builtin_trap();
	return 0;
}
