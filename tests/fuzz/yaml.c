/* SPDX-License-Identifier: MIT */

/* Any bytes as YAML or JSON: what was read, written and read again, is the same. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int same(const struct yaml *a, const struct yaml *b)
{
	size_t i;

	if (a->kind != b->kind || a->n_items != b->n_items || !a->text != !b->text ||
	    (a->text && strcmp(a->text, b->text) != 0))
		return 0;
	for (i = 0; i < a->n_items; i++)
		if (!same(&a->items[i], &b->items[i]))
			return 0;
	return 1;
}

/* Whatever was UTF-8 stays so; with ASAN_OPTIONS=max_malloc_fill_size=65536 memory is not. */
static void check_text(const struct yaml *y)
{
	size_t left = y->text ? strlen(y->text) : 0;
	const char *s = y->text;
	size_t i, n;

	for (; left > 0; left -= n, s += n) {
		n = text_utf8(s, left);
		if (n == 0)
			abort();
	}
	for (i = 0; i < y->n_items; i++)
		check_text(&y->items[i]);
}

static void found(const struct yaml *again, const struct yaml *first, void *data)
{
	(void)data;
	if (again <= first)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	scoped(yaml_done) struct yaml back = { 0 };
	scoped(text_done) struct text out = { 0 };
	struct yaml_error error = { 0 };
	size_t n = size;

	if (yaml_parse((const char *)data, size, &tree, &error) < 0)
		return 0;
	check_text(&tree);
	if (yaml_twice(&tree, n % 2, found, NULL) < 0)
		return 0;
	yaml_emit(&tree, 0, &out);
	if (yaml_parse(text_str(&out), out.len, &back, &error) < 0 || !same(&tree, &back))
		abort();
	return 0;
}
