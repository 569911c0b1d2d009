/* SPDX-License-Identifier: MIT */
#include "image/survey.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "cluster/api.h"
#include "cluster/model.h"

enum { THREADS_MAX = 32 };

struct work {
	const struct survey *survey;
	const struct model *m;
	struct survey_row *rows;
	atomic_size_t next; /* the node that is to be asked next */
};

static void ask_node(const struct work *w, size_t i)
{
	struct survey_row *row = &w->rows[i];
	char url[PEER_URL_LEN];
	const struct api api = { .server = peer_url(&w->m->nodes[i].address, url),
				 .ca = w->survey->ca,
				 .crt = w->survey->crt,
				 .key = w->survey->key,
				 .timeout_ms = w->survey->timeout_ms };
	struct fault why = { 0 };

	*row = (struct survey_row){ 0 };
	row->answered = peer_ask(&api, &row->peer, &why) == 0;
	if (!row->answered)
		snprintf(row->silent, sizeof(row->silent), "%.*s", (int)sizeof(row->silent) - 1,
			 why.text);
}

static void *work(void *data)
{
	struct work *w = data;
	size_t i;

	while ((i = atomic_fetch_add(&w->next, 1)) < w->m->n_nodes)
		ask_node(w, i);
	return NULL;
}

void survey_ask(const struct survey *survey, const struct model *m, struct survey_row *rows)
{
	struct work w = { .survey = survey, .m = m, .rows = rows };
	pthread_t threads[THREADS_MAX];
	size_t n = 0, i;

	while (n < THREADS_MAX && n + 1 < m->n_nodes &&
	       pthread_create(&threads[n], NULL, work, &w) == 0)
		n++;
	/* This thread takes part: without any other it asks one after the other. */
	work(&w);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}
