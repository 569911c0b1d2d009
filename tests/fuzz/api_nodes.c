/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/api.h"

/* What claims to be an API server may answer anything. */

/* libfyaml 0.7 loses some bytes over quoted texts of many lines; not ours to free. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(text_done) struct text body = { 0 };
	scoped(text_done) struct text next = { 0 };
	struct api_node *nodes = NULL;
	struct fault why = { 0 };
	unsigned long n = 0;
	unsigned long i;

	text_add_n(&body, (const char *)data, size);
	if (api_nodes_parse(text_str(&body), body.len, &nodes, &n, &next, &why) == 0)
		for (i = 0; i < n; i++)
			if (!nodes[i].name || nodes[i].ready != !nodes[i].reason)
				__builtin_trap();
	api_nodes_free(nodes, n);
	api_fault(500, text_str(&body), &why);
	if (strlen(why.text) >= sizeof(why.text) || why.code == 0)
		__builtin_trap();
	return 0;
}
