/* SPDX-License-Identifier: MIT */
#include "image/flash_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/disk.h"
#include "cluster/model.h"
#include "image/table.h"

enum { COLUMNS = 7 };

static const char *may_be_written(const struct flash_row *row)
{
	int weight = target_weight(&row->verdict);

	if (row->trouble[0] && weight != TARGET_REFUSED)
		return "unreadable";
	switch (weight) {
	case TARGET_REFUSED:
		return "no";
	case TARGET_ASKS:
	case TARGET_ASKS_SERIAL:
		return "asks";
	default:
		return "yes";
	}
}

/* The node for which the file names this very disk, or NULL. Size alone names none. */
static const char *named_for(const struct model *m, const struct target_facts *f)
{
	size_t i;

	for (i = 0; m && i < m->n_nodes; i++) {
		const struct model_disk *d = &m->nodes[i].disk;
		bool serial = d->serial && strcasecmp(d->serial, f->serial) == 0;
		bool wwn = d->wwn && disk_wwn_equal(d->wwn, f->wwn);

		if ((serial || wwn) && (serial || !d->serial) && (wwn || !d->wwn))
			return m->nodes[i].name;
	}
	return NULL;
}

static void add_reasons(const struct flash_row *row, const struct model *m, struct text *out)
{
	const char *node = named_for(m, &row->facts);
	size_t i;

	if (row->trouble[0])
		text_addf(out, "%s: %s\n", row->path, row->trouble);
	for (i = 0; i < row->verdict.n; i++)
		text_addf(out, "%s: %s: %s (%s)\n", row->path,
			  row->verdict.reasons[i].weight == TARGET_REFUSED ? "refused" : "will ask",
			  row->verdict.reasons[i].text, row->verdict.reasons[i].code);
	if (node)
		text_addf(out, "%s: the file names it for node '%s'\n", row->path, node);
}

static void add_table(const struct flash_list *list, const char **cells, struct text *words,
		      char (*sizes)[TARGET_SIZE_LEN], struct text *out)
{
	static const char *const heading[COLUMNS] = { "DISK",	       "SIZE",	    "MODEL",
						      "SERIAL",	       "TRANSPORT", "HOLDS",
						      "MAY BE WRITTEN" };
	size_t i;

	memcpy(cells, heading, sizeof(heading));
	for (i = 0; i < list->n; i++) {
		const struct flash_row *row = &list->rows[i];
		const char **cell = cells + (i + 1) * COLUMNS;

		target_contents(&row->facts, &words[i]);
		cell[0] = row->path;
		cell[1] = target_size(row->facts.size_bytes, sizes[i]);
		cell[2] = row->facts.model;
		cell[3] = row->facts.serial;
		cell[4] = row->facts.transport;
		cell[5] = text_str(&words[i]);
		cell[6] = may_be_written(row);
	}
	table_render(cells, list->n + 1, COLUMNS, out);
}

void flash_list_text(const struct flash_list *list, const struct model *m, struct text *out)
{
	const char **cells = calloc((list->n + 1) * COLUMNS, sizeof(*cells));
	struct text *words = calloc(list->n + 1, sizeof(*words));
	char(*sizes)[TARGET_SIZE_LEN] = calloc(list->n + 1, sizeof(*sizes));
	size_t i;

	if (cells && words && sizes)
		add_table(list, cells, words, sizes, out);
	else
		out->error = -ENOMEM;
	for (i = 0; words && i < list->n; i++)
		text_done(&words[i]);
	free(cells);
	free(words);
	free(sizes);
	for (i = 0; i < list->n; i++)
		add_reasons(&list->rows[i], m, out);
}

static void add_member(struct text *out, const char *key, const char *value)
{
	text_addf(out, ",\"%s\":", key);
	quote_json(out, value);
}

void flash_facts_json(const char *path, const struct target_facts *f,
		      const struct target_verdict *verdict, struct text *out)
{
	scoped(text_done) struct text holds = { 0 };
	size_t i;

	target_contents(f, &holds);
	text_add(out, "\"device\":");
	quote_json(out, path);
	text_addf(out, ",\"size\":%llu", (unsigned long long)f->size_bytes);
	add_member(out, "model", f->model);
	add_member(out, "serial", f->serial);
	add_member(out, "wwn", f->wwn);
	add_member(out, "transport", f->transport);
	add_member(out, "holds", text_str(&holds));
	text_add(out, ",\"reasons\":[");
	for (i = 0; i < verdict->n; i++) {
		text_addf(out, "%s{\"code\":\"%s\",\"refused\":%s", i ? "," : "",
			  verdict->reasons[i].code,
			  verdict->reasons[i].weight == TARGET_REFUSED ? "true" : "false");
		add_member(out, "message", verdict->reasons[i].text);
		text_add(out, "}");
	}
	text_add(out, "]");
}

void flash_list_json(const struct flash_list *list, const struct model *m, struct text *out)
{
	size_t i;

	text_add(out, "[");
	for (i = 0; i < list->n; i++) {
		const struct flash_row *row = &list->rows[i];
		const char *node = named_for(m, &row->facts);

		text_add(out, i ? ",\n {" : "\n {");
		flash_facts_json(row->path, &row->facts, &row->verdict, out);
		add_member(out, "may_be_written", may_be_written(row));
		if (row->trouble[0])
			add_member(out, "trouble", row->trouble);
		if (node)
			add_member(out, "named_for", node);
		text_add(out, "}");
	}
	text_add(out, "\n]\n");
}
