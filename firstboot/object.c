/* SPDX-License-Identifier: MIT */
#include "firstboot/object.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/gpu.h"
#include "firstboot/json.h"

/* Lists that are one value to Kubernetes: who applies one replaces what all others put into it. */
static const struct list {
	const char *kind;
	const char *parent; /* or NULL: the object itself */
	const char *key;
	const char *note;  /* the annotation that says which items are ours */
	const char *id[2]; /* the members that tell one item from another */
	const char *own;   /* an item that is ours also where no note says so, or NULL */
} lists[] = {
	/* Of that taint kubelet made the first, when the node joined. */
	{ "Node", "spec", "taints", PLAN_TAINTS_NOTE, { "key", "effect" },
	  GPU_TAINT ":" GPU_TAINT_EFFECT },
	{ "ServiceAccount", NULL, "imagePullSecrets", PLAN_PULL_NOTE, { "name", NULL }, NULL },
};

static bool is(const struct yaml *y, const char *text)
{
	const char *s = yaml_text(y);

	return s && strcmp(s, text) == 0;
}

static const struct list *find_list(const struct yaml *object)
{
	size_t i;

	for (i = 0; i < COUNT(lists); i++)
		if (is(yaml_get(object, "kind"), lists[i].kind))
			return &lists[i];
	return NULL;
}

static const struct yaml *list_of(const struct list *list, const struct yaml *object)
{
	return yaml_get(list->parent ? yaml_get(object, list->parent) : object, list->key);
}

static void id_of(const struct list *list, const struct yaml *item, struct text *out)
{
	const char *first = yaml_text(yaml_get(item, list->id[0]));
	const char *second = list->id[1] ? yaml_text(yaml_get(item, list->id[1])) : NULL;

	text_addf(out, "%s%s%s", first ? first : "", list->id[1] ? ":" : "", second ? second : "");
}

/* Whether a list with commas between has the word. */
static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (; words; words = strchr(words, ',')) {
		words += *words == ',';
		if (strncmp(words, word, n) == 0 && (words[n] == ',' || !words[n]))
			return true;
	}
	return false;
}

static const struct yaml *find_item(const struct list *list, const struct yaml *items,
				    const char *id)
{
	size_t i;

	for (i = 0; items && i < items->n_items; i++) {
		scoped(text_done) struct text other = { 0 };

		id_of(list, &items->items[i], &other);
		if (strcmp(text_str(&other), id) == 0)
			return &items->items[i];
	}
	return NULL;
}

static void add_item(const struct yaml *item, bool *more, struct text *out)
{
	text_add(out, *more ? "," : "");
	json_write(item, out);
	*more = true;
}

/* Theirs without what is or was ours, then ours. */
static void write_merged(const struct list *list, const struct yaml *have, const struct yaml *ours,
			 struct text *out)
{
	const struct yaml *notes = yaml_get(yaml_get(have, "metadata"), "annotations");
	const char *note = yaml_text(yaml_get(notes, list->note));
	const struct yaml *theirs = have ? list_of(list, have) : NULL;
	bool more = false;
	size_t i;

	text_add(out, "[");
	for (i = 0; theirs && i < theirs->n_items; i++) {
		scoped(text_done) struct text id = { 0 };

		id_of(list, &theirs->items[i], &id);
		if (list->own && strcmp(list->own, text_str(&id)) == 0)
			continue;
		if (!has_word(note, text_str(&id)) && !find_item(list, ours, text_str(&id)))
			add_item(&theirs->items[i], &more, out);
	}
	for (i = 0; i < ours->n_items; i++)
		add_item(&ours->items[i], &more, out);
	text_add(out, "]");
}

static void write_version(const struct yaml *have, struct text *out)
{
	const char *version = yaml_text(yaml_get(yaml_get(have, "metadata"), "resourceVersion"));

	if (!version)
		return;
	text_add(out, "\"resourceVersion\":");
	quote_json(out, version);
	text_add(out, ",");
}

/* A member of the object: metadata gets the version, the list what others put into it. */
static void write_member(const struct list *list, const struct yaml *have, const char *key,
			 const struct yaml *value, struct text *out)
{
	const struct yaml *ours = NULL;

	if (list && list->parent && strcmp(key, list->parent) == 0)
		ours = yaml_get(value, list->key);
	else if (list && !list->parent && strcmp(key, list->key) == 0)
		ours = value;
	if (ours && list->parent)
		text_addf(out, "{\"%s\":", list->key);
	if (ours)
		write_merged(list, have, ours, out);
	else
		json_write(value, out);
	if (ours && list->parent)
		text_add(out, "}");
}

void object_body(const struct yaml *have, const struct yaml *want, struct text *out)
{
	const struct list *list = find_list(want);
	size_t i;

	if (list && !list_of(list, want))
		list = NULL;
	text_add(out, "{");
	for (i = 0; i + 1 < want->n_items; i += 2) {
		const char *key = want->items[i].text;
		const struct yaml *value = &want->items[i + 1];

		text_add(out, i ? "," : "");
		quote_json(out, key);
		text_add(out, ":");
		if (list && strcmp(key, "metadata") == 0 && value->n_items > 0) {
			scoped(text_done) struct text rest = { 0 };

			json_write(value, &rest);
			text_add(out, "{");
			write_version(have, out);
			text_add(out, text_str(&rest) + 1);
		} else {
			write_member(list, have, key, value, out);
		}
	}
	text_add(out, "}");
}

int object_keep(const struct yaml *have, struct yaml *want, struct fault *why)
{
	const struct yaml *theirs = yaml_get(yaml_get(have, "spec"), "resources");
	struct yaml *ours = (struct yaml *)yaml_get(yaml_get(want, "spec"), "resources");
	scoped(text_done) struct text json = { 0 };
	struct yaml_error error = { 0 };
	struct yaml copy = { 0 };

	if (!is(yaml_get(want, "kind"), "PersistentVolumeClaim") || !theirs || !ours)
		return 0;
	json_write(theirs, &json);
	if (text_error(&json) < 0)
		return fault_errno(why, ENOMEM, "a claim");
	if (yaml_parse(text_str(&json), json.len, &copy, &error) < 0)
		return fault_set(why, EBADMSG, "a claim's resources: %s", error.message);
	yaml_done(ours);
	*ours = copy;
	return 0;
}

/* Whoever takes the label away from what we applied has not made it his own. */
static bool is_made(const struct yaml *have, const char *manager)
{
	const struct yaml *labels = yaml_get(yaml_get(have, "metadata"), "labels");

	return is(yaml_get(labels, PLAN_MADE_LABEL), PLAN_MANAGER) || json_managed(have, manager);
}

/* What a taint has more is passed over elsewhere, but a value that we do not want must go. */
static bool has_values(const struct yaml *have, const struct yaml *want)
{
	const struct list *list = find_list(want);
	const struct yaml *ours = list ? list_of(list, want) : NULL;
	size_t i;

	for (i = 0; ours && i < ours->n_items; i++) {
		scoped(text_done) struct text id = { 0 };
		const struct yaml *item;

		id_of(list, &ours->items[i], &id);
		item = find_item(list, list_of(list, have), text_str(&id));
		if (item && yaml_get(item, "value") && !yaml_get(&ours->items[i], "value"))
			return false;
	}
	return true;
}

/* Nor does it tell of an item of our own that is not wanted any more. */
static bool has_stray(const struct yaml *have, const struct yaml *want)
{
	const struct list *list = find_list(want);
	const struct yaml *ours = list ? list_of(list, want) : NULL;

	return ours && list->own && find_item(list, list_of(list, have), list->own) &&
	       !find_item(list, ours, list->own);
}

/* Our taint is the last of its list and of the note, see objects_node(). */
void object_untaint(const struct yaml *have, struct yaml *want)
{
	const struct list *list = find_list(want);
	struct yaml *ours = list ? (struct yaml *)list_of(list, want) : NULL;
	struct yaml *notes =
		(struct yaml *)yaml_get(yaml_get(want, "metadata"), "annotations");
	const struct yaml *labels = yaml_get(yaml_get(have, "metadata"), "labels");
	struct yaml *note = list ? (struct yaml *)yaml_get(notes, list->note) : NULL;
	size_t n, own_n;

	if (!ours || !list->own || !note || !find_item(list, ours, list->own) ||
	    !is(yaml_get(labels, GPU_LABEL "state"), GPU_TESTED))
		return;
	yaml_done(&ours->items[--ours->n_items]);
	n = strlen(note->text);
	own_n = strlen(list->own);
	if (n > own_n)
		note->text[n - own_n - 1] = '\0'; /* with the comma before it */
	while (n == own_n && notes->n_items > 0)
		yaml_done(&notes->items[--notes->n_items]);
}

enum object_verdict object_judge(enum plan_kind kind, const struct yaml *have,
				 const struct yaml *want, const char *manager)
{
	if (kind == PLAN_OBJECT && !is_made(have, manager))
		return OBJECT_FOREIGN;
	/* On its way out: when it is gone it is made anew. */
	if (kind == PLAN_OBJECT && yaml_get(yaml_get(have, "metadata"), "deletionTimestamp"))
		return OBJECT_SAME;
	if (is(yaml_get(want, "kind"), "PersistentVolume") &&
	    is(yaml_get(yaml_get(have, "status"), "phase"), "Released"))
		return OBJECT_RELEASE;
	if (json_contains(have, want) && has_values(have, want) && !has_stray(have, want) &&
	    json_owned(json_managed(have, manager), want))
		return OBJECT_SAME;
	return OBJECT_APPLY;
}

static const struct {
	const char *plural, *title;
} titles[] = {
	{ "nodes", "node" },
	{ "namespaces", "namespace" },
	{ "secrets", "secret" },
	{ "serviceaccounts", "service account" },
	{ "persistentvolumes", "volume" },
	{ "persistentvolumeclaims", "claim" },
	{ "storageclasses", "storage class" },
	{ "runtimeclasses", "runtime class" },
	{ "daemonsets", "daemon set" },
};

static const char *title_of(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < COUNT(titles); i++)
		if (strlen(titles[i].plural) == n && strncmp(titles[i].plural, s, n) == 0)
			return titles[i].title;
	return NULL;
}

void object_title(const char *path, struct text *out)
{
	const char *end = path + strcspn(path, "?");
	const char *name = end, *plural, *space = strstr(path, "/namespaces/");

	while (name > path && name[-1] != '/')
		name--;
	plural = name > path ? name - 1 : name;
	while (plural > path && plural[-1] != '/')
		plural--;
	if (name == path || !title_of(plural, (size_t)(name - 1 - plural))) {
		text_add_n(out, path, (size_t)(end - path));
		return;
	}
	text_addf(out, "%s '%.*s'", title_of(plural, (size_t)(name - 1 - plural)),
		  (int)(end - name), name);
	if (!space || space + 1 == plural)
		return;
	space += strlen("/namespaces/");
	text_addf(out, " in namespace '%.*s'", (int)strcspn(space, "/"), space);
}

static bool has_title(const char *list, const char *title)
{
	const size_t n = strlen(title);
	const char *at = list;

	for (; at; at = strstr(at, ", "), at += at ? 2 : 0)
		if (strncmp(at, title, n) == 0 && (!at[n] || at[n] == ','))
			return true;
	return false;
}

void object_list_title(const char *path, struct text *list)
{
	scoped(text_done) struct text title = { 0 };

	object_title(path, &title);
	if (!has_title(text_str(list), text_str(&title)))
		text_addf(list, "%s%s", list->len ? ", " : "", text_str(&title));
}

void object_manager(const char *path, char buf[static 64])
{
	static const char key[] = "fieldManager=";
	const char *s = strstr(path, key);

	s = s ? s + strlen(key) : "";
	snprintf(buf, 64, "%.*s", (int)strcspn(s, "&"), s);
}
