/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * A growing text with a sticky error: producers add and never look, whoever takes the result asks
 * once with text_error(). Zero-initialised is empty. data is NUL-terminated whenever it is not
 * NULL; text_str() gives "" for an empty one.
 */
struct text {
	char *data;
	size_t len;
	size_t size;
	int error; /* 0 or -ENOMEM */
};

void text_add(struct text *t, const char *s) __attribute__((nonnull));
void text_add_n(struct text *t, const char *s, size_t n) __attribute__((nonnull(1)));
void text_addf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *text_str(const struct text *t) __attribute__((nonnull));

/* 0, or -ENOMEM when anything was lost. */
int text_error(const struct text *t) __attribute__((nonnull, warn_unused_result));

/* For what was made of part: when part lost anything, so did t. */
void text_inherit(struct text *t, const struct text *part) __attribute__((nonnull));

/*
 * Length of the UTF-8 character that the n > 0 bytes at s begin with, or 0 when they begin with
 * none (cut, overlong, surrogate, beyond U+10FFFF).
 */
size_t text_utf8(const char *s, size_t n) __attribute__((nonnull));

/*
 * Whether a terminal would obey the character of n bytes at s instead of showing it: C0 and C1
 * controls, and the marks that turn the direction of writing round (U+200E, U+200F, U+202A-202E,
 * U+2066-2069).
 */
bool text_is_control(const char *s, size_t n) __attribute__((nonnull));

/*
 * Makes foreign words fit to be shown, in place: blanks for tab and line feed, a '?' for each byte
 * that is not UTF-8 and each character that a terminal would obey or that a string of D-Bus must
 * not hold. Returns s.
 */
char *text_tame(char *s) __attribute__((nonnull));

/* Takes the line's end away that editors leave behind a word: each CR and LF, no other sign. */
void text_chomp(struct text *t) __attribute__((nonnull));

/* Hands the bytes over (never NULL on success) and leaves t empty. NULL when memory ran out. */
char *text_take(struct text *t) __attribute__((nonnull, warn_unused_result));

/* Frees; t is empty and usable again. Also the function for scoped(). */
void text_done(struct text *t);

/* The same, but overwrites the bytes first: for secrets. Growing leaves no copies either. */
void text_wipe(struct text *t);
