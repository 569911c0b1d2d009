/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "cluster/peer.h"

/* What answers at the port of a status endpoint may say anything. */

/* libfyaml 0.7 loses some bytes over quoted texts of many lines; not ours to free. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer peer = { 0 };
	struct fault why = { 0 };
	size_t i;

	if (peer_parse((const char *)data, size, &peer, &why) < 0)
		return 0;
	if (!peer.phase[0] || peer.n_steps > PEER_STEPS_MAX)
		__builtin_trap();
	for (i = 0; i < peer.n_steps; i++)
		if (!peer.steps[i].name[0] || strpbrk(peer.steps[i].reason, "\n\r\x1b"))
			__builtin_trap();
	return 0;
}
