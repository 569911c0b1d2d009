/* SPDX-License-Identifier: MIT */
#include "cluster/parse.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"

/* Labels and taints, as Kubernetes defines them (apimachinery, validation). */

static const char key_hint[] = "[PREFIX/]NAME; NAME has at most 63 letters, digits, '-', '_' and "
			       "'.', a letter or digit at both ends";
static const char value_hint[] = "at most 63 letters, digits, '-', '_' and '.', a letter or digit "
				 "at both ends";

static void read_label(struct parse *p, const struct yaml *pair, struct model_pair *label)
{
	/* kubelet sets these itself, and fights for them. */
	static const char *const kubelets[] = { "kubernetes.io/hostname", "kubernetes.io/arch",
						"kubernetes.io/os" };
	const char *value = pair[1].kind == YAML_NULL ? "" : parse_scalar(p, &pair[1]);
	size_t i;

	if (!parse_is_qualified(pair[0].text))
		parse_complain(p, &pair[0], "label-form", key_hint,
			       "'%.128s' is not the key of a label", pair[0].text);
	if (value && !parse_is_label_value(value))
		parse_complain(p, &pair[1], "label-form", value_hint,
			       "'%.128s' is not the value of a label", value);
	for (i = 0; i < COUNT(kubelets); i++)
		if (strcmp(pair[0].text, kubelets[i]) == 0)
			parse_complain(p, &pair[0], "label-reserved", "leave it out",
				       "label '%s' is set by kubelet itself", kubelets[i]);
	label->key = parse_copy(p, pair[0].text);
	label->value = parse_copy(p, value ? value : "");
	label->mark = parse_mark(&pair[0]);
}

PARSE_READER(parse_labels)
{
	struct model_node *node = object;
	size_t i;

	if (y->kind == YAML_NULL || !parse_expect(p, y, YAML_MAPPING))
		return;
	parse_twice(p, y, false, "key-twice");
	node->labels = parse_alloc(p, y->n_items / 2, sizeof(*node->labels));
	for (i = 0; i < y->n_items && node->labels; i += 2) {
		p->key = y->items[i].text;
		read_label(p, &y->items[i], &node->labels[node->n_labels++]);
	}
	p->key = key->name;
}

static bool is_anything(const char *s)
{
	(void)s;
	return true; /* the taint as a whole is judged */
}

static const struct parse_form any = { "taint-form", "", NULL, is_anything };

static const struct parse_key taint_keys[] = {
	{ "key", parse_text, offsetof(struct model_taint, key), .required = true, .form = &any },
	{ "value", parse_text, offsetof(struct model_taint, value), .form = &any },
	{ "effect", parse_text, offsetof(struct model_taint, effect), .required = true,
	  .form = &any },
	{ 0 },
};
static const struct parse_table taint_table = { "a taint", taint_keys };

/* "key=value:Effect" or "key:Effect" */
static void split_taint(struct parse *p, const char *s, struct model_taint *taint)
{
	size_t n_key = strcspn(s, "=:");
	const char *colon = strrchr(s, ':');

	if (!colon)
		return;
	taint->key = strndup(s, n_key);
	taint->effect = parse_copy(p, colon + 1);
	if (s[n_key] == '=')
		taint->value = strndup(s + n_key + 1, (size_t)(colon - s) - n_key - 1);
	if (!taint->key || (s[n_key] == '=' && !taint->value))
		p->error = -ENOMEM;
}

static void check_effect(struct parse *p, const struct yaml *y, const char *effect)
{
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute" };
	struct complaint_guess guess = { .word = effect };
	scoped(text_done) struct text hint = { 0 };
	size_t i;

	for (i = 0; i < COUNT(effects); i++) {
		if (strcmp(effects[i], effect) == 0)
			return;
		complaint_guess_try(&guess, effects[i]);
	}
	if (guess.best)
		text_addf(&hint, "did you mean '%s'?", guess.best);
	else
		text_add(&hint, "one of: NoSchedule, PreferNoSchedule, NoExecute");
	parse_complain(p, y, "taint-form", parse_hint(p, &hint),
		       "there is no taint effect '%.128s'", effect);
}

static void check_taint(struct parse *p, const struct yaml *y, const struct model_taint *taint)
{
	if (!parse_is_qualified(taint->key))
		parse_complain(p, y, "taint-form", key_hint, "'%.128s' is not the key of a taint",
			       taint->key);
	if (!parse_is_label_value(taint->value))
		parse_complain(p, y, "taint-form", value_hint,
			       "'%.128s' is not the value of a taint", taint->value);
	check_effect(p, y, taint->effect);
}

/* Whether the taint was whole; what is not is freed with the model. */
static bool read_taint(struct parse *p, const struct yaml *y, struct model_taint *taint)
{
	taint->mark = parse_mark(y);
	if (y->kind == YAML_MAPPING) {
		parse_mapping(p, y, y, &taint_table, taint);
	} else {
		const char *s = parse_scalar(p, y);

		if (s)
			split_taint(p, s, taint);
		if (s && !taint->effect)
			parse_complain(p, y, "taint-form", "KEY=VALUE:EFFECT or KEY:EFFECT",
				       "'%.128s' is not a taint", s);
	}
	if (!taint->value)
		taint->value = parse_copy(p, "");
	if (!taint->key || !taint->effect || !taint->value)
		return false;
	check_taint(p, y, taint);
	return true;
}

static void check_taint_twice(struct parse *p, const struct yaml *y, const struct model_node *node,
			      const struct model_taint *taint)
{
	const struct model_taint *t;

	for (t = node->taints; t < taint; t++)
		if (t->key && t->effect && strcmp(t->key, taint->key) == 0 &&
		    strcmp(t->effect, taint->effect) == 0) {
			parse_complain(p, y, "taint-twice", NULL,
				       "taint '%.128s:%s' is given twice", taint->key,
				       taint->effect);
			return;
		}
}

PARSE_READER(parse_taints)
{
	enum { MAX = 64 }; /* each is compared with all before it */
	struct model_node *node = object;
	size_t i;

	(void)key;
	if (y->kind == YAML_NULL || !parse_expect(p, y, YAML_SEQUENCE))
		return;
	if (y->n_items > MAX) {
		parse_complain(p, y, "number-form", NULL, "%zu taints; %d are the most", y->n_items,
			       MAX);
		return;
	}
	node->taints = parse_alloc(p, y->n_items, sizeof(*node->taints));
	for (i = 0; i < y->n_items && node->taints; i++) {
		struct model_taint *taint = &node->taints[node->n_taints++];

		if (read_taint(p, &y->items[i], taint))
			check_taint_twice(p, &y->items[i], node, taint);
	}
}
