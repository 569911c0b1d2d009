/* SPDX-License-Identifier: MIT */
#include "storage/share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/yaml.h"

static const struct {
	const char *name;
	int exit;
	const char *help;
} codes[SHARE_N_CODES] = {
	[SHARE_OK] = { "ok", 0, "the share can be used" },
	[SHARE_UNKNOWN_NAME] = { "unknown-name", 10, "nobody knows the host's name" },
	[SHARE_REFUSED] = { "refused", 11, "the host is there and refuses the connection" },
	[SHARE_UNREACHABLE] = { "unreachable", 12, "there is no way to the host" },
	[SHARE_SILENT] = { "silent", 13, "no answer within the limit" },
	[SHARE_NO_SMB3] = { "no-smb3", 14, "what answers does not speak SMB 3" },
	[SHARE_SIGNING_REFUSED] = { "signing-refused", 15, "it answers without signatures only" },
	[SHARE_WRONG_PASSWORD] = { "wrong-password", 16, "it refuses the user or the password" },
	[SHARE_NO_SUCH_SHARE] = { "no-such-share", 17, "it has no such share or folder" },
	[SHARE_NOT_READABLE] = { "not-readable", 18, "the user may not read the share" },
	[SHARE_NOT_WRITABLE] = { "not-writable", 19, "the user may not write to the share" },
	[SHARE_FULL] = { "full", 20, "no space is left on the share" },
	[SHARE_FAILED] = { "failed", 21, "anything else" },
};

const char *share_code_name(enum share_code code)
{
	return codes[code].name;
}

const char *share_code_help(enum share_code code)
{
	return codes[code].help;
}

int share_code_exit(enum share_code code)
{
	return codes[code].exit;
}

/* A server's words may be in any encoding, and JSON is UTF-8: what is not becomes '?'. */
static void quote_any(struct text *out, const char *s)
{
	scoped(text_done) struct text clean = { 0 };
	size_t left = strlen(s), n;

	for (; left > 0; left -= n ? n : 1, s += n ? n : 1) {
		n = text_utf8(s, left);
		text_add_n(&clean, n ? s : "?", n ? n : 1);
	}
	text_inherit(out, &clean);
	quote_json(out, text_str(&clean));
}

/* The members that are yes or no. */
static const struct {
	const char *key;
	size_t offset;
} flags[] = {
	{ "resolved", offsetof(struct share_result, resolved) },
	{ "reached", offsetof(struct share_result, reached) },
	{ "login", offsetof(struct share_result, login) },
	{ "exists", offsetof(struct share_result, exists) },
	{ "readable", offsetof(struct share_result, readable) },
};

void share_result_json(const struct share_result *result, struct text *out)
{
	size_t i;

	text_add(out, "{\"share\":");
	quote_any(out, result->share);
	text_add(out, ",\"address\":");
	quote_any(out, result->address);
	for (i = 0; i < COUNT(flags); i++) {
		const bool *flag = (const bool *)((const char *)result + flags[i].offset);

		text_addf(out, ",\"%s\":%s", flags[i].key, *flag ? "true" : "false");
	}
	text_addf(out, ",\"writable\":%s",
		  result->writable < 0 ? "null"
		  : result->writable   ? "true"
				       : "false");
	text_addf(out, ",\"free_bytes\":%llu,\"total_bytes\":%llu,\"code\":\"%s\",\"reason\":",
		  (unsigned long long)result->free_bytes, (unsigned long long)result->total_bytes,
		  share_code_name(result->code));
	quote_any(out, result->reason);
	text_add(out, "}");
}

static bool take_text(const struct yaml *y, const char *key, char *to, size_t size)
{
	const char *s = yaml_text(yaml_get(y, key));
	size_t n = s ? strlen(s) : size;

	if (n >= size)
		return false;
	memcpy(to, s, n + 1);
	return true;
}

static bool take_flag(const struct yaml *y, const char *key, bool *to)
{
	const char *s = yaml_text(yaml_get(y, key));

	if (!s || (strcmp(s, "true") != 0 && strcmp(s, "false") != 0))
		return false;
	*to = s[0] == 't';
	return true;
}

static bool take_number(const struct yaml *y, const char *key, uint64_t *to)
{
	const char *s = yaml_text(yaml_get(y, key));
	char *end;

	if (!s || s[0] < '0' || s[0] > '9')
		return false;
	errno = 0;
	*to = strtoull(s, &end, 10);
	return errno == 0 && *end == '\0';
}

static bool take_code(const struct yaml *y, enum share_code *to)
{
	const char *s = yaml_text(yaml_get(y, "code"));
	int i;

	for (i = 0; s && i < SHARE_N_CODES; i++) {
		if (strcmp(s, codes[i].name) == 0) {
			*to = (enum share_code)i;
			return true;
		}
	}
	return false;
}

static bool take_writable(const struct yaml *y, int *to)
{
	const struct yaml *value = yaml_get(y, "writable");
	bool flag;

	if (value && value->kind == YAML_NULL) {
		*to = -1;
		return true;
	}
	if (!take_flag(y, "writable", &flag))
		return false;
	*to = flag;
	return true;
}

static bool take_result(const struct yaml *y, struct share_result *result)
{
	size_t i;

	for (i = 0; i < COUNT(flags); i++)
		if (!take_flag(y, flags[i].key, (bool *)((char *)result + flags[i].offset)))
			return false;
	return take_text(y, "share", result->share, sizeof(result->share)) &&
	       take_text(y, "address", result->address, sizeof(result->address)) &&
	       take_text(y, "reason", result->reason, sizeof(result->reason)) &&
	       take_number(y, "free_bytes", &result->free_bytes) &&
	       take_number(y, "total_bytes", &result->total_bytes) && take_code(y, &result->code) &&
	       take_writable(y, &result->writable);
}

int share_result_parse(const char *json, size_t len, struct share_result *ret, struct fault *why)
{
	scoped(yaml_done) struct yaml y = { 0 };
	struct share_result result = { 0 };
	struct yaml_error error = { 0 };
	int r = yaml_parse(json, len, &y, &error);

	if (r == -ENOMEM)
		return fault_errno(why, ENOMEM, "a share's answer");
	if (r < 0 || !take_result(&y, &result))
		return fault_set(why, EBADMSG, "'%.80s' is no answer of rackseed-share", json);
	*ret = result;
	return 0;
}

/* Bytes with a unit of 1024 and one decimal: "12.5 GiB". */
static void add_size(uint64_t bytes, struct text *out)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t i = 0;

	while (value >= 1024) { /* 2^64 bytes are 16 EiB */
		value /= 1024;
		i++;
	}
	text_addf(out, i ? "%.1f %s" : "%.0f %s", value, units[i]);
}

void share_result_print(const struct share_result *result, struct text *out)
{
	text_addf(out, "%s: %s", result->share, share_code_name(result->code));
	if (result->reason[0])
		text_addf(out, ": %s", result->reason);
	if (!result->readable)
		return;
	text_add(out, result->reason[0] ? "; " : ": ");
	if (result->writable >= 0)
		text_add(out, result->writable ? "writable, " : "not writable, ");
	add_size(result->free_bytes, out);
	text_add(out, " of ");
	add_size(result->total_bytes, out);
	text_add(out, " free");
}
