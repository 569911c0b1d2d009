/* SPDX-License-Identifier: MIT */
#include "firstboot/journal.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"

/* A fault has room for so many words, and for who said them. */
enum { LINE_LEN = 300, MAX_LINES = 16, WORDS_LEN = 800 };

DEFINE_DROP(journal, sd_journal *, sd_journal_close)

void journal_tell(int priority, const char *step, const char *state, const char *line)
{
	(void)sd_journal_send("MESSAGE=%s", line, "PRIORITY=%d", priority, "RACKSEED_STEP=%s", step,
			      "RACKSEED_STATE=%s", state, NULL);
}

void journal_console(const char *line)
{
	scoped(text_done) struct text whole = { 0 };
	/* Opened for each line: a getty that starts on the terminal hangs up whoever has it open.
	 */
	scoped(drop_fd) int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	text_addf(&whole, "%s\r\n", line);
	if (fd >= 0 && text_error(&whole) == 0 && write(fd, whole.data, whole.len) < 0)
		return; /* a console that does not listen is no reason to stop */
}

/* Hints that follow each error of kubeadm and say nothing about it. */
static int is_noise(const char *line)
{
	return line[strspn(line, " \t")] == '\0' ||
	       strstr(line, "To see the stack trace of this") ||
	       strstr(line, "If you know what you are doing, you can make");
}

/* Whether the entry is of that time or later. */
static bool is_since(sd_journal *j, uint64_t since_usec)
{
	uint64_t usec;

	return sd_journal_get_realtime_usec(j, &usec) >= 0 && usec >= since_usec;
}

/*
 * The messages of a unit's own processes, newest first, into lines. Not by the run's invocation id:
 * journald no longer finds that out for words that it reads after the unit's end.
 */
static size_t gather(sd_journal *j, const char *unit, uint64_t since_usec, char lines[][LINE_LEN],
		     size_t max)
{
	const void *data;
	size_t len, n = 0;
	char match[300];

	snprintf(match, sizeof(match), "_SYSTEMD_UNIT=%s", unit);
	if (sd_journal_add_match(j, match, 0) < 0 || sd_journal_seek_tail(j) < 0)
		return 0;
	while (n < max && sd_journal_previous(j) > 0 && is_since(j, since_usec)) {
		const size_t prefix = sizeof("MESSAGE=") - 1;

		if (sd_journal_get_data(j, "MESSAGE", &data, &len) < 0 || len < prefix)
			continue;
		snprintf(lines[n], LINE_LEN, "%.*s", (int)(len - prefix),
			 (const char *)data + prefix);
		n += !is_noise(lines[n]);
	}
	return n;
}

void journal_join(const char *const *lines, size_t n, size_t room, struct text *out)
{
	size_t used = 0, kept = 0;

	while (kept < n && (kept == 0 || used + strlen(lines[kept]) + 3 <= room))
		used += strlen(lines[kept++]) + 3;
	while (kept > 0) {
		kept--;
		text_addf(out, "%s%s", lines[kept], kept ? " | " : "");
	}
}

void journal_last_lines(const char *unit, uint64_t since_usec, unsigned n, struct text *out)
{
	static const char *const argv[] = { "journalctl", "--sync", NULL };
	const struct run sync = { .argv = argv, .timeout_ms = 30000 };
	scoped(drop_journal) sd_journal *j = NULL;
	char lines[MAX_LINES][LINE_LEN];
	struct fault ignored = { 0 };
	const char *shown[MAX_LINES];
	size_t found, i;

	/* The lines come through a socket and may arrive after the unit's end. */
	(void)(run(&sync, &ignored) < 0);
	if (sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY) < 0)
		return;
	found = gather(j, unit, since_usec, lines, n < MAX_LINES ? n : MAX_LINES);
	for (i = 0; i < found; i++)
		shown[i] = lines[i] + strspn(lines[i], " \t");
	journal_join(shown, found, WORDS_LEN, out);
}
