/* SPDX-License-Identifier: MIT */
#include "cluster/audit_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

/* What the parts of Kubernetes were told: flags in the manifests of static pods, keys of kubelet.
 */

#define KUBELET_CONFIG "/var/lib/kubelet/config.yaml"

static const char *const components[AUDIT_N_MANIFESTS] = { "kube-apiserver",
							   "kube-controller-manager",
							   "kube-scheduler", "etcd" };

static bool has_item(const char *list, const char *item)
{
	size_t n = strlen(item);

	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (strncmp(list, item, n) == 0 && (list[n] == ',' || !list[n]))
			return true;
	return false;
}

static bool meets(const struct audit_row *row, const char *value)
{
	const char *v = value ? value : row->otherwise;

	switch (row->demand) {
	case AUDIT_IS:
		return v && strcmp(v, row->value) == 0;
	case AUDIT_IS_NOT:
		return !v || strcmp(v, row->value) != 0;
	case AUDIT_HAS:
		return v && has_item(v, row->value);
	case AUDIT_HAS_NOT:
		return !v || !has_item(v, row->value);
	case AUDIT_AT_LEAST:
		return v && strtol(v, NULL, 10) >= strtol(row->value, NULL, 10);
	case AUDIT_IS_SET:
		return v && *v;
	case AUDIT_IS_UNSET:
		return !v;
	}
	return false;
}

static const char *demand_words(enum audit_demand demand)
{
	static const char *const words[] = {
		[AUDIT_IS] = "it must be",
		[AUDIT_IS_NOT] = "it must not be",
		[AUDIT_HAS] = "it must have",
		[AUDIT_HAS_NOT] = "it must not have",
		[AUDIT_AT_LEAST] = "at least",
		[AUDIT_IS_SET] = "it must be set",
		[AUDIT_IS_UNSET] = "it must not be set",
	};

	return words[demand];
}

enum audit_outcome audit_value(const struct audit_row *row, const char *value, struct text *seen)
{
	bool good = meets(row, value);

	text_addf(seen, "%s: %s", row->key, value ? value : "not set");
	if (!value && row->otherwise)
		text_addf(seen, ", which means %s", row->otherwise);
	if (!good)
		text_addf(seen, " (%s%s%s)", demand_words(row->demand), row->value ? " " : "",
			  row->value ? row->value : "");
	return good ? AUDIT_PASS : AUDIT_FAIL;
}

static int read_yaml(struct audit_work *w, const char *path, struct yaml *ret)
{
	scoped(text_done) struct text bytes = { 0 };
	struct yaml_error error = { 0 };
	struct audit_stat st;
	int r;

	if (w->tree->stat(w->tree->data, path, &st) == -ENOENT)
		return -ENOENT;
	if (!audit_read(w, path, &bytes))
		return -EIO;
	r = yaml_parse(text_str(&bytes), bytes.len, ret, &error);
	if (r == -ENOMEM)
		w->error = r;
	return r;
}

/* Whether there is something to judge; *ret_outcome when not. */
static bool is_judgeable(int r, const char *path, struct text *seen, enum audit_outcome *ret)
{
	if (r == 0)
		return true;
	text_addf(seen, "%s: %s", path, r == -ENOENT ? "not there" : "cannot be read");
	*ret = r == -ENOENT ? AUDIT_LATER : AUDIT_FAIL;
	return false;
}

/* ---- static pods ---- */

static const struct yaml *command_of(const struct yaml *manifest)
{
	const struct yaml *containers = yaml_get(yaml_get(manifest, "spec"), "containers");

	return containers && containers->kind == YAML_SEQUENCE && containers->n_items > 0
		       ? yaml_get(&containers->items[0], "command")
		       : NULL;
}

/* "--flag=value", or "--flag" for true. The last one counts, as it does for the programs. */
static const char *flag_of(const struct yaml *manifest, const char *flag)
{
	const struct yaml *command = command_of(manifest);
	const char *value = NULL;
	size_t n = strlen(flag), i;

	for (i = 0; command && i < command->n_items; i++) {
		const char *word = yaml_text(&command->items[i]);

		if (!word || strncmp(word, "--", 2) != 0 || strncmp(word + 2, flag, n) != 0)
			continue;
		if (word[2 + n] == '=')
			value = word + 2 + n + 1;
		else if (!word[2 + n])
			value = "true";
	}
	return value;
}

AUDIT_CHECK(audit_flag)
{
	scoped(text_done) struct text path = { 0 };
	enum audit_outcome outcome;
	size_t i = 0;

	while (i + 1 < AUDIT_N_MANIFESTS && strcmp(components[i], row->where) != 0)
		i++;
	text_addf(&path, "/etc/kubernetes/manifests/%s.yaml", components[i]);
	audit_inherit(w, &path);
	if (!w->manifests[i].read)
		w->manifests[i].r = read_yaml(w, text_str(&path), &w->manifests[i].tree);
	w->manifests[i].read = true;
	if (!is_judgeable(w->manifests[i].r, text_str(&path), seen, &outcome))
		return outcome;
	if (!command_of(&w->manifests[i].tree)) {
		text_addf(seen, "%s: names no command", text_str(&path));
		return AUDIT_FAIL;
	}
	return audit_value(row, flag_of(&w->manifests[i].tree, row->key), seen);
}

/* ---- kubelet ---- */

/* "authentication.anonymous.enabled"; a list is shown with commas. */
static const char *value_at(const struct yaml *y, const char *key, struct text *buf)
{
	size_t i;

	while (y && *key) {
		scoped(text_done) struct text part = { 0 };
		size_t n = strcspn(key, ".");

		text_add_n(&part, key, n);
		text_inherit(buf, &part);
		y = yaml_get(y, text_str(&part));
		key += n + (key[n] == '.');
	}
	if (!y || y->kind != YAML_SEQUENCE)
		return yaml_text(y);
	for (i = 0; i < y->n_items; i++)
		text_addf(buf, "%s%s", i ? "," : "",
			  yaml_text(&y->items[i]) ? yaml_text(&y->items[i]) : "");
	return text_str(buf);
}

AUDIT_CHECK(audit_kubelet)
{
	scoped(text_done) struct text buf = { 0 };
	enum audit_outcome outcome;
	const char *value;

	if (!w->kubelet.read)
		w->kubelet.r = read_yaml(w, KUBELET_CONFIG, &w->kubelet.tree);
	w->kubelet.read = true;
	if (!is_judgeable(w->kubelet.r, KUBELET_CONFIG, seen, &outcome))
		return outcome;
	value = value_at(&w->kubelet.tree, row->key, &buf);
	audit_inherit(w, &buf);
	return audit_value(row, value, seen);
}
