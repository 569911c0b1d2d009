/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/macros.h"
#include "cluster/seed.h"

/* SHA256SUMS and the names of files as a stranger's disk may hold them. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(seed_done) struct seed s = { 0 };
	struct fault why = { 0 };
	char name[32] = { 0 };
	size_t i;

	for (i = 0; i < sizeof(name) - 1 && i < size && data[i]; i++)
		name[i] = (char)data[i];
	if (seed_add(&s, "node", "worker\n", 7, &why) < 0 ||
	    (seed_add(&s, name, "x", 1, &why) < 0 && why.code == 0) ||
	    seed_add(&s, "SHA256SUMS", (const char *)data, size, &why) < 0)
		return 0;
	/* What verifies names both files, so it is longer than their two lines. */
	if (seed_verify(&s, &why) == 0 && size < (s.n - 1) * 67)
		__builtin_trap();
	return 0;
}
