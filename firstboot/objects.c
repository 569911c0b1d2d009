/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/api.h"
#include "cluster/pki.h"
#include "firstboot/node.h"
#include "firstboot/object.h"
#include "firstboot/own_labels.h"
#include "firstboot/probe.h"
#include "firstboot/prune.h"
#include "firstboot/tasks.h"

#define KUBELET_PEM "var/lib/kubelet/pki/kubelet-client-current.pem"

enum { API_MS = 10000, HOUR = 3600, FILE_MAX = 4 << 20 };

/* One look at all objects. */
struct look {
	struct node *node;
	struct api api;
	struct text server, kubelet;
	struct text absent; /* titles of what is not there yet */
	struct text held;   /* and of what the API server cannot do at the moment */
	struct fault first; /* what one object met with; the others went on */
	struct fault busy;  /* as well, where it passes */
	int n_changed;
};

static void look_done(struct look *l)
{
	api_close(&l->api);
	text_done(&l->server);
	text_wipe(&l->kubelet);
	text_done(&l->absent);
	text_done(&l->held);
}

static int parse(const char *what, const char *json, size_t len, struct yaml *ret,
		 struct fault *why)
{
	struct yaml_error error = { 0 };

	if (yaml_parse(json, len, ret, &error) < 0)
		return fault_set(why, EBADMSG, "%s: %s", what, error.message);
	return 0;
}

/* Somebody else was faster, it has too much to do, or what it asks in turn does not answer. */
static bool passes(int status)
{
	return status == 409 || status == 429 || status >= 500;
}

/* What an object met with goes no further: the API server answers, and the others can be applied.
 */
static int refused(struct look *l, const char *path, int status, const struct text *answer)
{
	scoped(text_done) struct text title = { 0 };
	struct fault why = { 0 };

	api_fault(status, text_str(answer), &why);
	object_title(path, &title);
	if (passes(status)) {
		object_list_title(path, &l->held);
		l->busy = l->busy.code ? l->busy : why;
	} else if (l->first.code == 0) {
		l->first = why;
		fault_wrap(&l->first, "%s", text_str(&title));
	}
	return 0;
}

/* Somebody else's object of that name is no matter of ours, but one that a person should hear of.
 */
static int foreign(struct look *l, const char *path)
{
	scoped(text_done) struct text title = { 0 };

	object_title(path, &title);
	if (l->first.code == 0)
		fault_set(&l->first, EEXIST,
			  "%s is there and was not made by rackseed: it is left alone",
			  text_str(&title));
	return 0;
}

/* The namespace of an object, as a path of its own. */
static void namespace_of(const char *path, struct text *out)
{
	static const char key[] = "/namespaces/";
	const char *s = strstr(path, key);
	size_t n = s ? (size_t)(s - path) + strlen(key) : 0;

	text_add_n(out, path, s ? n + strcspn(path + n, "/") : strcspn(path, "?"));
}

static int apply(struct look *l, const struct plan_action *object, const struct yaml *have,
		 const struct yaml *want, struct fault *why)
{
	scoped(text_wipe) struct text body = { 0 };
	scoped(text_done) struct text answer = { 0 };
	scoped(text_done) struct text space = { 0 };
	int status;

	object_body(have, want, &body);
	if (text_error(&body) < 0)
		return fault_errno(why, ENOMEM, "%s", object->path);
	status = api_call(&l->api, "PATCH", object->path, text_str(&body), &answer, why);
	if (status < 0)
		return status;
	l->n_changed += status / 100 == 2;
	if (status == 404) {
		namespace_of(object->path, &space);
		object_list_title(text_str(&space), &l->absent);
		return 0;
	}
	return status / 100 == 2 ? 0 : refused(l, object->path, status, &answer);
}

/* The files are the share's, so the next claim may have the volume without a person's word. */
static int release(struct look *l, const char *path, struct fault *why)
{
	scoped(text_done) struct text answer = { 0 };
	int status =
		api_call(&l->api, "MERGE", path, "{\"spec\":{\"claimRef\":null}}", &answer, why);

	if (status < 0)
		return status;
	l->n_changed += status / 100 == 2;
	return status / 100 == 2 ? 0 : refused(l, path, status, &answer);
}

/*
 * Looks first: applying writes to etcd even where it changes nothing, and it would make a Node that
 * has not joined.
 */
static int settle(struct look *l, const struct plan_action *object, struct yaml *want,
		  struct fault *why)
{
	scoped(text_wipe) struct text answer = { 0 };
	scoped(text_done) struct text path = { 0 };
	scoped(yaml_done) struct yaml have = { 0 };
	char manager[64];
	int status, r;

	text_add_n(&path, object->path, strcspn(object->path, "?"));
	if (text_error(&path) < 0)
		return fault_errno(why, ENOMEM, "%s", object->path);
	status = api_call(&l->api, "GET", text_str(&path), NULL, &answer, why);
	if (status < 0)
		return status;
	if (status == 404 && object->kind == PLAN_OBJECT)
		return apply(l, object, NULL, want, why);
	if (status == 404)
		return object_list_title(text_str(&path), &l->absent), 0;
	if (status != 200)
		return refused(l, object->path, status, &answer);
	r = parse("the API server's answer", text_str(&answer), answer.len, &have, why);
	if (r >= 0)
		r = object_keep(&have, want, why);
	if (r < 0)
		return r;
	object_untaint(&have, want);
	object_manager(object->path, manager);
	switch (object_judge(object->kind, &have, want, manager)) {
	case OBJECT_SAME:
		return 0;
	case OBJECT_APPLY:
		return apply(l, object, &have, want, why);
	case OBJECT_RELEASE:
		return release(l, text_str(&path), why);
	case OBJECT_FOREIGN:
		return foreign(l, object->path);
	}
	return 0;
}

static bool is_own(const struct plan_action *object)
{
	return strstr(object->path, PLAN_SHARE_MANAGER) != NULL;
}

static int settle_one(struct look *l, const struct plan_action *object, struct fault *why)
{
	scoped(text_wipe) struct text json = { 0 };
	scoped(yaml_done) struct yaml want = { 0 };
	int r = plan_fill(object->content, &l->node->seed, &json, why);

	if (r >= 0)
		r = parse("the plan's object", text_str(&json), json.len, &want, why);
	if (r >= 0 && is_own(object))
		r = own_labels(l->node, &want, why);
	if (r >= 0)
		r = settle(l, object, &want, why);
	return r < 0 ? fault_wrap(why, "%.*s", (int)strcspn(object->path, "?"), object->path) : 0;
}

/* All of them, or those alone that each node applies to itself. */
static int settle_all(struct look *l, bool all, struct fault *why)
{
	const struct plan *plan = &l->node->plan;
	size_t i;
	int r;

	for (i = 0; i < plan->n; i++) {
		if (plan->actions[i].step != PLAN_OBJECTS || (!all && !is_own(&plan->actions[i])))
			continue;
		if (!l->node->alive(l->node->data))
			return fault_set(why, ECANCELED, "stopped");
		r = settle_one(l, &plan->actions[i], why);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_objects(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->n; i++)
		if (plan->actions[i].step == PLAN_OBJECTS)
			return true;
	return false;
}

/*
 * The cluster's administrator, by a certificate that is made here for a day and kept in memory. It
 * is looked at each time: the clock may have been put right since.
 */
static int become_admin(struct node *node, struct fault *why)
{
	const char *ca = node_secret(node, "pki/ca.crt"), *key = node_secret(node, "pki/ca.key");
	const int64_t now = time(NULL);
	struct fault ignored = { 0 };

	if (!ca || !key)
		return fault_set(why, ENOENT, "the seed holds no CA");
	if (node->admin_crt.len > 0 &&
	    pki_verify(text_str(&node->admin_crt), ca, now + HOUR, &ignored) == 0)
		return 0;
	text_done(&node->admin_crt);
	text_wipe(&node->admin_key);
	return pki_client(ca, key, "kubernetes-admin", "system:masters", now, &node->admin_crt,
			  &node->admin_key, why);
}

/* Whoever has no CA key is its kubelet, which may label its own Node. */
static int introduce(struct look *l, struct fault *why)
{
	struct node *node = l->node;
	int r;

	if (node->self->roles & MODEL_CONTROL_PLANE) {
		r = become_admin(node, why);
		l->api.crt = text_str(&node->admin_crt);
		l->api.key = text_str(&node->admin_key);
	} else {
		r = fs_read(node->root, KUBELET_PEM, FILE_MAX, &l->kubelet, why);
		l->api.crt = l->api.key = text_str(&l->kubelet);
	}
	probe_server(node, &l->server);
	l->api.server = text_str(&l->server);
	l->api.ca = node_secret(node, "pki/ca.crt");
	l->api.timeout_ms = API_MS;
	return r < 0 ? r : api_keep(&l->api, why);
}

static bool is_ready(const struct yaml *object)
{
	const struct yaml *list = yaml_get(yaml_get(object, "status"), "conditions");
	size_t i;

	for (i = 0; list && list->kind == YAML_SEQUENCE && i < list->n_items; i++) {
		const char *type = yaml_text(yaml_get(&list->items[i], "type"));
		const char *status = yaml_text(yaml_get(&list->items[i], "status"));

		if (type && status && strcmp(type, "Ready") == 0)
			return strcmp(status, "True") == 0;
	}
	return false;
}

/*
 * Control planes that were given different files, as while images are renewed one by one, must not
 * undo each other's work for ever: the first in the file acts, another one while that is not Ready.
 */
static int is_led(struct look *l, const struct model_node *first, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text answer = { 0 };
	scoped(yaml_done) struct yaml node = { 0 };
	int status;

	if (first == l->node->self)
		return 0;
	text_addf(&path, "/api/v1/nodes/%s", first->name);
	status = api_call(&l->api, "GET", text_str(&path), NULL, &answer, why);
	if (status < 0)
		return status;
	if (status != 200)
		return 0;
	status = parse("the API server's answer", text_str(&answer), answer.len, &node, why);
	return status < 0 ? status : is_ready(&node);
}

static int settle_cluster(struct look *l, struct fault *why)
{
	const struct model_node *first = model_first(&l->node->model, MODEL_CONTROL_PLANE);
	bool is_member = !(l->node->self->roles & MODEL_CONTROL_PLANE);
	int led = is_member ? 1 : is_led(l, first, why);
	int r = led < 0 ? led : settle_all(l, !led, why);

	/* Who stands in only adds: what the other file has may be newer. */
	if (r < 0 || is_member || first != l->node->self)
		return r;
	r = prune(&l->api, &l->node->plan, why);
	l->n_changed += r > 0 ? r : 0;
	return r < 0 ? r : 0;
}

int task_objects(struct node *node, struct fault *why)
{
	scoped(look_done) struct look l = { .node = node };
	int r;

	if (!has_objects(&node->plan))
		return STEP_SAME;
	r = introduce(&l, why);
	if (r >= 0)
		r = settle_cluster(&l, why);
	if (r < 0)
		return r;
	if (l.first.code) {
		*why = l.first;
		return -why->code;
	}
	if (l.busy.code) {
		*why = l.busy;
		return step_wait(why, "%s", text_str(&l.held));
	}
	if (l.absent.len > 0) {
		fault_set(why, EAGAIN, "not there yet");
		return step_wait(why, "%s", text_str(&l.absent));
	}
	return l.n_changed ? STEP_CHANGED : STEP_SAME;
}
