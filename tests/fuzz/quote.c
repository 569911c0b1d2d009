/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/yaml.h"

/* What is quoted comes back byte for byte, in each language, for any string of UTF-8. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes to characters: three for any one of Unicode, else one for ASCII. */
static void characters(const uint8_t *data, size_t size, struct text *out)
{
	size_t i = 0;

	while (i < size) {
		uint32_t c = data[i] & 0x7fu;
		char s[5] = { 0 };

		if (data[i] & 0x80 && i + 2 < size) {
			c = (c << 16 | (uint32_t)data[i + 1] << 8 | data[i + 2]) % 0x110000;
			i += 2;
		}
		i++;
		if (c == 0 || (c >= 0xd800 && c < 0xe000))
			continue;
		if (c < 0x80) {
			s[0] = (char)c;
		} else if (c < 0x800) {
			s[0] = (char)(0xc0 | c >> 6);
			s[1] = (char)(0x80 | (c & 0x3f));
		} else if (c < 0x10000) {
			s[0] = (char)(0xe0 | c >> 12);
			s[1] = (char)(0x80 | (c >> 6 & 0x3f));
			s[2] = (char)(0x80 | (c & 0x3f));
		} else {
			s[0] = (char)(0xf0 | c >> 18);
			s[1] = (char)(0x80 | (c >> 12 & 0x3f));
			s[2] = (char)(0x80 | (c >> 6 & 0x3f));
			s[3] = (char)(0x80 | (c & 0x3f));
		}
		text_add(out, s);
	}
}

/* As a value and as a key, in block and in flow style, alone and with others behind it. */
static void read_back(const char *quoted, const char *want)
{
	static const char *const shapes[][2] = {
		{ "", "" },
		{ "k: ", "\nl: 1\n" },
		{ "{\"k\": ", ", \"l\": 1}" },
		{ "- ", "\n- x\n" },
	};
	size_t i;

	for (i = 0; i < COUNT(shapes); i++) {
		scoped(text_done) struct text whole = { 0 };
		scoped(yaml_done) struct yaml tree = { 0 };
		struct yaml_error error = { 0 };
		const struct yaml *got = &tree;

		text_addf(&whole, "%s%s%s", shapes[i][0], quoted, shapes[i][1]);
		if (yaml_parse(text_str(&whole), whole.len, &tree, &error) < 0)
			__builtin_trap();
		if (tree.kind == YAML_MAPPING)
			got = yaml_get(&tree, "k");
		if (tree.kind == YAML_SEQUENCE)
			got = &tree.items[0];
		if (!yaml_text(got) || strcmp(yaml_text(got), want) != 0)
			__builtin_trap();
	}
}

/* A unit's value, as systemd reads it: "%%", "\\" and "\xNN". */
static void check_unit(const char *s, const char *want)
{
	for (; *s; s++, want++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c == 0x7f)
			__builtin_trap();
		if (c == '%' || (c == '\\' && s[1] != 'x')) {
			if (s[1] != *s)
				__builtin_trap();
			s++;
		} else if (c == '\\') {
			char *end = NULL;
			char digits[3] = { s[2], s[2] ? s[3] : '\0', '\0' };

			c = 0;
			for (end = digits; *end; end++)
				c = (unsigned char)(c << 4 |
						    (*end <= '9' ? *end - '0' : *end - 'a' + 10));
			s += 3;
		}
		if (c != (unsigned char)*want)
			__builtin_trap();
	}
	if (*want)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(text_done) struct text s = { 0 };
	scoped(text_done) struct text yaml = { 0 };
	scoped(text_done) struct text json = { 0 };
	scoped(text_done) struct text toml = { 0 };
	scoped(text_done) struct text unit = { 0 };
	size_t i;

	characters(data, size, &s);
	quote_yaml(&yaml, text_str(&s));
	quote_json(&json, text_str(&s));
	quote_toml(&toml, text_str(&s));
	quote_unit(&unit, text_str(&s));
	read_back(text_str(&yaml), text_str(&s));
	read_back(text_str(&json), text_str(&s));
	/* TOML's basic strings are read alike as long as nothing but these escapes is used. */
	read_back(text_str(&toml), text_str(&s));
	for (i = 0; i < toml.len; i++)
		if ((unsigned char)toml.data[i] < 0x20 || toml.data[i] == 0x7f)
			__builtin_trap();
	check_unit(text_str(&unit), text_str(&s));
	return 0;
}
