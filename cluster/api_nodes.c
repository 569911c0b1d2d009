/* SPDX-License-Identifier: MIT */
#include "cluster/api.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"

enum { PAGE = 500, MAX_PAGES = 1000 };

/* What the API server's answers say. */

static const struct {
	int status, code;
} codes[] = {
	{ 400, EINVAL }, { 401, EACCES }, { 403, EPERM },  { 404, ENOENT },    { 409, EEXIST },
	{ 410, ESTALE }, { 422, EINVAL }, { 429, EAGAIN }, { 503, EAGAIN }, { 504, ETIMEDOUT },
};

/* Adds s for a person's terminal: without control characters, and not endless. */
static void add_shown(struct text *out, const char *s)
{
	enum { SHOWN = 600 };
	size_t i;

	for (i = 0; i < SHOWN && s[i]; i++)
		text_add_n(out, iscntrl((unsigned char)s[i]) ? " " : &s[i], 1);
}

int api_fault(int status, const char *body, struct fault *why)
{
	scoped(yaml_done) struct yaml doc = { 0 };
	scoped(text_done) struct text message = { 0 };
	struct yaml_error error;
	const char *said = NULL;
	int code = EREMOTEIO;
	size_t i;

	for (i = 0; i < COUNT(codes); i++)
		if (codes[i].status == status)
			code = codes[i].code;
	if (body[0] == '{' && yaml_parse(body, strlen(body), &doc, &error) == 0)
		said = yaml_text(yaml_get(&doc, "message"));
	add_shown(&message, said ? said : body[0] == '{' || body[0] == '<' ? "" : body);
	return fault_set(why, code, "the API server said %d%s%s", status, message.len ? ": " : "",
			 text_str(&message));
}

/* The names of the checks that failed, from lines such as "[-]etcd failed: reason withheld". */
static void add_failed(const char *body, struct text *out)
{
	const char *line = body;

	while ((line = strstr(line, "[-]"))) {
		size_t n;

		line += 3;
		n = strcspn(line, " \r\n");
		text_addf(out, "%s%.*s", out->len ? ", " : "", (int)(n < 64 ? n : 64), line);
	}
}

int api_ready(const struct api *api, struct fault *why)
{
	static const char *const paths[] = { "/readyz", "/healthz" };
	scoped(text_done) struct text failed = { 0 };
	scoped(text_done) struct text shown = { 0 };
	int status = 404;
	size_t i;

	for (i = 0; i < COUNT(paths) && status == 404; i++) {
		scoped(text_done) struct text body = { 0 };

		status = api_call(api, "GET", paths[i], NULL, &body, why);
		if (status < 0)
			return status;
		if (status == 200)
			return 0;
		if (status != 404)
			add_failed(text_str(&body), &failed);
		if (!failed.len)
			api_fault(status, text_str(&body), why);
	}
	if (failed.len == 0)
		return fault_wrap(why, "%s", api->server);
	add_shown(&shown, text_str(&failed));
	return fault_set(why, EAGAIN, "%s: not ready yet: %s", api->server, text_str(&shown));
}

void api_nodes_free(struct api_node *nodes, unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		free(nodes[i].name);
		free(nodes[i].version);
		free(nodes[i].address);
		free(nodes[i].reason);
	}
	free(nodes);
}

/* The item of a sequence of mappings whose "type" is so, or NULL. */
static const struct yaml *find_type(const struct yaml *list, const char *type)
{
	size_t i;

	for (i = 0; list && list->kind == YAML_SEQUENCE && i < list->n_items; i++) {
		const char *has = yaml_text(yaml_get(&list->items[i], "type"));

		if (has && strcmp(has, type) == 0)
			return &list->items[i];
	}
	return NULL;
}

/* A copy without control characters, of NULL too; *ok turns false for want of memory. */
static char *copy(const char *s, bool *ok)
{
	scoped(text_done) struct text t = { 0 };
	char *made;

	if (!s)
		return NULL;
	add_shown(&t, s);
	made = text_take(&t);
	*ok = *ok && made;
	return made;
}

static char *copy_reason(const struct yaml *condition, bool *ok)
{
	const char *reason = yaml_text(yaml_get(condition, "reason"));
	const char *message = yaml_text(yaml_get(condition, "message"));
	scoped(text_done) struct text t = { 0 };

	if (!condition)
		return copy("its kubelet has not reported yet", ok);
	text_addf(&t, "%s%s%s", reason ? reason : "", reason && message ? ": " : "",
		  message ? message : "");
	*ok = *ok && text_error(&t) == 0;
	return copy(t.len ? text_str(&t) : "no reason given", ok);
}

static int fill_node(const struct yaml *item, struct api_node *node, struct fault *why)
{
	const struct yaml *status = yaml_get(item, "status");
	const struct yaml *ready = find_type(yaml_get(status, "conditions"), "Ready");
	const struct yaml *address = find_type(yaml_get(status, "addresses"), "InternalIP");
	const char *name = yaml_text(yaml_get(yaml_get(item, "metadata"), "name"));
	const char *verdict = yaml_text(yaml_get(ready, "status"));
	bool ok = true;

	if (!name)
		return fault_set(why, EBADMSG, "a node without a name");
	node->name = copy(name, &ok);
	node->version = copy(yaml_text(yaml_get(yaml_get(status, "nodeInfo"), "kubeletVersion")),
			     &ok);
	node->address = copy(yaml_text(yaml_get(address, "address")), &ok);
	node->ready = verdict && strcmp(verdict, "True") == 0;
	if (!node->ready)
		node->reason = copy_reason(ready, &ok);
	return ok ? 0 : fault_errno(why, ENOMEM, "nodes");
}

static int add_items(const struct yaml *items, struct api_node **nodes, unsigned long *n,
		     struct fault *why)
{
	struct api_node *longer;
	size_t i;
	int r;

	if (items->n_items == 0)
		return 0;
	longer = reallocarray(*nodes, *n + items->n_items, sizeof(*longer));
	if (!longer)
		return fault_errno(why, ENOMEM, "nodes");
	*nodes = longer;
	for (i = 0; i < items->n_items; i++) {
		(*nodes)[*n] = (struct api_node){ 0 };
		r = fill_node(&items->items[i], &(*nodes)[(*n)++], why);
		if (r < 0)
			return r;
	}
	return 0;
}

int api_nodes_parse(const char *json, size_t len, struct api_node **nodes, unsigned long *n,
		    struct text *next, struct fault *why)
{
	scoped(yaml_done) struct yaml doc = { 0 };
	struct yaml_error error = { 0 };
	const struct yaml *items;
	const char *more;
	int r = yaml_parse(json, len, &doc, &error);

	if (r < 0)
		return fault_set(why, r, "the list of nodes is not JSON: %s", error.message);
	items = yaml_get(&doc, "items");
	if (!items || (items->kind != YAML_SEQUENCE && items->kind != YAML_NULL))
		return fault_set(why, EBADMSG, "the answer is no list of nodes");
	more = yaml_text(yaml_get(yaml_get(&doc, "metadata"), "continue"));
	if (more)
		text_add(next, more);
	if (text_error(next) < 0)
		return fault_errno(why, ENOMEM, "nodes");
	return items->kind == YAML_NULL ? 0 : add_items(items, nodes, n, why);
}

/* The path of the page after the token; everything but letters and digits is escaped. */
static void add_page(const struct text *token, struct text *path)
{
	size_t i;

	text_addf(path, "/api/v1/nodes?limit=%d", PAGE);
	if (token->len)
		text_add(path, "&continue=");
	for (i = 0; i < token->len; i++)
		text_addf(path, isalnum((unsigned char)token->data[i]) ? "%c" : "%%%02X",
			  (unsigned char)token->data[i]);
}

static int get_page(const struct api *api, struct text *token, struct api_node **nodes,
		    unsigned long *n, struct fault *why)
{
	scoped(text_done) struct text body = { 0 };
	scoped(text_done) struct text path = { 0 };
	int status;

	add_page(token, &path);
	if (text_error(&path) < 0)
		return fault_errno(why, ENOMEM, "nodes");
	status = api_call(api, "GET", text_str(&path), NULL, &body, why);
	if (status < 0)
		return status;
	if (status != 200) {
		api_fault(status, text_str(&body), why);
		return fault_wrap(why, "%s", api->server);
	}
	text_done(token);
	return api_nodes_parse(text_str(&body), body.len, nodes, n, token, why);
}

int api_nodes(const struct api *api, struct api_node **ret_nodes, unsigned long *ret_n,
	      struct fault *why)
{
	scoped(text_done) struct text token = { 0 };
	struct api_node *nodes = NULL;
	unsigned long n = 0;
	int n_pages = 0;
	int r;

	do
		r = get_page(api, &token, &nodes, &n, why);
	while (r == 0 && token.len > 0 && ++n_pages < MAX_PAGES);
	if (r == 0 && token.len > 0)
		r = fault_set(why, EFBIG, "%s: the list of nodes has no end", api->server);
	if (r < 0) {
		api_nodes_free(nodes, n);
		return r;
	}
	*ret_nodes = nodes;
	*ret_n = n;
	return 0;
}
