/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/plan_parts.h"

/* The step objects: what the control plane applies to the cluster, and each node to itself. */

#define QUERY "?fieldManager=" PLAN_MANAGER "&force=true"

static void put(struct plan_work *w, enum plan_kind kind, const struct text *path,
		const struct text *json)
{
	if (text_error(path) < 0 || text_error(json) < 0)
		w->plan->error = -ENOMEM;
	plan_put(w->plan, &(struct plan_item){ .step = PLAN_OBJECTS,
					       .kind = kind,
					       .path = path->data,
					       .content = json->data });
}

static void put_nodes(struct plan_work *w)
{
	size_t i;

	for (i = 0; i < w->m->n_nodes; i++) {
		scoped(text_done) struct text path = { 0 };
		scoped(text_done) struct text json = { 0 };

		if (!model_is_kubernetes(&w->m->nodes[i]))
			continue;
		text_addf(&path, "/api/v1/nodes/%s" QUERY, w->m->nodes[i].name);
		objects_node(&w->m->nodes[i], &json);
		put(w, PLAN_FIELDS, &path, &json);
	}
}

/* ---- shares ---- */

static void put_share(struct plan_work *w, const struct model_share *share)
{
	static const struct {
		const char *path;
		void (*render)(const struct model_share *share, struct text *out);
	} rows[] = {
		{ "/apis/storage.k8s.io/v1/storageclasses/", objects_class },
		{ "/api/v1/persistentvolumes/", objects_volume },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		scoped(text_done) struct text path = { 0 };
		scoped(text_done) struct text json = { 0 };

		text_addf(&path, "%s%s" QUERY, rows[i].path, share->name);
		rows[i].render(share, &json);
		put(w, PLAN_OBJECT, &path, &json);
	}
}

static void put_claim(struct plan_work *w, const struct model_share *share)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text json = { 0 };
	int n = (int)strcspn(share->claim, "/");

	text_addf(&path, "/api/v1/namespaces/%.*s/persistentvolumeclaims/%s" QUERY, n, share->claim,
		  share->claim + n + 1);
	objects_claim(share, &json);
	put(w, PLAN_OBJECT, &path, &json);
}

static void put_shares(struct plan_work *w)
{
	size_t i;

	for (i = 0; i < w->m->n_shares; i++) {
		if (w->m->shares[i].volume_bytes == 0)
			continue;
		put_share(w, &w->m->shares[i]);
		if (w->m->shares[i].claim)
			put_claim(w, &w->m->shares[i]);
	}
}

/* Also where there are none: the label of a share that left the file goes with it. */
static void put_mounted(struct plan_work *w)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text json = { 0 };

	text_addf(&path, "/api/v1/nodes/%s?fieldManager=" PLAN_SHARE_MANAGER "&force=true",
		  w->node->name);
	objects_own(w->m, w->node, &json);
	put(w, PLAN_FIELDS, &path, &json);
}

/* ---- pull secrets ---- */

/* A registry's login in one namespace. */
struct pull {
	const struct model_registry *registry;
	const char *namespace;
	char *name; /* of the secret */
};

struct pulls {
	struct pull *list;
	size_t n, size;
};

static void pulls_done(struct pulls *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		free(p->list[i].name);
	free(p->list);
}

/*
 * "registry:5000" -> "rackseed-registry.5000": no host ends with a number alone, so no other host's
 * secret has that name. A label must not end with the sign that a bracket becomes.
 */
static char *name_secret(const char *host)
{
	scoped(text_done) struct text name = { 0 };
	const char colon = host[0] == '[' ? '-' : '.';
	size_t n = strlen(host);

	while (n > 0 && !isalnum((unsigned char)host[n - 1]))
		n--;
	text_add(&name, "rackseed-");
	for (; n > 0; n--, host++) {
		bool is_plain = isalnum((unsigned char)*host) || *host == '.';

		text_addf(&name, "%c",
			  is_plain	 ? tolower((unsigned char)*host)
			  : *host == ':' ? colon
					 : '-');
	}
	return text_take(&name);
}

static int add_pull(struct pulls *p, const struct model_registry *r, const char *namespace)
{
	size_t size = p->size ? 2 * p->size : 16;
	struct pull *list = p->list;

	if (p->n == p->size)
		list = reallocarray(p->list, size, sizeof(*list));
	if (!list)
		return -ENOMEM;
	p->size = p->n == p->size ? size : p->size;
	p->list = list;
	list[p->n] = (struct pull){ r, namespace, name_secret(r->host) };
	return list[p->n++].name ? 0 : -ENOMEM;
}

static int add_pulls(struct pulls *p, const struct model *m)
{
	const struct model_registry *r;
	int result = 0;
	size_t i, k;

	for (i = 0; i < m->n_registries; i++) {
		r = &m->registries[i];
		if (!r->user || !r->password_file || strcmp(r->host, "_default") == 0)
			continue;
		if (!r->namespaces)
			result = add_pull(p, r, "default");
		for (k = 0; result == 0 && r->namespaces && r->namespaces[k]; k++)
			result = add_pull(p, r, r->namespaces[k]);
		if (result < 0)
			return result;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct pull *x = a, *y = b;
	int r = strcmp(x->namespace, y->namespace);

	return r ? r : strcmp(x->name, y->name);
}

static int put_secret(struct plan_work *w, const struct pull *pull, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text json = { 0 };
	scoped(text_done) struct text form = { 0 };
	scoped(text_done) struct text place = { 0 };
	int r;

	text_addf(&form, "pull:%s/", pull->registry->host);
	r = plan_credentials(pull->registry, text_str(&form), &place, why);
	if (r < 0)
		return r;
	text_addf(&path, "/api/v1/namespaces/%s/secrets/%s" QUERY, pull->namespace, pull->name);
	objects_pull_secret(pull->name, pull->namespace, text_str(&place), &json);
	if (text_error(&form) < 0 || text_error(&place) < 0)
		w->plan->error = -ENOMEM;
	put(w, PLAN_OBJECT, &path, &json);
	return 0;
}

/* The secrets of one namespace and, behind them, the account that they are attached to. */
static int put_namespace(struct plan_work *w, const struct pull *list, size_t n, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text json = { 0 };
	const char **names = calloc(n + 1, sizeof(*names));
	size_t n_names = 0, i;
	int r = names ? 0 : fault_errno(why, ENOMEM, "pull secrets");

	for (i = 0; i < n && r == 0; i++) {
		if (i > 0 && list[i].registry == list[i - 1].registry)
			continue; /* the namespace stands twice in the list */
		if (i > 0 && strcmp(list[i].name, list[i - 1].name) == 0)
			r = fault_set(why, EINVAL,
				      "the pull secrets of registries '%s' and '%s' would both be "
				      "called '%s'",
				      list[i - 1].registry->host, list[i].registry->host,
				      list[i].name);
		else
			r = put_secret(w, &list[i], why);
		if (names)
			names[n_names++] = list[i].name;
	}
	if (r == 0) {
		text_addf(&path, "/api/v1/namespaces/%s/serviceaccounts/default" QUERY,
			  list->namespace);
		objects_account(list->namespace, names, &json);
		put(w, PLAN_FIELDS, &path, &json);
	}
	free(names);
	return r;
}

static int put_pulls(struct plan_work *w, struct fault *why)
{
	scoped(pulls_done) struct pulls pulls = { 0 };
	int r = add_pulls(&pulls, w->m);
	size_t i, end;

	if (r < 0)
		return fault_errno(why, r, "pull secrets");
	if (pulls.n > 0)
		qsort(pulls.list, pulls.n, sizeof(*pulls.list), compare);
	for (i = 0; i < pulls.n && r == 0; i = end) {
		for (end = i + 1; end < pulls.n; end++)
			if (strcmp(pulls.list[end].namespace, pulls.list[i].namespace) != 0)
				break;
		r = put_namespace(w, &pulls.list[i], end - i, why);
	}
	return r;
}

int plan_objects(struct plan_work *w, struct fault *why)
{
	int r = 0;

	if (w->node->roles & MODEL_CONTROL_PLANE) {
		put_nodes(w);
		put_shares(w);
		r = put_pulls(w, why);
		plan_gpu_objects(w);
	}
	if (r == 0 && model_is_kubernetes(w->node))
		put_mounted(w);
	return r;
}
