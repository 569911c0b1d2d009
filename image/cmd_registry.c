/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/depot.h"
#include "cluster/model.h"
#include "image/archive.h"
#include "image/secret.h"
#include "image/skopeo.h"

/* What the words of the command line mean. */
struct job {
	const struct invocation *in;
	const struct model *m;
	const struct model_registry *registry;
	struct text host, prefix; /* prefix ends with '/' unless empty */
	int folder;		  /* of the file */
};

static void job_done(struct job *j)
{
	text_done(&j->host);
	text_done(&j->prefix);
	drop_fd(&j->folder);
}

static const struct model_registry *first_of_ours(const struct model *m)
{
	size_t i;

	for (i = 0; i < m->n_registries; i++)
		if (m->registries[i].node && !m->registries[i].upstream)
			return &m->registries[i];
	return NULL;
}

static int pick(struct job *j, struct fault *why)
{
	const char *to = command_value(j->in, "to");
	size_t n;

	if (!to) {
		j->registry = first_of_ours(j->m);
		if (!j->registry)
			return fault_set(why, ENOENT,
					 "%s: no node serves a registry: name one with --to",
					 j->in->file);
		text_add(&j->host, j->registry->host);
		return 0;
	}
	n = strcspn(to, "/");
	text_add_n(&j->host, to, n);
	if (to[n] && to[n + 1])
		text_addf(&j->prefix, "%s%s", to + n + 1, to[strlen(to) - 1] == '/' ? "" : "/");
	j->registry = model_registry(j->m, text_str(&j->host));
	if (!j->registry || strcmp(text_str(&j->host), "_default") == 0)
		return fault_set(why, ENOENT,
				 "%s: there is no registry '%s' under registries:", j->in->file,
				 text_str(&j->host));
	return 0;
}

/* ---- push ---- */

struct push {
	struct skopeo skopeo;
	const char *host;   /* of the registry, as the file has it */
	const char *prefix; /* "hub/", or "" */
};

/* One image, to be known there as name; what went there is told in *out. */
static int push_image(const struct push *p, const char *source, const char *name, struct text *out,
		      struct fault *why)
{
	scoped(text_done) struct text to = { 0 };
	int r;

	text_addf(&to, "docker://%s/%s%s", p->host, p->prefix, name);
	if (text_error(&to) < 0)
		return fault_errno(why, ENOMEM, "push");
	r = skopeo_copy(&p->skopeo, source, text_str(&to), why);
	if (r < 0)
		return fault_wrap(why, "%s%s", p->prefix, name);
	text_addf(out, "%s/%s%s\n", p->host, p->prefix, name);
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "push") : 0;
}

static int push_archive(const struct push *p, const char *path, const char *name, struct text *out,
			struct fault *why)
{
	scoped(archive_done) struct archive archive = { 0 };
	scoped(text_done) struct text source = { 0 };
	size_t i;
	int r = archive_read(path, &archive, why);

	if (r < 0)
		return r;
	if (!name && archive.names.n == 0)
		return fault_set(why, EINVAL, "%s: its image bears no name: write %s=NAME:TAG",
				 path, path);
	if (name && archive.names.n > 1)
		return fault_set(why, EINVAL, "%s holds %zu images, which cannot all be '%s'", path,
				 archive.names.n, name);
	for (i = 0; r == 0 && i < (archive.names.n ? archive.names.n : 1); i++) {
		const char *inside = archive.names.n ? archive.names.list[i] : "";

		text_done(&source);
		text_addf(&source, "%s:%s%s%s", archive.oci ? "oci-archive" : "docker-archive",
			  path, *inside ? ":" : "", inside);
		r = push_image(p, text_str(&source), name ? name : archive_bare_name(inside), out,
			       why);
	}
	return r;
}

/* "busybox:1" is the "docker.io/library/busybox:1" of all who know it. */
static int push_reference(const struct push *p, const char *image, const char *name,
			  struct text *out, struct fault *why)
{
	scoped(text_done) struct text whole = { 0 };
	const char *bare = archive_bare_name(image);

	if (bare == image)
		text_addf(&whole, "docker.io/%s", strchr(image, '/') ? "" : "library/");
	text_add(&whole, image);
	bare = archive_bare_name(text_str(&whole));
	if (strchr(bare, '@') && !name)
		return fault_set(why, EINVAL, "%s: write %s=NAME:TAG", image, image);
	{
		scoped(text_done) struct text source = { 0 };

		text_addf(&source, "docker://%s", text_str(&whole));
		return push_image(p, text_str(&source), name ? name : bare, out, why);
	}
}

static int push_one(const struct push *p, const char *word, struct text *out, struct fault *why)
{
	scoped(text_done) struct text image = { 0 };
	/* No name of an image has one, but that of a file may. */
	const char *equals = access(word, F_OK) == 0 ? NULL : strrchr(word, '=');
	const char *name = equals ? equals + 1 : NULL;

	text_add_n(&image, word, equals ? (size_t)(equals - word) : strlen(word));
	if (name && !*name)
		return fault_set(why, EINVAL, "'%s': a name is missing after '='", word);
	if (model_image_is_file(text_str(&image)) || access(text_str(&image), F_OK) == 0)
		return push_archive(p, text_str(&image), name, out, why);
	return push_reference(p, text_str(&image), name, out, why);
}

static int push_all(const struct job *j, const struct push *p, struct fault *why)
{
	size_t i;
	int r = 0;

	for (i = 1; r == 0 && i < j->in->n_args; i++) {
		scoped(text_done) struct text done = { 0 };

		if (!j->in->quiet)
			fprintf(stderr, "pushing %s\n", j->in->args[i]);
		r = push_one(p, j->in->args[i], &done, why);
		/* What went there is told, even when the rest did not. */
		fputs(text_str(&done), stdout);
	}
	return r < 0 ? r : EXIT_DONE;
}

static int run_push(struct job *j, const struct depot_secrets *secrets, struct fault *why)
{
	struct push push = { .host = text_str(&j->host), .prefix = text_str(&j->prefix) };
	int r;

	if (j->registry->upstream)
		return fault_set(why, EINVAL,
				 "registry '%s' is a cache of '%s': nothing can be pushed to it",
				 j->registry->host, j->registry->upstream);
	r = skopeo_begin(j->m, secrets, &push.skopeo, why);
	if (r < 0)
		return r;
	r = push_all(j, &push, why);
	skopeo_end(&push.skopeo);
	return r;
}

/* ---- ls ---- */

static void show(const struct job *j, const char *repository, const struct depot_names *tags,
		 bool first, struct text *out)
{
	size_t i;

	if (!j->in->json) {
		for (i = 0; i < tags->n; i++)
			text_addf(out, "%s/%s:%s\n", j->registry->host, repository, tags->list[i]);
		return;
	}
	text_add(out, first ? "\n  {\"repository\": " : ",\n  {\"repository\": ");
	quote_json(out, repository);
	text_add(out, ", \"tags\": [");
	for (i = 0; i < tags->n; i++) {
		text_add(out, i ? ", " : "");
		quote_json(out, tags->list[i]);
	}
	text_add(out, "]}");
}

static int refuse_token(const struct job *j, int r, struct fault *why)
{
	if (r != DEPOT_TOKEN)
		return r;
	return fault_set(why, EOPNOTSUPP, "%s wants a token of another server, and lists nothing",
			 j->registry->host);
}

static int list(struct job *j, const struct depot *depot, struct text *out, struct fault *why)
{
	scoped(depot_names_done) struct depot_names repositories = { 0 };
	size_t i;
	int r = refuse_token(j, depot_repositories(depot, &repositories, why), why);

	for (i = 0; r == 0 && i < repositories.n; i++) {
		scoped(depot_names_done) struct depot_names tags = { 0 };

		r = depot_tags(depot, repositories.list[i], &tags, why);
		/* Deleted since it was listed, or never finished. */
		if (r == -EPROTO && strstr(why->text, ": 404"))
			r = 0;
		r = refuse_token(j, r, why);
		if (r == 0)
			show(j, repositories.list[i], &tags, i == 0, out);
	}
	return r;
}

static int run_ls(struct job *j, const struct depot_secrets *secrets, struct fault *why)
{
	scoped(depot_done) struct depot depot = { 0 };
	scoped(text_done) struct text out = { 0 };
	int r;

	if (j->prefix.len) {
		fprintf(stderr, "rackseed: registry ls lists all of %s: no path goes with it\n",
			j->registry->host);
		return EXIT_MISUSE;
	}
	r = depot_open(j->m, j->registry->host, secrets, &depot, why);
	if (r == 0)
		r = depot_by_address(&depot, j->m, j->registry->host, why);
	text_add(&out, j->in->json ? "[" : "");
	if (r == 0)
		r = list(j, &depot, &out, why);
	text_add(&out, j->in->json ? "\n]\n" : "");
	if (r == 0 && text_error(&out) < 0)
		r = fault_errno(why, ENOMEM, "list");
	if (r < 0)
		return r;
	fputs(text_str(&out), stdout);
	return EXIT_DONE;
}

static const struct {
	const char *name;
	int (*run)(struct job *j, const struct depot_secrets *secrets, struct fault *why);
	bool takes_images;
} actions[] = { { "push", run_push, true }, { "ls", run_ls, false } };

static int run_registry(const struct invocation *in, struct fault *why)
{
	scoped(model_done) struct model m = { 0 };
	scoped(job_done) struct job j = { .in = in, .m = &m, .folder = -1 };
	const struct depot_secrets secrets = { .read = secret_read, .data = &j.folder };
	size_t a;
	int r;

	for (a = 0; a < COUNT(actions); a++)
		if (in->n_args && strcmp(in->args[0], actions[a].name) == 0)
			break;
	if (a == COUNT(actions) || actions[a].takes_images != (in->n_args > 1)) {
		fprintf(stderr, "rackseed: registry needs push with images, or ls "
				"(see rackseed registry --help)\n");
		return EXIT_MISUSE;
	}
	r = command_load(in, &m, NULL, why);
	if (r != 0)
		return r;
	j.folder = command_folder(in, why);
	r = j.folder < 0 ? j.folder : pick(&j, why);
	return r < 0 ? r : actions[a].run(&j, &secrets, why);
}

static const struct command_option options[] = {
	{ "to", "HOST[/PATH]", "the registry, default the first that a node serves" },
	{ NULL, NULL, NULL },
};

static const struct command_rule rules[] = { { "--json", "ls", NULL }, { NULL, NULL, NULL } };

const struct command cmd_registry = {
	.name = "registry",
	.synopsis = "push|ls [IMAGE...]",
	.help = "copies images to a registry of the file, and lists what it has",
	.options = options,
	.rules = rules,
	.max_args = COMMAND_MANY,
	.run = run_registry,
};
