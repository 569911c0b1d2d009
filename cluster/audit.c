/* SPDX-License-Identifier: MIT */
#include "cluster/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "cluster/audit_parts.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/seed.h"

static const struct audit_row *const tables[] = { audit_rows_control, audit_rows_node,
						  audit_rows_own };

static const char *const outcome_names[AUDIT_N_OUTCOMES] = {
	[AUDIT_PASS] = "pass",
	[AUDIT_FAIL] = "fail",
	[AUDIT_LATER] = "later",
};

const char *audit_outcome_name(enum audit_outcome outcome)
{
	return outcome_names[outcome];
}

static void free_list(char **list)
{
	char **s;

	for (s = list; s && *s; s++)
		free(*s);
	free(list);
}

void audit_done(struct audit *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		free(a->results[i].seen);
	free(a->results);
	free(a->node);
	free(a->roles);
	free_list(a->packages);
	free_list(a->setuid);
	free_list(a->units);
	free(a->texts);
	*a = (struct audit){ 0 };
}

static void work_done(struct audit_work *w)
{
	struct text *const texts[] = { &w->passwd, &w->group, &w->dpkg, &w->writable, &w->strange };
	size_t i;

	for (i = 0; i < AUDIT_N_MANIFESTS; i++)
		yaml_done(&w->manifests[i].tree);
	yaml_done(&w->kubelet.tree);
	for (i = 0; i < COUNT(texts); i++)
		text_done(texts[i]);
}

void audit_add(struct audit_work *w, char ***list, const char *s)
{
	size_t n = 0;
	char **grown;

	while (*list && (*list)[n])
		n++;
	/* Doubled whenever a power of two is reached, the NULL at the end included. */
	if (n == 0 || ((n + 1) & n) == 0) {
		grown = reallocarray(*list, 2 * (n + 1), sizeof(*grown));
		if (!grown) {
			w->error = -ENOMEM;
			return;
		}
		*list = grown;
	}
	(*list)[n] = strdup(s);
	(*list)[n + 1] = NULL;
	if (!(*list)[n])
		w->error = -ENOMEM;
}

static bool is_there(struct audit_work *w, const char *path)
{
	struct audit_stat st;

	return w->tree->stat(w->tree->data, path, &st) == 0;
}

/* A disk without a seed shows what it became. */
static unsigned shown_roles(struct audit_work *w)
{
	static const struct {
		const char *path;
		unsigned roles;
	} signs[] = {
		{ "/etc/kubernetes/manifests/kube-apiserver.yaml", MODEL_CONTROL_PLANE },
		{ "/etc/kubernetes/kubelet.conf", MODEL_WORKER },
		{ "/etc/rackseed/kubeadm.yaml", MODEL_WORKER },
	};
	unsigned roles = 0;
	size_t i;

	for (i = 0; i < COUNT(signs); i++)
		if (is_there(w, signs[i].path))
			roles |= signs[i].roles;
	return roles;
}

static void name_roles(struct audit_work *w, struct text *out)
{
	static const char *const names[] = { "control-plane", "worker", "storage", "registry" };
	size_t i;

	for (i = 0; w->node && i < COUNT(names); i++)
		if (w->node->roles & (1u << i))
			text_addf(out, "%s%s", out->len ? ", " : "", names[i]);
}

/* The node of the seed in the document of the seed. */
static int find_node(struct audit_work *w, struct model *m, struct fault *why)
{
	const struct seed_file *file = w->seed ? seed_find(w->seed, "cluster.yaml") : NULL;
	const struct seed_file *name = w->seed ? seed_find(w->seed, "node") : NULL;
	scoped(complaints_done) struct complaints complaints = { 0 };
	scoped(text_done) struct text node = { 0 };
	int r;

	if (!w->seed) {
		w->roles = shown_roles(w);
		return 0;
	}
	if (!file || !name)
		return fault_set(why, EBADMSG, "the seed holds no node");
	r = document_parse("cluster.yaml", file->data, file->len, m, &complaints, why);
	if (r < 0)
		return r;
	text_add_n(&node, name->data, strcspn(name->data, "\n"));
	if (text_error(&node) < 0)
		return fault_errno(why, ENOMEM, "audit");
	w->m = m;
	w->node = model_node(m, text_str(&node));
	if (!w->node)
		return fault_set(why, EBADMSG, "the seed's document has no node '%.64s'",
				 text_str(&node));
	w->roles = w->node->roles;
	return 0;
}

static bool applies(const struct audit_work *w, const struct audit_row *row)
{
	return row->roles == AUDIT_ANY || (row->roles & w->roles);
}

static int judge_row(struct audit_work *w, const struct audit_row *row)
{
	scoped(text_done) struct text seen = { 0 };
	struct audit *a = w->audit;
	struct audit_result *r;

	r = reallocarray(a->results, a->n + 1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	a->results = r;
	r += a->n++;
	*r = (struct audit_result){ .number = row->number, .title = row->title };
	r->outcome = row->check(w, row, &seen);
	a->counts[r->outcome]++;
	r->seen = text_take(&seen);
	return r->seen ? 0 : -ENOMEM;
}

static int judge(struct audit_work *w)
{
	const struct audit_row *row;
	size_t i;
	int r = 0;

	audit_read(w, "/etc/passwd", &w->passwd);
	audit_read(w, "/etc/group", &w->group);
	audit_read(w, "/var/lib/dpkg/status", &w->dpkg);
	audit_walk(w);
	audit_find_units(w);
	audit_find_packages(w);
	for (i = 0; i < COUNT(tables); i++)
		for (row = tables[i]; row->number && r == 0; row++)
			if (applies(w, row))
				r = judge_row(w, row);
	return r < 0 ? r : w->error;
}

int audit_judge(const struct audit_tree *tree, const struct seed *seed, struct audit *ret,
		struct fault *why)
{
	scoped(audit_done) struct audit audit = { 0 };
	scoped(model_done) struct model model = { 0 };
	scoped(text_done) struct text roles = { 0 };
	scoped(work_done) struct audit_work w = { .tree = tree, .seed = seed, .audit = &audit };
	int r;

	if (!is_there(&w, "/etc/passwd"))
		return fault_set(why, ENOENT, "this is no root file system: it has no /etc/passwd");
	r = find_node(&w, &model, why);
	if (r < 0)
		return r;
	name_roles(&w, &roles);
	audit.node = strdup(w.node ? w.node->name : "");
	audit.roles = text_take(&roles);
	if (!audit.node || !audit.roles)
		return fault_errno(why, ENOMEM, "audit");
	r = judge(&w);
	if (r < 0)
		return fault_errno(why, r, "audit");
	*ret = audit;
	audit = (struct audit){ 0 };
	return 0;
}
