/* SPDX-License-Identifier: MIT */
#include "cluster/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"

enum { ANSWER_MAX = 4 << 20 };

/* All of it may end up on a terminal. */
static char *copy(const struct yaml *from)
{
	const char *s = yaml_text(from);
	char *own = strdup(s ? s : "");

	return own ? text_tame(own) : NULL;
}

static int read_list(const struct yaml *from, char ***ret)
{
	size_t n = from && from->kind == YAML_SEQUENCE ? from->n_items : 0;
	char **list = calloc(n + 1, sizeof(*list));
	size_t i;

	*ret = list;
	for (i = 0; list && i < n; i++) {
		list[i] = copy(&from->items[i]);
		if (!list[i])
			return -ENOMEM;
	}
	return list ? 0 : -ENOMEM;
}

/* What place() needs for it. In YAML a text may be longer than what stands for it: "\L". */
static size_t room(const struct yaml *from, const char *key)
{
	const char *s = yaml_text(yaml_get(from, key));

	return (s ? strlen(s) : 0) + 1;
}

/* The text of a key at *end, which moves on. */
static const char *place(const struct yaml *from, const char *key, char **end)
{
	const char *s = yaml_text(yaml_get(from, key));
	char *at = *end;

	*end = stpcpy(at, s ? s : "") + 1;
	return text_tame(at);
}

static int read_result(const struct yaml *from, struct audit *a, char **end, struct fault *why)
{
	const char *outcome = yaml_text(yaml_get(from, "outcome"));
	struct audit_result *r = &a->results[a->n];
	int i;

	for (i = 0; i < AUDIT_N_OUTCOMES; i++)
		if (outcome && strcmp(outcome, audit_outcome_name((enum audit_outcome)i)) == 0)
			break;
	if (i == AUDIT_N_OUTCOMES)
		return fault_set(why, EBADMSG, "its answer tells no outcome of rule %zu", a->n + 1);
	r->outcome = (enum audit_outcome)i;
	r->number = place(from, "number", end);
	r->title = place(from, "title", end);
	r->seen = copy(yaml_get(from, "seen"));
	if (!r->seen)
		return fault_errno(why, ENOMEM, "audit");
	a->counts[i]++;
	a->n++;
	return 0;
}

static int read_results(const struct yaml *list, struct audit *a, struct fault *why)
{
	size_t i, n = 0;
	char *end;
	int r = 0;

	if (!list || list->kind != YAML_SEQUENCE || list->n_items == 0)
		return fault_set(why, EBADMSG, "its answer tells no results");
	for (i = 0; i < list->n_items; i++)
		n += room(&list->items[i], "number") + room(&list->items[i], "title");
	a->results = calloc(list->n_items, sizeof(*a->results));
	a->texts = end = malloc(n);
	if (!a->results || !a->texts)
		return fault_errno(why, ENOMEM, "audit");
	for (i = 0; i < list->n_items && r == 0; i++)
		r = read_result(&list->items[i], a, &end, why);
	return r;
}

int audit_parse(const char *json, size_t len, struct audit *ret, struct fault *why)
{
	scoped(audit_done) struct audit a = { 0 };
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };
	const char *judged;
	int r;

	if (len > ANSWER_MAX)
		return fault_set(why, EFBIG, "its answer is too large");
	r = yaml_parse(json, len, &tree, &error);
	if (r == -ENOMEM)
		return fault_errno(why, ENOMEM, "audit");
	if (r < 0)
		return fault_set(why, EBADMSG, "its answer is no JSON: %s", error.message);
	judged = yaml_text(yaml_get(&tree, "judged"));
	a.judged = judged ? strtoll(judged, NULL, 10) : 0;
	a.node = copy(yaml_get(&tree, "node"));
	a.roles = copy(yaml_get(&tree, "roles"));
	if (!a.node || !a.roles || read_list(yaml_get(&tree, "setuid"), &a.setuid) < 0 ||
	    read_list(yaml_get(&tree, "units"), &a.units) < 0 ||
	    read_list(yaml_get(&tree, "packages"), &a.packages) < 0)
		return fault_errno(why, ENOMEM, "audit");
	r = read_results(yaml_get(&tree, "results"), &a, why);
	if (r < 0)
		return r;
	*ret = a;
	a = (struct audit){ 0 };
	return 0;
}
