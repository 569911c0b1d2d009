/* SPDX-License-Identifier: MIT */
#include "firstboot/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"

enum { STATE_MAX = 4096 };

static const char header[] = "rackseed-state 1";

static const struct flag {
	const char *name;
	size_t offset;
} flags[] = {
	{ "init-started", offsetof(struct state, init_started) },
	{ "join-started", offsetof(struct state, join_started) },
	{ "completed", offsetof(struct state, completed) },
	{ "healthy", offsetof(struct state, healthy) },
	{ "restored", offsetof(struct state, restored) },
	{ "anew", offsetof(struct state, anew) },
};

static const struct time {
	const char *key;
	size_t offset;
} times[] = {
	{ "saved-time ", offsetof(struct state, saved_time) },
	{ "began ", offsetof(struct state, began) },
	{ "snapshot ", offsetof(struct state, snapshot) },
};

static const char sum_key[] = "sum ";

/* FNV-1a: tells damage, not malice; who can write here is root anyway. */
static uint64_t sum_of(const char *bytes, size_t len)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
	return sum;
}

void state_render(const struct state *state, struct text *out)
{
	size_t begin = out->len;
	size_t i;

	text_addf(out, "%s\n", header);
	for (i = 0; i < COUNT(flags); i++)
		text_addf(out, "%s %d\n", flags[i].name,
			  *(const bool *)((const char *)state + flags[i].offset));
	for (i = 0; i < COUNT(times); i++)
		text_addf(out, "%s%" PRId64 "\n", times[i].key,
			  *(const int64_t *)((const char *)state + times[i].offset));
	text_addf(out, "%s%016" PRIx64 "\n", sum_key,
		  sum_of(text_str(out) + begin, out->len - begin));
}

/* The value behind "key " at the start of the line, or NULL. */
static const char *value_of(const char *line, const char *key)
{
	size_t n = strlen(key);

	return strncmp(line, key, n) == 0 ? line + n : NULL;
}

static bool read_flag(const char *line, const struct flag *flag, struct state *state)
{
	const char *value = value_of(line, flag->name);

	if (!value || value[0] != ' ' || (value[1] != '0' && value[1] != '1') || value[2] != '\n')
		return false;
	*(bool *)((char *)state + flag->offset) = value[1] == '1';
	return true;
}

static bool read_time(const char *line, const struct time *time, struct state *state)
{
	const char *value = value_of(line, time->key);
	char *end;

	if (!value || *value < '0' || *value > '9')
		return false;
	errno = 0;
	*(int64_t *)((char *)state + time->offset) = strtoll(value, &end, 10);
	return errno == 0 && *end == '\n';
}

static bool read_line(const char *line, struct state *state)
{
	size_t i;

	for (i = 0; i < COUNT(flags); i++)
		if (read_flag(line, &flags[i], state))
			return true;
	for (i = 0; i < COUNT(times); i++)
		if (read_time(line, &times[i], state))
			return true;
	return false;
}

int state_parse(const char *bytes, size_t len, struct state *ret)
{
	scoped(text_done) struct text copy = { 0 };
	scoped(text_done) struct text again = { 0 };
	struct state state = { 0 };
	const char *line, *sum;

	*ret = state;
	text_add_n(&copy, bytes, len);
	if (text_error(&copy) < 0 || strlen(text_str(&copy)) != len)
		return STATE_DAMAGED;
	line = value_of(text_str(&copy), header);
	if (!line || *line++ != '\n')
		return STATE_DAMAGED;
	for (; *line && !value_of(line, sum_key); line = strchr(line, '\n') + 1)
		if (!strchr(line, '\n') || !read_line(line, &state))
			return STATE_DAMAGED;
	sum = value_of(line, sum_key);
	if (!sum)
		return STATE_DAMAGED;
	text_addf(&again, "%016" PRIx64 "\n",
		  sum_of(text_str(&copy), (size_t)(line - text_str(&copy))));
	if (text_error(&again) < 0 || strcmp(sum, text_str(&again)) != 0)
		return STATE_DAMAGED;
	*ret = state;
	return STATE_READ;
}

static void add_time(int64_t seconds, struct text *out)
{
	time_t t = (time_t)seconds;
	struct tm tm = { 0 };
	char buf[40];

	gmtime_r(&t, &tm);
	if (strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S UTC", &tm) > 0)
		text_add(out, buf);
}

void state_tell_beginning(const struct state *state, struct text *out)
{
	if (!state->began)
		return;
	text_add(out, state->anew ? "the cluster began anew on " : "the cluster began on ");
	add_time(state->began, out);
	if (state->snapshot) {
		text_add(out, " from its snapshot of ");
		add_time(state->snapshot, out);
	} else {
		text_add(out, ", from no snapshot");
	}
}

int state_load(int root, struct state *ret, struct fault *why)
{
	scoped(text_done) struct text bytes = { 0 };
	int r = fs_read(root, STATE_PATH, STATE_MAX, &bytes, why);

	*ret = (struct state){ 0 };
	if (r == -ENOENT)
		return STATE_ABSENT;
	if (r == -EFBIG || r == -EINVAL || r == -EISDIR)
		return STATE_DAMAGED;
	if (r < 0)
		return r;
	return state_parse(text_str(&bytes), bytes.len, ret);
}

int state_save(int root, const struct state *state, struct fault *why)
{
	scoped(text_done) struct text bytes = { 0 };

	state_render(state, &bytes);
	if (text_error(&bytes) < 0)
		return fault_errno(why, text_error(&bytes), "%s", STATE_PATH);
	return fs_write(root, STATE_PATH, 0600, text_str(&bytes), bytes.len, why);
}
