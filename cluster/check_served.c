/* SPDX-License-Identifier: MIT */
#include "cluster/check.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/plan_registry.h"
#include "storage/storage.h"

/* What one node serves: shares against each other, the registry's folder and what is mounted. */

struct served {
	const struct model_share **list; /* those with a node and a path */
	const char **mounts;		 /* of all shares, sorted */
	size_t n, n_mounts;
};

/* The array of shares is in the order of the file. */
static int by(int node, int key, const struct model_share *x, const struct model_share *y)
{
	return node ? node : key ? key : x < y ? -1 : x > y;
}

static int compare_paths(const void *a, const void *b)
{
	const struct model_share *x = *(const struct model_share *const *)a;
	const struct model_share *y = *(const struct model_share *const *)b;

	return by(strcmp(x->node, y->node), strcmp(x->path, y->path), x, y);
}

static int compare_users(const void *a, const void *b)
{
	const struct model_share *x = *(const struct model_share *const *)a;
	const struct model_share *y = *(const struct model_share *const *)b;

	return by(strcmp(x->node, y->node), strcmp(x->user ? x->user : "", y->user ? y->user : ""),
		  x, y);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Each would give the folder to its own user, in turn and at every boot. */
static void check_paths(struct check *k, struct served *all)
{
	const struct model_share *first = NULL, *s;
	size_t i;

	qsort(all->list, all->n, sizeof(*all->list), compare_paths);
	for (i = 0; i < all->n; i++) {
		s = all->list[i];
		if (!first || strcmp(s->node, first->node) != 0 ||
		    strcmp(s->path, first->path) != 0)
			first = s;
		else if (!is_same(s->user, first->user))
			complaint_add(k->c, COMPLAINT_ERROR, s->path_mark, "share-twice", NULL,
				      "another path:, or the same user: for both",
				      "share '%.64s': %.128s belongs to the user of share '%.64s'",
				      s->name, s->path, first->name);
	}
}

/* Samba knows one password of a user, whichever share he asks for. */
static void check_passwords(struct check *k, struct served *all)
{
	const struct model_share *first = NULL, *s;
	size_t i;

	qsort(all->list, all->n, sizeof(*all->list), compare_users);
	for (i = 0; i < all->n; i++) {
		s = all->list[i];
		if (!s->user || !s->password_file)
			continue;
		if (!first || strcmp(s->node, first->node) != 0 ||
		    strcmp(s->user, first->user) != 0)
			first = s;
		else if (strcmp(s->password_file, first->password_file) != 0)
			complaint_add(k->c, COMPLAINT_ERROR, s->password_mark, "share-password",
				      NULL, "another user:, or the same passwordFile: for both",
				      "share '%.64s': user '%.64s' of node '%.64s' has the "
				      "password of share '%.64s', %.128s",
				      s->name, s->user, s->node, first->name, first->password_file);
	}
}

static void check_registry(struct check *k, const struct model_share *s,
			   const struct model_node *node)
{
	if ((node->roles & MODEL_REGISTRY) && storage_path_within(s->path, PLAN_REGISTRY_DATA))
		complaint_add(k->c, COMPLAINT_ERROR, s->path_mark, "share-registry", NULL,
			      "such as /srv/NAME",
			      "share '%.64s': in %.128s lie the images of the registry that node "
			      "'%.64s' serves, too",
			      s->name, s->path, s->node);
}

/* The mount that is path or lies above it, or NULL. */
static const char *find_mount(const struct served *all, const char *path)
{
	char above[256];
	const char *key = above;
	const char **found = NULL;
	size_t n = strlen(path);

	for (; !found && n > 0 && n < sizeof(above); n = (size_t)(strrchr(above, '/') - above)) {
		memcpy(above, path, n);
		above[n] = '\0';
		found = bsearch(&key, all->mounts, all->n_mounts, sizeof(key), compare_texts);
	}
	return found ? *found : NULL;
}

/* A node of Kubernetes mounts all shares, its own ones too: over their folder that is a circle. */
static void check_hidden(struct check *k, const struct served *all, const struct model_share *s,
			 const struct model_node *node)
{
	const char *mount = model_is_kubernetes(node) ? find_mount(all, s->path) : NULL;

	if (mount)
		complaint_add(k->c, COMPLAINT_ERROR, s->path_mark, "mount-served", NULL,
			      "another mount:, such as /mnt/NAME",
			      "share '%.64s': node '%.64s' serves %.128s and mounts a share at "
			      "%.128s, too, which hides it",
			      s->name, s->node, s->path, mount);
}

/* The same for what no share serves: the registry's images. */
static void check_images(struct check *k, const struct model_share *s, bool has_registry)
{
	if (has_registry && s->mount && s->mount_mark.line &&
	    storage_path_within(s->mount, PLAN_REGISTRY_DATA))
		complaint_add(k->c, COMPLAINT_ERROR, s->mount_mark, "mount-served", NULL,
			      "such as /mnt/NAME",
			      "share '%.64s': a mount at %.128s would hide a registry's images",
			      s->name, s->mount);
}

/* Whether a node mounts shares and has a registry's images. */
static bool has_registry(const struct model *m)
{
	size_t i;

	for (i = 0; i < m->n_nodes; i++)
		if ((m->nodes[i].roles & MODEL_REGISTRY) && model_is_kubernetes(&m->nodes[i]))
			return true;
	return false;
}

static void collect(struct check *k, struct served *all)
{
	const struct model *m = k->m;
	size_t i;

	for (i = 0; i < m->n_shares; i++) {
		const struct model_share *s = &m->shares[i];

		if (s->node && s->path && s->path[0] == '/' && s->path_mark.line)
			all->list[all->n++] = s;
		if (s->mount && s->mount_mark.line)
			all->mounts[all->n_mounts++] = s->mount;
	}
	qsort(all->mounts, all->n_mounts, sizeof(*all->mounts), compare_texts);
}

static void check_each(struct check *k, const struct served *all)
{
	bool registry = has_registry(k->m);
	size_t i;

	for (i = 0; i < all->n; i++) {
		const struct model_node *node = model_node(k->m, all->list[i]->node);

		if (!node)
			continue;
		check_registry(k, all->list[i], node);
		check_hidden(k, all, all->list[i], node);
	}
	for (i = 0; i < k->m->n_shares; i++)
		check_images(k, &k->m->shares[i], registry);
}

void check_served(struct check *k)
{
	struct served all = { .list = calloc(k->m->n_shares + 1, sizeof(*all.list)),
			      .mounts = calloc(k->m->n_shares + 1, sizeof(*all.mounts)) };

	if (all.list && all.mounts) {
		collect(k, &all);
		check_paths(k, &all);
		check_passwords(k, &all);
		check_each(k, &all);
	} else {
		complaints_exhausted(k->c);
	}
	free(all.list);
	free(all.mounts);
}
