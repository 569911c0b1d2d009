/* SPDX-License-Identifier: MIT */
#include "cluster/seed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"

/* Who may hold what. Everything that is not in this table stays on the host. */

#define PREFIX "secrets/"

enum {
	CONTROL = MODEL_CONTROL_PLANE,
	MEMBER = MODEL_CONTROL_PLANE | MODEL_WORKER,
	ANY = MODEL_CONTROL_PLANE | MODEL_WORKER | MODEL_STORAGE | MODEL_REGISTRY,
};

static const struct {
	const char *path;
	unsigned roles;
	bool unless_static; /* not where the document itself gives it */
} rows[] = {
	{ "pki/ca.crt", ANY, false },
	{ "pki/ca.key", CONTROL, false },
	{ "pki/etcd/ca.crt", CONTROL, false },
	{ "pki/etcd/ca.key", CONTROL, false },
	{ "pki/front-proxy-ca.crt", CONTROL, false },
	{ "pki/front-proxy-ca.key", CONTROL, false },
	{ "pki/sa.key", CONTROL, false },
	{ "pki/sa.pub", CONTROL, false },
	{ "token", MEMBER, true },
};

struct list {
	const char **paths;
	size_t n;
	char *own; /* where the next path that is made up goes */
};

static bool is_self(const char *server, const struct model_node *node)
{
	return server && strcmp(server, node->name) == 0;
}

/* A file that the document names: a password, or a certificate. */
static int add_named(struct list *list, const char *file, struct fault *why)
{
	const char *path;
	size_t i;

	path = strncmp(file, "./", 2) == 0 ? file + 2 : file;
	if (strncmp(path, PREFIX, strlen(PREFIX)) != 0)
		return fault_set(why, EINVAL,
				 "'%s' must lie in " PREFIX " to reach a node: move it there",
				 file);
	path += strlen(PREFIX);
	for (i = 0; i < list->n; i++)
		if (strcmp(list->paths[i], path) == 0)
			return 0;
	/* A password's name must not be a way to carry a key to where it does not belong. */
	if (path[0] == '/' || strncmp(path, "pki/", 4) == 0 || strncmp(path, "admin.", 6) == 0 ||
	    strcmp(path, "token") == 0 || strstr(path, "..") || strstr(path, "//") ||
	    strstr(path, "./"))
		return fault_set(why, EINVAL, "'%s' is no name for a password", file);
	list->paths[list->n++] = path;
	return 0;
}

/* A password for a node that uses it (every member) or serves it. */
static int add_password(struct list *list, const char *file, const char *server,
			const struct model_node *node, struct fault *why)
{
	if (!file || (!(node->roles & MEMBER) && !is_self(server, node)))
		return 0;
	return add_named(list, file, why) < 0 ? fault_wrap(why, "passwordFile") : 0;
}

/* What a cache asks its upstream with: whoever serves the cache needs it. */
static int add_upstream(struct list *list, const struct model *m, const struct model_registry *r,
			const struct model_node *node, struct fault *why)
{
	const struct model_registry *up = r->upstream ? model_registry(m, r->upstream) : NULL;

	if (!up || !is_self(r->node, node))
		return 0;
	if (up->password_file && add_named(list, up->password_file, why) < 0)
		return fault_wrap(why, "passwordFile");
	if (up->ca_file && add_named(list, up->ca_file, why) < 0)
		return fault_wrap(why, "caFile");
	return 0;
}

static int add_registry(struct list *list, const struct model *m, const struct model_registry *r,
			const struct model_node *node, struct fault *why)
{
	const struct {
		const char *file, *key;
	} theirs[] = {
		{ r->ca_file, "caFile" },
		{ r->client_cert_file, "clientCertFile" },
		{ r->client_key_file, "clientKeyFile" },
	};
	int result = add_password(list, r->password_file, r->node, node, why);
	size_t i;

	for (i = 0; result == 0 && (node->roles & MEMBER) && i < COUNT(theirs); i++)
		if (theirs[i].file && add_named(list, theirs[i].file, why) < 0)
			result = fault_wrap(why, "%s", theirs[i].key);
	return result < 0 ? result : add_upstream(list, m, r, node, why);
}

static int add_passwords(struct list *list, const struct model *m, const struct model_node *node,
			 struct fault *why)
{
	size_t i;
	int r = 0;

	for (i = 0; i < m->n_registries && r == 0; i++)
		r = add_registry(list, m, &m->registries[i], node, why);
	for (i = 0; i < m->n_shares && r == 0; i++)
		r = add_password(list, m->shares[i].password_file, m->shares[i].node, node, why);
	return r;
}

/* What one registry can add: its password, CA, certificate and key, and two of its upstream. */
enum { PER_REGISTRY = 6, OWN = 5 };
static const size_t own_len = 320;

/* Room for every path and behind it for those that bear the node's name, in one block. */
static int begin(struct list *list, const struct model *m, struct fault *why)
{
	size_t n = COUNT(rows) + PER_REGISTRY * m->n_registries + m->n_shares + OWN + 1;

	list->paths = calloc(1, n * sizeof(*list->paths) + OWN * own_len);
	list->own = (char *)(list->paths + n);
	return list->paths ? 0 : fault_errno(why, ENOMEM, "list of secrets");
}

static void add_own(struct list *list, const char *folder, const char *name, const char *extension)
{
	snprintf(list->own, own_len, "%s/%s.%s", folder, name, extension);
	list->paths[list->n++] = list->own;
	list->own += own_len;
}

/* The registry CA's certificate for all who ask or serve, a key of its own for who serves. */
static void add_certificates(struct list *list, const struct model *m,
			     const struct model_node *node)
{
	bool any = false, serves = false;
	size_t i;

	for (i = 0; i < m->n_registries; i++) {
		any = any || model_serves_tls(&m->registries[i]);
		serves = serves || (model_serves_tls(&m->registries[i]) &&
				    is_self(m->registries[i].node, node));
	}
	if (any && (node->roles & (MEMBER | MODEL_REGISTRY)))
		list->paths[list->n++] = "pki/registry/ca.crt";
	if (serves) {
		add_own(list, "pki/registry", node->name, "crt");
		add_own(list, "pki/registry", node->name, "key");
	}
}

int seed_secrets(const struct model *m, const struct model_node *node, const char ***ret_paths,
		 struct fault *why)
{
	struct list list = { 0 };
	size_t i;
	int r = begin(&list, m, why);

	if (r < 0)
		return r;
	for (i = 0; i < COUNT(rows); i++)
		if ((node->roles & rows[i].roles) && !(rows[i].unless_static && m->token))
			list.paths[list.n++] = rows[i].path;
	add_certificates(&list, m, node);
	add_own(&list, "pki/status", node->name, "crt");
	add_own(&list, "pki/status", node->name, "key");
	r = add_passwords(&list, m, node, why);
	if (r < 0) {
		free(list.paths);
		return fault_wrap(why, "node '%s'", node->name);
	}
	*ret_paths = list.paths;
	return 0;
}
