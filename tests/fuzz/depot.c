/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/depot_page.h"

/* What claims to be a registry may answer anything: the head, an empty line, the body. */

/* libfyaml 0.7 loses some bytes over quoted texts of many lines; not ours to free. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(text_done) struct text answer = { 0 };
	scoped(text_done) struct text head = { 0 };
	scoped(text_done) struct text next = { 0 };
	scoped(text_done) struct text place = { 0 };
	scoped(depot_names_done) struct depot_names names = { 0 };
	struct fault why = { 0 };
	const char *body;

	text_add_n(&answer, (const char *)data, size);
	body = strstr(text_str(&answer), "\r\n\r\n");
	body = body ? body + 4 : text_str(&answer);
	text_add_n(&head, text_str(&answer), (size_t)(body - text_str(&answer)));
	if (depot_page_names(body, strlen(body), "tags", &names, &why) == 0 &&
	    names.n > strlen(body))
		__builtin_trap();
	depot_page_wants_token(text_str(&head));
	if (depot_page_next(text_str(&head), &next) != (next.len > 0))
		__builtin_trap();
	if (next.len > 0 && (next.data[0] != '/' || next.data[1] == '/'))
		__builtin_trap();
	if (depot_page_location(text_str(&head), &place) != (place.len > 0))
		__builtin_trap();
	if (place.len > 0 && (place.data[0] != '/' || place.data[1] == '/'))
		__builtin_trap();
	return 0;
}
