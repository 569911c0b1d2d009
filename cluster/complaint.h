/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cluster/model.h"

struct text;

/* What is wrong with a document, collected in one run; printed as a compiler would. */

enum complaint_severity { COMPLAINT_ERROR, COMPLAINT_WARNING, COMPLAINT_N_SEVERITIES };

struct complaint {
	enum complaint_severity severity;
	struct model_mark mark;
	const char *code; /* a row of complaint_codes */
	char *node;	  /* or NULL */
	char *message;
	char *hint; /* or NULL */
};

struct complaints {
	struct complaint *list;
	size_t n, size;
	size_t n_errors;
	bool truncated; /* memory ran out or more than COMPLAINTS_MAX: the list is not complete */
};

enum { COMPLAINTS_MAX = 1000 };

/* Every code there is, sorted, NULL at the end. A code never changes its meaning. */
extern const char *const complaint_codes[];

void complaints_done(struct complaints *c);

/*
 * Adds one; hint may be NULL. The same message of the same code at the same mark is taken once. A
 * message longer than 400 bytes is cut.
 */
void complaint_add(struct complaints *c, enum complaint_severity severity, struct model_mark mark,
		   const char *code, const char *node, const char *hint, const char *format, ...)
	__attribute__((format(printf, 7, 8), nonnull(1, 4, 7)));

/* Says that memory ran out, as an error, so that nobody takes the document for checked. */
void complaints_exhausted(struct complaints *c) __attribute__((nonnull));

/* Puts them in the order of the file. */
void complaints_sort(struct complaints *c);

/*
 * FILE:LINE:COLUMN: error: node 'w1': MESSAGE, the source line with a caret, "hint: HINT"; source
 * is the document's bytes. Control characters of the line are shown as spaces.
 */
void complaints_print(const struct complaints *c, const char *file, const char *source, size_t len,
		      struct text *out);

/*
 * A JSON array of objects: file line column severity node code message hint. Of a list that is not
 * complete the last one, of code "truncated", says so.
 */
void complaints_json(const struct complaints *c, const char *file, struct text *out);

enum { COMPLAINT_GUESSES = 1000 }; /* candidates worth trying: a guess must stay cheap */

/*
 * "did you mean": of the candidates tried, the one nearest to word by Damerau-Levenshtein distance,
 * letters of either case being equal. best is NULL while none is near enough to be meant.
 */
struct complaint_guess {
	const char *word;
	const char *best;
	unsigned distance;
};

void complaint_guess_try(struct complaint_guess *guess, const char *candidate)
	__attribute__((nonnull));
