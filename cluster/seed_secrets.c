/* SPDX-License-Identifier: MIT */
#include "cluster/seed.h"

#include <errno.h>
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
};

/* A password for a node that uses it (every member) or serves it. */
static int add_password(struct list *list, const char *file, const char *server,
			const struct model_node *node, struct fault *why)
{
	const char *path;
	size_t i;

	if (!file || (!(node->roles & MEMBER) && (!server || strcmp(server, node->name) != 0)))
		return 0;
	path = strncmp(file, "./", 2) == 0 ? file + 2 : file;
	if (strncmp(path, PREFIX, strlen(PREFIX)) != 0)
		return fault_set(why, EINVAL, "passwordFile '%s' must lie in " PREFIX
				 " to reach a node: move it there", file);
	path += strlen(PREFIX);
	for (i = 0; i < list->n; i++)
		if (strcmp(list->paths[i], path) == 0)
			return 0;
	/* A password's name must not be a way to carry a key to where it does not belong. */
	if (path[0] == '/' || strncmp(path, "pki/", 4) == 0 || strncmp(path, "admin.", 6) == 0 ||
	    strcmp(path, "token") == 0 || strstr(path, "..") || strstr(path, "//") ||
	    strstr(path, "./"))
		return fault_set(why, EINVAL, "passwordFile '%s' is no name for a password", file);
	list->paths[list->n++] = path;
	return 0;
}

static int add_passwords(struct list *list, const struct model *m, const struct model_node *node,
			 struct fault *why)
{
	size_t i;
	int r = 0;

	for (i = 0; i < m->n_registries && r == 0; i++)
		r = add_password(list, m->registries[i].password_file, m->registries[i].node, node,
				 why);
	for (i = 0; i < m->n_shares && r == 0; i++)
		r = add_password(list, m->shares[i].password_file, m->shares[i].node, node, why);
	return r;
}

int seed_secrets(const struct model *m, const struct model_node *node, const char ***ret_paths,
		 struct fault *why)
{
	struct list list = { 0 };
	size_t i;
	int r;

	list.paths = calloc(COUNT(rows) + m->n_registries + m->n_shares + 1, sizeof(*list.paths));
	if (!list.paths)
		return fault_errno(why, ENOMEM, "list of secrets");
	for (i = 0; i < COUNT(rows); i++)
		if ((node->roles & rows[i].roles) && !(rows[i].unless_static && m->token))
			list.paths[list.n++] = rows[i].path;
	r = add_passwords(&list, m, node, why);
	if (r < 0) {
		free(list.paths);
		return fault_wrap(why, "node '%s'", node->name);
	}
	*ret_paths = list.paths;
	return 0;
}
