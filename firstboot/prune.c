/* SPDX-License-Identifier: MIT */
#include "firstboot/prune.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/api.h"
#include "cluster/plan.h"
#include "firstboot/json.h"
#include "firstboot/object.h"

#define OURS "?labelSelector=app.kubernetes.io%2Fmanaged-by%3D" PLAN_MANAGER
#define ATTACHED "?labelSelector=rackseed%2Fimage-pull-secrets"

typedef int remover(const struct api *api, const struct yaml *item, const char *path,
		    struct fault *why);

static bool is_planned(const struct plan *plan, const char *path)
{
	size_t i, n = strlen(path);

	for (i = 0; i < plan->n; i++)
		if (strncmp(plan->actions[i].path, path, n) == 0 && plan->actions[i].path[n] == '?')
			return true;
	return false;
}

static int call(const struct api *api, const char *method, const char *path, const char *body,
		struct fault *why)
{
	scoped(text_done) struct text answer = { 0 };
	int status = api_call(api, method, path, body, &answer, why);

	if (status < 0)
		return status;
	if (status == 404)
		return 0; /* somebody was quicker */
	return status / 100 == 2 ? 1 : api_fault(status, text_str(&answer), why);
}

/* That very object, and not one that was made anew since we looked. */
static int remove_object(const struct api *api, const struct yaml *item, const char *path,
			 struct fault *why)
{
	const char *uid = yaml_text(yaml_get(yaml_get(item, "metadata"), "uid"));
	scoped(text_done) struct text body = { 0 };

	if (!uid || yaml_get(yaml_get(item, "metadata"), "deletionTimestamp"))
		return 0;
	text_add(&body, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\","
			"\"preconditions\":{\"uid\":");
	quote_json(&body, uid);
	text_add(&body, "}}");
	if (text_error(&body) < 0)
		return fault_errno(why, ENOMEM, "%s", path);
	return call(api, "DELETE", path, text_str(&body), why);
}

/* The account is not ours: only what we attached to it goes. */
static int detach(const struct api *api, const struct yaml *item, const char *path,
		  struct fault *why)
{
	const struct yaml *metadata = yaml_get(item, "metadata");
	scoped(text_done) struct text json = { 0 };
	scoped(text_done) struct text body = { 0 };
	scoped(text_done) struct text full = { 0 };
	scoped(yaml_done) struct yaml want = { 0 };
	struct yaml_error error = { 0 };

	text_add(&json, "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\","
			"\"metadata\":{\"name\":");
	quote_json(&json, yaml_text(yaml_get(metadata, "name")));
	text_add(&json, ",\"namespace\":");
	quote_json(&json, yaml_text(yaml_get(metadata, "namespace")));
	text_add(&json, "},\"imagePullSecrets\":[]}");
	text_addf(&full, "%s?fieldManager=" PLAN_MANAGER "&force=true", path);
	if (yaml_parse(text_str(&json), json.len, &want, &error) < 0)
		return fault_set(why, EBADMSG, "%s: %s", path, error.message);
	object_body(item, &want, &body);
	if (text_error(&full) < 0 || text_error(&body) < 0)
		return fault_errno(why, ENOMEM, "%s", path);
	return call(api, "PATCH", text_str(&full), text_str(&body), why);
}

/* Claims before volumes before classes; accounts before the secrets that they name. */
static const struct {
	const char *base, *plural, *query;
	bool has_namespace;
	remover *remove;
} rows[] = {
	{ "/api/v1", "persistentvolumeclaims", OURS, true, remove_object },
	{ "/api/v1", "persistentvolumes", OURS, false, remove_object },
	{ "/apis/storage.k8s.io/v1", "storageclasses", OURS, false, remove_object },
	{ "/api/v1", "serviceaccounts", ATTACHED, true, detach },
	{ "/api/v1", "secrets", OURS, true, remove_object },
	{ "/apis/apps/v1", "daemonsets", OURS, true, remove_object },
	{ "/apis/node.k8s.io/v1", "runtimeclasses", OURS, false, remove_object },
};

/* Names of the server's become paths: nothing but what Kubernetes allows in one. */
static bool is_name(const char *s)
{
	return s && *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0' &&
	       strcmp(s, "..") != 0;
}

static int prune_item(const struct api *api, const struct plan *plan, size_t row,
		      const struct yaml *item, struct fault *why)
{
	const struct yaml *metadata = yaml_get(item, "metadata");
	const char *name = yaml_text(yaml_get(metadata, "name"));
	const char *namespace = yaml_text(yaml_get(metadata, "namespace"));
	scoped(text_done) struct text path = { 0 };

	if (!is_name(name) || (rows[row].has_namespace && !is_name(namespace)))
		return 0;
	text_addf(&path, "%s/%s%s%s%s/%s", rows[row].base,
		  rows[row].has_namespace ? "namespaces/" : "",
		  rows[row].has_namespace ? namespace : "", rows[row].has_namespace ? "/" : "",
		  rows[row].plural, name);
	if (text_error(&path) < 0)
		return fault_errno(why, ENOMEM, "%s", name);
	/* A copy that somebody made of ours bears the label, too. */
	if (is_planned(plan, text_str(&path)) || !json_managed(item, PLAN_MANAGER))
		return 0;
	return rows[row].remove(api, item, text_str(&path), why);
}

static int prune_row(const struct api *api, const struct plan *plan, size_t row, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text answer = { 0 };
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };
	const struct yaml *items;
	int status, r, n = 0;
	size_t i;

	text_addf(&path, "%s/%s%s", rows[row].base, rows[row].plural, rows[row].query);
	status = api_call(api, "GET", text_str(&path), NULL, &answer, why);
	if (status < 0)
		return status;
	if (status == 404)
		return 0; /* this Kubernetes is older than the path: what it has there stays */
	if (status != 200)
		return api_fault(status, text_str(&answer), why);
	if (yaml_parse(text_str(&answer), answer.len, &tree, &error) < 0)
		return fault_set(why, EBADMSG, "the API server's answer: %s", error.message);
	items = yaml_get(&tree, "items");
	for (i = 0; items && items->kind == YAML_SEQUENCE && i < items->n_items; i++) {
		r = prune_item(api, plan, row, &items->items[i], why);
		if (r < 0)
			return r;
		n += r;
	}
	return n;
}

int prune(const struct api *api, const struct plan *plan, struct fault *why)
{
	int n = 0, r;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		r = prune_row(api, plan, i, why);
		if (r < 0)
			return fault_wrap(why, "%s that are not in the file", rows[i].plural);
		n += r;
	}
	return n;
}
