/* SPDX-License-Identifier: MIT */
#include "image/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/seed.h"

#define SECRETS "secrets/"

static void token(const struct model *m, struct args *out)
{
	if (!m->token)
		args_add(out, SECRETS "token");
}

static void admin(const struct model *m, struct args *out)
{
	(void)m;
	args_add(out, SECRETS "admin.crt");
	args_add(out, SECRETS "admin.key");
}

static bool is_given(const struct args *list, const char *path)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (strcmp(list->list[i], path) == 0)
			return true;
	return false;
}

/* A password of somebody else's server is not ours to choose. */
static void add_password(struct args *out, const char *node, const char *file)
{
	if (node && file && !is_given(out, file))
		args_add(out, "%s", file);
}

static void registry(const struct model *m, struct args *out)
{
	size_t i;

	for (i = 0; i < m->n_registries; i++)
		add_password(out, m->registries[i].node, m->registries[i].password_file);
}

static void samba(const struct model *m, struct args *out)
{
	size_t i;

	for (i = 0; i < m->n_shares; i++)
		add_password(out, m->shares[i].node, m->shares[i].password_file);
}

static const struct {
	const char *word;
	void (*collect)(const struct model *m, struct args *out);
	const char *none; /* what is the matter when there is nothing of it */
} rows[] = {
	{ "token", token, "the token stands in the file: change it there" },
	{ "admin", admin, "" },
	{ "registry", registry, "no registry of the file is served by a node and has a password" },
	{ "samba", samba, "no share of the file is served by a node and has a password" },
};

void rotate_words(struct text *out)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		text_addf(out, "%s%s", i ? ", " : "", rows[i].word);
}

void rotation_done(struct rotation *r)
{
	args_done(&r->paths);
}

static void old_name(const char *path, struct text *out)
{
	text_addf(out, "%s.old", path);
}

/* What the folder has no more of is made anew all the same. */
static int set_aside(const struct rotation *r, struct fault *why)
{
	size_t i;

	for (i = 0; i < r->paths.n; i++) {
		scoped(text_done) struct text old = { 0 };

		old_name(r->paths.list[i], &old);
		if (renameat(r->folder, r->paths.list[i], r->folder, text_str(&old)) < 0 &&
		    errno != ENOENT)
			return fault_errno(why, errno, "%s", r->paths.list[i]);
	}
	return 0;
}

int rotate_begin(const struct model *m, int folder, const char *word, struct rotation *ret,
		 struct fault *why)
{
	scoped(text_done) struct text words = { 0 };
	size_t i;

	*ret = (struct rotation){ .folder = folder };
	for (i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].word, word) == 0)
			break;
	rotate_words(&words);
	if (i == COUNT(rows))
		return fault_set(why, EINVAL, "'%s' cannot be rotated; what can: %s", word,
				 text_str(&words));
	ret->word = rows[i].word;
	rows[i].collect(m, &ret->paths);
	if (ret->paths.error)
		return fault_errno(why, ENOMEM, "%s", word);
	if (ret->paths.n == 0)
		return fault_set(why, EINVAL, "%s", rows[i].none);
	return set_aside(ret, why);
}

static bool is_there(int folder, const char *path)
{
	return faccessat(folder, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int rotate_end(struct rotation *r, struct fault *why)
{
	size_t i, n_new = 0;
	int result = 0;

	for (i = 0; i < r->paths.n; i++)
		n_new += is_there(r->folder, r->paths.list[i]);
	for (i = 0; i < r->paths.n && result >= 0; i++) {
		scoped(text_done) struct text old = { 0 };

		old_name(r->paths.list[i], &old);
		/* Halves of two pairs do not fit, so either all of them are new or none is. */
		if (n_new == r->paths.n)
			result = fs_remove(r->folder, text_str(&old), why);
		else if (renameat(r->folder, text_str(&old), r->folder, r->paths.list[i]) < 0 &&
			 errno != ENOENT)
			result = fault_errno(why, errno, "%s", text_str(&old));
	}
	return result < 0 ? result : 0;
}

static bool holds(const struct model *m, const struct model_node *node, const struct rotation *r)
{
	struct fault ignored = { 0 };
	const char **paths = NULL;
	bool result = false;
	size_t i, k;

	if (seed_secrets(m, node, &paths, &ignored) < 0)
		return false;
	for (i = 0; paths[i]; i++)
		for (k = 0; k < r->paths.n; k++) {
			const char *path = r->paths.list[k];

			path += strncmp(path, "./", 2) == 0 ? 2 : 0;
			if (strncmp(path, SECRETS, strlen(SECRETS)) == 0 &&
			    strcmp(path + strlen(SECRETS), paths[i]) == 0)
				result = true;
		}
	free(paths);
	return result;
}

void rotate_advice(const struct model *m, const struct rotation *r, const char *old_token_id,
		   struct text *out)
{
	scoped(text_done) struct text names = { 0 };
	size_t i;

	for (i = 0; i < m->n_nodes; i++)
		if (holds(m, &m->nodes[i], r))
			text_addf(&names, " %s", m->nodes[i].name);
	if (names.len)
		text_addf(out,
			  "These nodes hold the old one until their seeds are written anew:%s\n"
			  "    rackseed build%s\n    and rackseed flash, or vm up, for each\n",
			  text_str(&names), text_str(&names));
	if (strcmp(r->word, "admin") == 0)
		text_add(out, "Kubernetes takes no certificate back: the old one is good until it "
			      "ends.\n    rackseed kubeconfig makes one from the new\n");
	if (old_token_id && *old_token_id)
		text_addf(out,
			  "The API server takes the old token until its Secret is gone:\n"
			  "    kubectl -n kube-system delete secret bootstrap-token-%s\n",
			  old_token_id);
}
