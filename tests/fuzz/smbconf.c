/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "storage/share.h"
#include "storage/storage.h"

/*
 * Texts from a document end in smb.conf, in mount units and in credentials files. What the flaws
 * let pass must come out as the one value of the one key that it was meant for. The input is eight
 * lines.
 */

/* libfyaml 0.7 loses some bytes over quoted texts of many lines; not ours to free. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

enum { N_TEXTS = 8 };

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/* How often "key" stands in front of '=', and whether it always has this value. */
static unsigned count_key(const char *text, const char *key, const char *value)
{
	unsigned n = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");
		const char *line = text + strspn(text, "\t");
		size_t key_len = strlen(key);

		if (strncmp(line, key, key_len) == 0) {
			size_t value_len = len - (size_t)(line - text) - key_len;

			must(value_len == strlen(value));
			must(memcmp(line + key_len, value, value_len) == 0);
			n++;
		}
		text += len + (text[len] == '\n');
	}
	return n;
}

static unsigned count_sections(const char *text)
{
	unsigned n = text[0] == '[';

	while ((text = strstr(text, "\n[")) != NULL) {
		text++;
		n++;
	}
	return n;
}

static void fuzz_smbconf(char *const t[N_TEXTS])
{
	scoped(text_done) struct text out = { 0 };
	const struct storage_export e = { .name = t[0], .path = t[1], .user = t[2], .owner = t[2] };
	const struct storage_server server = { .workgroup = t[3], .exports = &e, .n_exports = 1 };

	if (storage_name_flaw(t[0]) || storage_path_flaw(t[1]) || storage_account_flaw(t[2]) ||
	    storage_value_flaw(t[3]))
		return;
	storage_smbconf(&server, &out);
	must(count_sections(text_str(&out)) == 2);
	must(count_key(text_str(&out), "path = ", t[1]) == 1);
	must(count_key(text_str(&out), "valid users = ", t[2]) == 1);
	must(count_key(text_str(&out), "force user = ", t[2]) == 1);
	must(count_key(text_str(&out), "workgroup = ", t[3]) == 1);
	must(count_key(text_str(&out), "guest ok = ", "no") == 1);
}

static void fuzz_mount(char *const t[N_TEXTS])
{
	scoped(text_done) struct text unit = { 0 };
	scoped(text_done) struct text name = { 0 };
	struct storage_mount m = { .name = t[0], .where = t[1] };
	struct fault why = { 0 };

	if (storage_name_flaw(t[0]) || storage_path_flaw(t[1]) ||
	    storage_unc_parse(t[4], &m.unc, &why) < 0)
		return;
	if (storage_mount_unit_name(t[1], &name, &why) == 0)
		must(name.len <= 255 && !strchr(name.data, '/') && name.data[0] != '.');
	storage_mount_unit(&m, &unit);
	must(count_sections(text_str(&unit)) == 2);
	must(count_key(text_str(&unit), "Where=", t[1]) == 1);
	must(count_key(text_str(&unit), "Type=", "cifs") == 1);
	must(!strchr(text_str(&unit), '%') && !strchr(text_str(&unit), '\\'));
}

static void fuzz_credentials(char *const t[N_TEXTS])
{
	scoped(text_wipe) struct text out = { 0 };
	struct storage_credentials back = { 0 };
	struct fault why = { 0 };
	const char *slash = strchr(t[5], '\\');

	if (storage_user_flaw(t[5]) || storage_password_flaw(t[6]))
		return;
	storage_credentials(t[5], t[6], &out);
	must(storage_credentials_parse(text_str(&out), &back, &why) == 0);
	must(strcmp(back.user, slash ? slash + 1 : t[5]) == 0);
	must(strcmp(back.password, t[6]) == 0);
	must(strlen(back.domain) == (slash ? (size_t)(slash - t[5]) : 0));
}

/* A server's words, in any encoding, come back through JSON, or with '?' for what is no UTF-8. */
static void fuzz_result(const char *words)
{
	scoped(text_done) struct text json = { 0 };
	struct share_result result = { .writable = -1 }, back;
	struct fault why = { 0 };
	size_t n = strnlen(words, sizeof(result.reason) - 1);

	memcpy(result.reason, words, n);
	share_result_json(&result, &json);
	must(share_result_parse(text_str(&json), json.len, &back, &why) == 0);
	must(strlen(back.reason) == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(text_done) struct text all = { 0 };
	struct storage_credentials credentials;
	struct share_result result;
	struct fault why = { 0 };
	char *t[N_TEXTS];
	char *at;
	size_t i;

	text_add_n(&all, (const char *)data, size);
	if (!all.data)
		return 0;
	if (storage_credentials_parse(all.data, &credentials, &why) == 0)
		must(credentials.user[0] != '\0');
	if (share_result_parse(all.data, all.len, &result, &why) == 0)
		must(result.code < SHARE_N_CODES);
	fuzz_result(all.data);
	for (i = 0, at = all.data; i < N_TEXTS; i++) {
		t[i] = at;
		at += strcspn(at, "\n");
		if (*at)
			*at++ = '\0';
	}
	fuzz_smbconf(t);
	fuzz_mount(t);
	fuzz_credentials(t);
	return 0;
}
