/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct text;

/*
 * How far a long command is, on stderr: one live line on a terminal, plain lines elsewhere, nothing
 * when quiet. Work comes in phases, one after the other.
 */
struct progress {
	bool live, quiet;
	bool open; /* a phase is under way */
	char name[96];
	uint64_t done, total; /* bytes; total 0: only permille counts */
	unsigned permille;
	int64_t began_ms, shown_ms;
};

/* What a line shows; pure data. */
struct progress_view {
	const char *name;
	uint64_t done, total;
	unsigned permille;
	int64_t elapsed_ms;
};

void progress_init(struct progress *p, bool quiet) __attribute__((nonnull));

/* Begins a phase, ending the one before; total may be 0. */
void progress_phase(struct progress *p, uint64_t total, const char *format, ...)
	__attribute__((format(printf, 3, 4), nonnull));
void progress_add(struct progress *p, uint64_t bytes) __attribute__((nonnull));
void progress_permille(struct progress *p, unsigned permille) __attribute__((nonnull));

/* Ends the phase: its name and time stay on the screen. After a fault: progress_drop. */
void progress_end(struct progress *p) __attribute__((nonnull));
void progress_drop(struct progress *p) __attribute__((nonnull));

/* A line of its own. */
void progress_note(struct progress *p, const char *format, ...)
	__attribute__((format(printf, 2, 3), nonnull));

/* "importing images  42 %  118 MB/s  0:07 left" */
void progress_line(const struct progress_view *v, struct text *out) __attribute__((nonnull));

/* "1.4 GiB" */
void progress_size(uint64_t bytes, struct text *out) __attribute__((nonnull));
