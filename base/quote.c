/* SPDX-License-Identifier: MIT */
#include "base/quote.h"

#include <string.h>

#include "base/text.h"

/* YAML, JSON and TOML share this escape set: each reads \" \\ \n \t \r and \uXXXX alike. */
static void quoted(struct text *t, const char *s)
{
	static const char from[] = "\"\\\n\t\r";
	static const char to[] = "\"\\ntr";

	text_add(t, "\"");
	for (; *s; s++) {
		const char *hit = strchr(from, *s);

		if (hit)
			text_addf(t, "\\%c", to[hit - from]);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			text_addf(t, "\\u%04x", (unsigned char)*s);
		else
			text_add_n(t, s, 1);
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
