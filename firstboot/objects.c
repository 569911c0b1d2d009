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
#include "firstboot/json.h"
#include "firstboot/node.h"
#include "firstboot/probe.h"
#include "firstboot/tasks.h"

enum { API_MS = 10000, ADMIN_S = 24 * 3600 };

enum outcome { OBJECT_SAME, OBJECT_CHANGED, OBJECT_ABSENT };

/* Whether the object that the server has holds all that ours says. */
static int holds(const char *have, size_t len, const char *want, struct fault *why)
{
	scoped(yaml_done) struct yaml theirs = { 0 };
	scoped(yaml_done) struct yaml ours = { 0 };
	struct yaml_error error = { 0 };

	if (yaml_parse(have, len, &theirs, &error) < 0)
		return fault_set(why, EBADMSG, "the API server's answer: %s", error.message);
	if (yaml_parse(want, strlen(want), &ours, &error) < 0)
		return fault_set(why, EBADMSG, "the plan's object: %s", error.message);
	return json_contains(&theirs, &ours);
}

static int patch(const struct api *api, const struct plan_action *object, struct fault *why)
{
	scoped(text_done) struct text answer = { 0 };
	int status = api_call(api, "PATCH", object->path, object->content, &answer, why);

	if (status < 0)
		return status;
	return status / 100 == 2 ? OBJECT_CHANGED : api_fault(status, text_str(&answer), why);
}

/*
 * Looks first: applying writes to etcd even where it changes nothing, and it would make a Node that
 * has not joined.
 */
static int settle(const struct api *api, const struct plan_action *object, const char *path,
		  struct fault *why)
{
	scoped(text_done) struct text answer = { 0 };
	int status = api_call(api, "GET", path, NULL, &answer, why);
	int r;

	if (status < 0)
		return status;
	if (status == 404)
		return OBJECT_ABSENT;
	if (status != 200)
		return api_fault(status, text_str(&answer), why);
	r = holds(text_str(&answer), answer.len, object->content, why);
	if (r < 0)
		return r;
	return r ? OBJECT_SAME : patch(api, object, why);
}

/* One object; what is not there yet goes to absent by its name. */
static int settle_one(const struct api *api, const struct plan_action *object, struct text *absent,
		      struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	const char *name;
	int r;

	text_add_n(&path, object->path, strcspn(object->path, "?"));
	if (text_error(&path) < 0)
		return fault_errno(why, text_error(&path), "%s", object->path);
	r = settle(api, object, text_str(&path), why);
	if (r < 0)
		return fault_wrap(why, "%s", text_str(&path));
	name = strrchr(text_str(&path), '/');
	if (r == OBJECT_ABSENT)
		text_addf(absent, "%s'%s'", absent->len ? ", " : "",
			  name ? name + 1 : text_str(&path));
	return r;
}

static int settle_all(struct node *node, const struct api *api, struct text *absent,
		      struct fault *why)
{
	int outcome = STEP_SAME;
	size_t i;
	int r;

	for (i = 0; i < node->plan.n; i++) {
		if (node->plan.actions[i].kind != PLAN_OBJECT || node->settled[i])
			continue;
		if (!node->alive(node->data))
			return fault_set(why, ECANCELED, "stopped");
		r = settle_one(api, &node->plan.actions[i], absent, why);
		if (r < 0)
			return r;
		node->settled[i] = r != OBJECT_ABSENT;
		if (r == OBJECT_CHANGED)
			outcome = STEP_CHANGED;
	}
	return outcome;
}

static bool has_objects(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->n; i++)
		if (plan->actions[i].kind == PLAN_OBJECT)
			return true;
	return false;
}

static int64_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* The cluster's administrator, by a certificate that is made here, once a day, and kept in memory.
 */
static int become_admin(struct node *node, struct fault *why)
{
	scoped(drop_fd) int kubernetes =
		openat(node->root, "etc/kubernetes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (node->admin_key.len > 0 && now_s() - node->admin_made < ADMIN_S)
		return 0;
	if (kubernetes < 0)
		return fault_errno(why, errno, "/etc/kubernetes");
	text_done(&node->admin_crt);
	text_wipe(&node->admin_key);
	node->admin_made = now_s();
	return pki_admin(kubernetes, time(NULL), &node->admin_crt, &node->admin_key, why);
}

int task_objects(struct node *node, struct fault *why)
{
	scoped(text_done) struct text server = { 0 };
	scoped(text_done) struct text absent = { 0 };
	struct api api = { .ca = node_secret(node, "pki/ca.crt"), .timeout_ms = API_MS };
	int r;

	if (!has_objects(&node->plan))
		return STEP_SAME;
	if (!node->settled)
		node->settled = calloc(node->plan.n, sizeof(*node->settled));
	if (!node->settled)
		return fault_errno(why, ENOMEM, "objects");
	r = become_admin(node, why);
	if (r < 0)
		return r;
	probe_server(node, &server);
	api.server = text_str(&server);
	api.crt = text_str(&node->admin_crt);
	api.key = text_str(&node->admin_key);
	r = settle_all(node, &api, &absent, why);
	if (r < 0)
		return r;
	if (absent.len > 0) {
		fault_set(why, EAGAIN, "they have not joined yet");
		return step_wait(why, "nodes %s", text_str(&absent));
	}
	free(node->settled);
	node->settled = NULL; /* the next run looks at all of them again */
	return r;
}
