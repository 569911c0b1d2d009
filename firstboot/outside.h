/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct node;
struct worker;

/*
 * How the service speaks to the outside: it does not. It leaves below /run what is to be told and
 * the certificate to tell it with; rackseed-status.service, which has no rights at all, hands it
 * out (see serve.h). So what strangers send is read by nobody who could do harm.
 */
struct outside {
	struct worker *worker;
	const struct node *node; /* the worker's own, but for what its step seed loaded */
	bool prepared;		 /* the certificate is there */
	bool told;		 /* why there is none */
};

/*
 * Writes the report anew; before the first one, as soon as the step seed is done, what it is served
 * with: a node that waits is the one that people ask. To be called again and again.
 */
void outside_report(struct outside *o) __attribute__((nonnull));

/* Takes the report away: nobody shall take an old one for news. */
void outside_close(struct outside *o) __attribute__((nonnull));
