/* SPDX-License-Identifier: MIT */
#include "image/inspect.h"

#include <string.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "image/progress.h"

static void add_line(struct text *out, const char *name, const char *value)
{
	if (value && *value)
		text_addf(out, "%-12s %s\n", name, value);
}

static void add_list(struct text *out, const char *name, const struct args *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		text_addf(out, "%-12s %s\n", i ? "" : name, list->list[i]);
}

void inspection_print(const struct inspection *i, struct text *out)
{
	scoped(text_done) struct text image = { 0 };
	scoped(text_done) struct text node = { 0 };
	scoped(text_done) struct text packages = { 0 };

	text_addf(&image, "%s (%s, ", i->image, i->format);
	progress_size((uint64_t)i->bytes, &image);
	text_add(&image, ")");
	if (i->node)
		text_addf(&node, "%s (%s) %s", i->node, i->roles ? i->roles : "not in the file",
			  i->address ? i->address : "");
	text_addf(&packages, "%zu (--json lists them)", i->packages.n);
	add_line(out, "image:", text_str(&image));
	add_line(out, "cluster:", i->cluster);
	add_line(out, "node:", text_str(&node));
	add_line(out, "os:", i->product);
	add_line(out, "kernel:", i->kernel);
	add_line(out, "kubernetes:", i->facts.kubernetes);
	add_line(out, "containerd:", i->facts.containerd);
	add_line(out, "packages:", text_str(&packages));
	add_line(out, "seed:", i->seed);
	add_list(out, "secrets:", &i->secrets);
}

static void add_field(struct text *out, const char *name, const char *value)
{
	text_add(out, ",\"");
	text_add(out, name);
	text_add(out, "\":");
	if (value && *value)
		quote_json(out, value);
	else
		text_add(out, "null");
}

static void add_array(struct text *out, const char *name, const struct args *list)
{
	size_t i;

	text_addf(out, ",\"%s\":[", name);
	for (i = 0; i < list->n; i++) {
		text_add(out, i ? "," : "");
		quote_json(out, list->list[i]);
	}
	text_add(out, "]");
}

static void add_packages(struct text *out, const struct args *list)
{
	size_t i;

	text_add(out, ",\"packages\":{");
	for (i = 0; i < list->n; i++) {
		const char *space = strchr(list->list[i], ' ');
		scoped(text_done) struct text name = { 0 };

		text_add_n(&name, list->list[i], (size_t)(space - list->list[i]));
		text_add(out, i ? "," : "");
		quote_json(out, text_str(&name));
		text_add(out, ":");
		quote_json(out, space + 1);
	}
	text_add(out, "}");
}

void inspection_json(const struct inspection *i, struct text *out)
{
	text_add(out, "{\"image\":");
	quote_json(out, i->image);
	add_field(out, "format", i->format);
	text_addf(out, ",\"bytes\":%lld", (long long)i->bytes);
	add_field(out, "cluster", i->cluster);
	add_field(out, "node", i->node);
	add_field(out, "roles", i->roles);
	add_field(out, "address", i->address);
	add_field(out, "os", i->product);
	add_field(out, "kernel", i->kernel);
	add_field(out, "kubernetes", i->facts.kubernetes);
	add_field(out, "containerd", i->facts.containerd);
	add_field(out, "pause", i->facts.pause);
	add_field(out, "seed", i->seed);
	text_addf(out, ",\"seedVerified\":%s", i->seed_good > 0 ? "true" : "false");
	add_array(out, "secrets", &i->secrets);
	add_packages(out, &i->packages);
	text_add(out, "}\n");
}
