/* SPDX-License-Identifier: MIT */
#include "base/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the analyzer reads they are macros, too. */
#undef fault_set
#undef fault_wrap
#undef fault_errno

int fault_set(struct fault *why, int code, const char *format, ...)
{
	va_list ap;

	why->code = code ? abs(code) : EIO; /* a failure never reads as success */
	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
	return -why->code;
}

int fault_wrap(struct fault *why, const char *format, ...)
{
	char rest[sizeof(why->text)];
	va_list ap;
	size_t n;

	memcpy(rest, why->text, sizeof(rest));
	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
	n = strlen(why->text);
	snprintf(why->text + n, sizeof(why->text) - n, ": %s", rest);
	return -why->code;
}

int fault_errno(struct fault *why, int code, const char *format, ...)
{
	va_list ap;
	char reason[128];
	size_t n;

	why->code = code ? abs(code) : EIO; /* a failure never reads as success */
	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
	n = strlen(why->text);
	snprintf(why->text + n, sizeof(why->text) - n, ": %s",
		 strerror_r(why->code, reason, sizeof(reason)));
	return -why->code;
}
