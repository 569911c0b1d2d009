/* SPDX-License-Identifier: MIT */
#include "image/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/text.h"

enum { SHOW_EVERY_MS = 200, RATE_AFTER_MS = 500 };

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void progress_size(uint64_t bytes, struct text *out)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t i = 0;

	while (value >= 1024 && i + 1 < COUNT(units)) {
		value /= 1024;
		i++;
	}
	text_addf(out, i < 2 || value >= 100 ? "%.0f %s" : "%.1f %s", value, units[i]);
}

static void add_time(struct text *out, int64_t ms)
{
	int64_t s = (ms + 500) / 1000;

	text_addf(out, "%lld:%02lld", (long long)(s / 60), (long long)(s % 60));
}

void progress_line(const struct progress_view *v, struct text *out)
{
	uint64_t done = v->done < v->total ? v->done : v->total;
	uint64_t permille = v->total ? done * 1000 / v->total : v->permille;

	text_add(out, v->name);
	if (permille > 0)
		text_addf(out, "  %llu %%", (unsigned long long)(permille / 10));
	if (v->total && v->elapsed_ms >= RATE_AFTER_MS)
		text_addf(out, "  %llu MB/s",
			  (unsigned long long)(done / (uint64_t)v->elapsed_ms / 1000));
	text_add(out, "  ");
	if (permille >= 20 && v->elapsed_ms >= RATE_AFTER_MS) {
		add_time(out, v->elapsed_ms * (int64_t)(1000 - permille) / (int64_t)permille);
		text_add(out, " left");
	} else {
		add_time(out, v->elapsed_ms);
	}
}

void progress_init(struct progress *p, bool quiet)
{
	const char *term = getenv("TERM");

	*p = (struct progress){ .quiet = quiet };
	p->live = !quiet && isatty(STDERR_FILENO) && (!term || strcmp(term, "dumb") != 0);
}

static void show(struct progress *p, bool now)
{
	scoped(text_done) struct text line = { 0 };
	int64_t t = now_ms();
	struct progress_view v = { .name = p->name,
				   .done = p->done,
				   .total = p->total,
				   .permille = p->permille,
				   .elapsed_ms = t - p->began_ms };

	if (!p->live || !p->open || (!now && t - p->shown_ms < SHOW_EVERY_MS))
		return;
	p->shown_ms = t;
	progress_line(&v, &line);
	fprintf(stderr, "\r\033[K%.*s", 78, text_str(&line));
	fflush(stderr);
}

void progress_phase(struct progress *p, uint64_t total, const char *format, ...)
{
	va_list ap;

	progress_end(p);
	va_start(ap, format);
	vsnprintf(p->name, sizeof(p->name), format, ap);
	va_end(ap);
	p->open = true;
	p->done = 0;
	p->total = total;
	p->permille = 0;
	p->began_ms = now_ms();
	if (!p->live && !p->quiet)
		fprintf(stderr, "%s ...\n", p->name);
	show(p, true);
}

void progress_add(struct progress *p, uint64_t bytes)
{
	p->done += bytes;
	show(p, false);
}

void progress_permille(struct progress *p, unsigned permille)
{
	if (permille > p->permille)
		p->permille = permille;
	show(p, false);
}

void progress_drop(struct progress *p)
{
	if (p->open && p->live)
		fprintf(stderr, "\r\033[K");
	p->open = false;
}

void progress_end(struct progress *p)
{
	scoped(text_done) struct text took = { 0 };

	if (!p->open)
		return;
	add_time(&took, now_ms() - p->began_ms);
	progress_drop(p);
	if (!p->quiet)
		fprintf(stderr, "%s: done in %s\n", p->name, text_str(&took));
}

void progress_note(struct progress *p, const char *format, ...)
{
	va_list ap;

	if (p->quiet)
		return;
	if (p->open && p->live)
		fprintf(stderr, "\r\033[K");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	show(p, true);
}
