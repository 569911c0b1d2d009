/* SPDX-License-Identifier: MIT */
/*
 * quoted COUNT: hostile strings of UTF-8, always the same ones; a line for each, of four words in
 * hex: the string, and what quote_json(), quote_toml() and quote_yaml() make of it. For
 * tests/checks/quotes, where the readers of others take it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"

/* Half of what a string is made of: what has a meaning in one of these languages or breaks lines.
 */
static const char *const pieces[] = {
	"\"",
	"\"\"\"",
	"'",
	"'''",
	"\\",
	"\\n",
	"\\u0041",
	"\\x41",
	"\n",
	"\r",
	"\t",
	"\b",
	"\f",
	"\x1b[2J",
	"\x01",
	"\x1f",
	"\x7f",
	"#",
	" #",
	": ",
	"- ",
	"? ",
	"---\n",
	"...\n",
	"{",
	"}",
	"[",
	"]",
	",",
	"&a",
	"*a",
	"!!binary",
	"|\n",
	">\n",
	"%",
	"%n",
	"$HOME",
	"${x}",
	"`id`",
	"$(id)",
	"~",
	"null",
	"true",
	"0x1f",
	"1e3",
	"  ",
	"@",
	"=",
	"/",
	"\xc2\x85",
	"\xc2\xa0",
	"\xe2\x80\xa8",
	"\xe2\x80\xa9",
	"\xef\xbb\xbf",
	"\xc3\xa9",
	"\xf0\x9f\x98\x80",
	"\xf4\x8f\xbf\xbd",
};

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void compose(uint32_t *state, struct text *s)
{
	uint32_t n = next(state) % 9;

	while (n-- > 0) {
		const char c[2] = { (char)(0x20 + next(state) % 0x5f), '\0' };

		text_add(s, next(state) % 2 ? pieces[next(state) % COUNT(pieces)] : c);
	}
}

static void print_hex(const struct text *t, char end)
{
	size_t i;

	for (i = 0; i < t->len; i++)
		printf("%02x", (unsigned char)t->data[i]);
	putchar(end);
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	uint32_t state = 1;

	for (; count > 0; count--) {
		scoped(text_done) struct text s = { 0 };
		scoped(text_done) struct text json = { 0 };
		scoped(text_done) struct text toml = { 0 };
		scoped(text_done) struct text yaml = { 0 };

		compose(&state, &s);
		quote_json(&json, text_str(&s));
		quote_toml(&toml, text_str(&s));
		quote_yaml(&yaml, text_str(&s));
		print_hex(&s, ' ');
		print_hex(&json, ' ');
		print_hex(&toml, ' ');
		print_hex(&yaml, '\n');
	}
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
