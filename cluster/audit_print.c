/* SPDX-License-Identifier: MIT */
#include "cluster/audit.h"

#include <string.h>
#include <time.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"

static void lines_of(const struct audit *a, enum audit_outcome outcome, struct text *out)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (a->results[i].outcome == outcome)
			text_addf(out, "%-5s %-7s %s\n              %s\n",
				  audit_outcome_name(outcome), a->results[i].number,
				  a->results[i].title, a->results[i].seen);
}

/* "2026-11-27 14:05:00 UTC" */
static void add_time(int64_t epoch, struct text *out)
{
	time_t at = (time_t)epoch;
	struct tm tm;
	char buf[32];

	if (gmtime_r(&at, &tm) && strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S UTC", &tm) > 0)
		text_add(out, buf);
}

void audit_print(const struct audit *a, const char *what, struct text *out)
{
	static const enum audit_outcome order[] = { AUDIT_FAIL, AUDIT_LATER, AUDIT_PASS };
	size_t i;

	text_addf(out, "%s", what);
	if (a->node && *a->node)
		text_addf(out, ": node %s (%s)", a->node, a->roles);
	if (a->judged) {
		text_add(out, ", judged ");
		add_time(a->judged, out);
	}
	text_add(out, "\n");
	for (i = 0; i < COUNT(order); i++)
		lines_of(a, order[i], out);
	text_addf(out, "%zu passed, %zu failed, %zu come with the first boot\n",
		  a->counts[AUDIT_PASS], a->counts[AUDIT_FAIL], a->counts[AUDIT_LATER]);
}

static void json_field(struct text *out, const char *name, const char *value)
{
	text_addf(out, "\"%s\": ", name);
	quote_json(out, value);
}

static void json_list(struct text *out, const char *name, char *const *list)
{
	size_t i;

	text_addf(out, ",\n  \"%s\": [", name);
	for (i = 0; list && list[i]; i++) {
		text_add(out, i ? ",\n    " : "\n    ");
		quote_json(out, list[i]);
	}
	text_add(out, i ? "\n  ]" : "]");
}

void audit_json(const struct audit *a, const char *what, struct text *out)
{
	size_t i;

	text_add(out, "{\n  ");
	json_field(out, "image", what);
	text_add(out, ",\n  ");
	json_field(out, "node", a->node);
	text_add(out, ",\n  ");
	json_field(out, "roles", a->roles);
	if (a->judged)
		text_addf(out, ",\n  \"judged\": %lld", (long long)a->judged);
	text_addf(out, ",\n  \"passed\": %zu,\n  \"failed\": %zu,\n  \"later\": %zu",
		  a->counts[AUDIT_PASS], a->counts[AUDIT_FAIL], a->counts[AUDIT_LATER]);
	text_add(out, ",\n  \"results\": [");
	for (i = 0; i < a->n; i++) {
		text_add(out, i ? ",\n    {" : "\n    {");
		json_field(out, "number", a->results[i].number);
		text_add(out, ", ");
		json_field(out, "title", a->results[i].title);
		text_add(out, ", ");
		json_field(out, "outcome", audit_outcome_name(a->results[i].outcome));
		text_add(out, ", ");
		json_field(out, "seen", a->results[i].seen);
		text_add(out, "}");
	}
	text_add(out, a->n ? "\n  ]" : "]");
	json_list(out, "setuid", a->setuid);
	json_list(out, "units", a->units);
	json_list(out, "packages", a->packages);
	text_add(out, "\n}\n");
}

/* Text of XML 1.0, in which control characters cannot stand at all, not even escaped. */
static void xml(struct text *out, const char *s)
{
	static const struct {
		char c;
		const char *entity;
	} entities[] = {
		{ '<', "&lt;" },
		{ '>', "&gt;" },
		{ '&', "&amp;" },
		{ '"', "&quot;" },
	};
	size_t i;

	for (; *s; s++) {
		for (i = 0; i < COUNT(entities) && entities[i].c != *s; i++)
			;
		if (i < COUNT(entities))
			text_add(out, entities[i].entity);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			text_add(out, " ");
		else
			text_add_n(out, s, 1);
	}
}

static void testcase(const struct audit_result *r, const char *class, struct text *out)
{
	text_add(out, "    <testcase classname=\"");
	xml(out, class);
	text_addf(out, "\" name=\"%s ", r->number);
	xml(out, r->title);
	text_add(out, "\">");
	if (r->outcome != AUDIT_PASS) {
		text_addf(out, "<%s message=\"", r->outcome == AUDIT_FAIL ? "failure" : "skipped");
		xml(out, r->seen);
		text_add(out, "\"/>");
	}
	text_add(out, "</testcase>\n");
}

void audit_junit(const struct audit *a, const char *what, struct text *out)
{
	size_t i;

	text_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
		      "  <testsuite name=\"rackseed audit ");
	xml(out, what);
	text_addf(out, "\" tests=\"%zu\" failures=\"%zu\" skipped=\"%zu\" errors=\"0\">\n", a->n,
		  a->counts[AUDIT_FAIL], a->counts[AUDIT_LATER]);
	for (i = 0; i < a->n; i++)
		testcase(&a->results[i], what, out);
	text_add(out, "  </testsuite>\n</testsuites>\n");
}
