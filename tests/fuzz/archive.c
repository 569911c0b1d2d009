/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "image/archive.h"

/* The index within an archive of images, which anybody may have made: docker's, or a layout's. */

/* libfyaml 0.7 loses some bytes over quoted texts of many lines; not ours to free. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int oci;

	for (oci = 0; oci < 2; oci++) {
		scoped(args_done) struct args names = { 0 };
		struct fault why = { 0 };
		size_t i;

		if (archive_names((const char *)data, size, oci, &names, &why) < 0) {
			if (why.code == 0)
				__builtin_trap();
			continue;
		}
		for (i = 0; i < names.n; i++) {
			const char *name = names.list[i], *bare = archive_bare_name(name);

			/* A registry is asked for an end of what stands there. */
			if (!*name || bare < name || bare > name + strlen(name))
				__builtin_trap();
		}
	}
	return 0;
}
