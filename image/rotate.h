/* SPDX-License-Identifier: MIT */
#pragma once

#include "image/args.h"

struct fault;
struct model;
struct text;

/*
 * The making anew of a secret: the old file steps aside, what makes missing secrets makes another,
 * and then the old one goes; or it comes back, should that fail.
 */
struct rotation {
	const char *word;  /* "token", "admin", "registry" or "samba" */
	struct args paths; /* relative to the folder of the document */
	int folder;	   /* borrowed */
};

/* The words that can be given, with commas. */
void rotate_words(struct text *out) __attribute__((nonnull));

/* Sets the old files aside as PATH.old. -EINVAL: nothing of this document is named so. */
int rotate_begin(const struct model *m, int folder, const char *word, struct rotation *ret,
		 struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Ends it: the old files go when the new ones are there, else they come back. */
int rotate_end(struct rotation *r, struct fault *why) __attribute__((nonnull, warn_unused_result));
void rotation_done(struct rotation *r);

/* Adds what is to be done with the new one: which nodes hold the old one still, and how to go on.
 */
void rotate_advice(const struct model *m, const struct rotation *r, const char *old_token_id,
		   struct text *out) __attribute__((nonnull(1, 2, 4)));
