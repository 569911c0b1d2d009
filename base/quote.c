/* SPDX-License-Identifier: MIT */
#include "base/quote.h"

#include <string.h>

#include "base/text.h"

/*
 * What must not stand as itself: C0 and C1 controls, the line ends that only some readers take for
 * such (U+0085, U+2028, U+2029), and what YAML calls not printable (U+FEFF, U+FFFE, U+FFFF).
 * Returns how many bytes of s it takes, 0 for a character that may stand.
 */
static size_t hidden(const char *s, unsigned *ret_char)
{
	const unsigned char *c = (const unsigned char *)s;

	if (c[0] < 0x20 || c[0] == 0x7f) {
		*ret_char = c[0];
		return 1;
	}
	if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) {
		*ret_char = c[1];
		return 2;
	}
	if ((c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9)) ||
	    (c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf) ||
	    (c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe)) {
		*ret_char = (c[0] & 0xfu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
		return 3;
	}
	return 0;
}

/* YAML, JSON and TOML share this escape set: each reads \" \\ \n \t \r and \uXXXX alike. */
static void quoted(struct text *t, const char *s)
{
	static const char from[] = "\"\\\n\t\r";
	static const char to[] = "\"\\ntr";
	unsigned c = 0;
	size_t n;

	text_add(t, "\"");
	for (; *s; s += n) {
		const char *hit = strchr(from, *s);

		n = hidden(s, &c);
		if (hit)
			text_addf(t, "\\%c", to[hit - from]);
		else if (n > 0)
			text_addf(t, "\\u%04x", c);
		else
			text_add_n(t, s, 1);
		n = n ? n : 1;
	}
	text_add(t, "\"");
}

void quote_yaml(struct text *t, const char *s)
{
	quoted(t, s);
}

void quote_json(struct text *t, const char *s)
{
	quoted(t, s);
}

void quote_toml(struct text *t, const char *s)
{
	quoted(t, s);
}

void quote_unit(struct text *t, const char *s)
{
	for (; *s; s++) {
		if (*s == '%')
			text_add(t, "%%");
		else if (*s == '\\')
			text_add(t, "\\\\");
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			text_addf(t, "\\x%02x", (unsigned char)*s);
		else
			text_add_n(t, s, 1);
	}
}
