/* SPDX-License-Identifier: MIT */
#include "firstboot/share_watch.h"

#include <string.h>
#include <time.h>

#include "base/text.h"

enum { FIRST_MS = 1000, LAST_MS = 15000, LOGIN_FIRST_MS = 30000, LOGIN_LAST_MS = 300000 };

enum share_need share_need(const struct share_watch *w, int64_t now_ms)
{
	if (w->mounted && w->answers && !w->renew)
		return SHARE_NOTHING;
	return now_ms < w->next_ms ? SHARE_WAIT : SHARE_ASK;
}

bool share_may_mount(const struct share_result *result)
{
	return result->readable && (result->code == SHARE_OK || result->code == SHARE_FULL ||
				    result->code == SHARE_NOT_WRITABLE);
}

bool share_is_fine(const struct share_watch *w)
{
	return w->mounted && w->answers && !w->full && !w->renew;
}

int64_t share_delay_ms(unsigned tries, enum share_code code)
{
	bool login = code == SHARE_WRONG_PASSWORD || code == SHARE_SIGNING_REFUSED;
	int64_t ms = login ? LOGIN_FIRST_MS : FIRST_MS;
	int64_t last_ms = login ? LOGIN_LAST_MS : LAST_MS;

	while (tries-- > 1 && ms < last_ms)
		ms *= 2;
	return ms < last_ms ? ms : last_ms;
}

static void tell_since(uint64_t since_us, struct text *out)
{
	time_t since = (time_t)(since_us / 1000000);
	struct tm tm;
	char s[32];

	if (gmtime_r(&since, &tm) && strftime(s, sizeof(s), "%Y-%m-%d %H:%M:%S UTC", &tm) > 0)
		text_addf(out, "mounted since %s", s);
}

static void tell_result(const struct share_result *result, struct text *out)
{
	text_add(out, share_code_name(result->code));
	if (result->reason[0])
		text_addf(out, ": %s", result->reason);
}

void share_tell(const struct share_watch *w, struct text *out)
{
	bool refused = w->asked && w->result.code != SHARE_OK;

	if (w->mounted)
		tell_since(w->since_us, out);
	if (share_is_fine(w)) {
		if (w->asked && w->result.code == SHARE_NOT_WRITABLE)
			text_addf(out, ", for reading only: %s", w->result.reason);
		return;
	}
	text_add(out, w->mounted ? ", but " : "");
	if (w->mounted && w->answers && w->full)
		text_add(out, "full: no space is left on the share");
	else if (w->trouble[0])
		text_add(out, w->trouble);
	else if (refused)
		tell_result(&w->result, out);
	else
		text_add(out, w->mounted ? "it does not answer" : "not asked for yet");
}

void share_drop_in(const char *unit, const char *address, struct text *out)
{
	static const char key[] = "\nOptions=";
	const char *options = strstr(unit, key);

	if (!options)
		return;
	options += sizeof(key) - 1;
	text_add(out, "# Written by rackseed: where the server was found.\n[Mount]\nOptions=");
	text_add_n(out, options, strcspn(options, "\n"));
	text_addf(out, ",ip=%s\n", address);
}
