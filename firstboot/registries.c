/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "cluster/depot.h"
#include "firstboot/node.h"
#include "firstboot/registry.h"
#include "firstboot/tasks.h"

/*
 * The step registries: each registry of the file is asked as containerd will ask, its mirrors
 * first, and where there is an image to prove it with, CRI pulls that. Which host serves it CRI
 * does not tell: whoever answers when asked in the same order may still fail at the blobs, and be
 * passed over then. So a mirror is only said to have answered.
 */

enum { PULL_MS = 60000 };

/* The image that proves a registry: "library/busybox:1.36", or none. */
struct proof {
	struct text image;
	bool is_ours; /* we put it there where it is missing */
};

static void proof_done(struct proof *p)
{
	text_done(&p->image);
}

static bool is_tagged(const char *image)
{
	const char *slash = strrchr(image, '/');

	return strchr(slash ? slash : image, ':') || strchr(image, '@');
}

/* Nothing can be pushed to a cache, nor would we push to somebody else's registry. */
static void choose(const struct model_registry *r, struct proof *ret)
{
	const char *image = r->probe;

	ret->is_ours = !image && r->node && !r->upstream;
	if (ret->is_ours)
		image = DEPOT_PROOF;
	if (!image)
		return;
	if (strcmp(r->host, "docker.io") == 0 && !strchr(image, '/'))
		text_add(&ret->image, "library/");
	text_add(&ret->image, image);
	if (!is_tagged(image))
		text_add(&ret->image, ":latest");
}

/* What one host, "HOST[:PORT][/PREFIX]", says: of the image where there is one, else of us. */
static int ask(struct node *node, const char *place, const char *image, struct fault *why)
{
	const struct depot_secrets secrets = { .read = registry_secret, .data = node };
	scoped(depot_done) struct depot depot = { 0 };
	scoped(text_done) struct text host = { 0 };
	scoped(text_done) struct text name = { 0 };
	size_t n = strcspn(place, "/");
	int r;

	text_add_n(&host, place, n);
	r = depot_open(&node->model, text_str(&host), &secrets, &depot, why);
	if (r < 0)
		return r;
	if (!*image)
		return depot_login(&depot, why);
	if (place[n])
		text_addf(&name, "%s/", place + n + 1);
	text_add(&name, image);
	if (text_error(&name) < 0)
		return fault_errno(why, ENOMEM, "%s", place);
	return depot_has(&depot, text_str(&name), why);
}

/* Its code when none of the hosts serves; the fault then holds what each of them said. */
static int find_server(struct node *node, const struct model_registry *r, const char *image,
		       const char **ret_place, struct text *passed, struct fault *why)
{
	size_t n = 0, i;
	int result = -ENOENT;

	while (r->mirrors && r->mirrors[n])
		n++;
	for (i = 0; i <= n; i++) {
		const char *place = i < n ? r->mirrors[i] : r->host;
		struct fault found = { 0 };

		result = ask(node, place, image, &found);
		if (result >= 0) {
			*ret_place = place;
			return result;
		}
		text_addf(passed, "%s%s%s", passed->len ? "; " : "", i < n ? "mirror " : "",
			  found.text);
	}
	return fault_set(why, -result, "%s", text_str(passed));
}

static int pull(const struct model_registry *r, const char *image, struct fault *why)
{
	scoped(text_done) struct text reference = { 0 };
	const char *argv[] = { "crictl", "pull", NULL, NULL };
	int result;

	text_addf(&reference, "%s/%s", r->host, image);
	argv[2] = text_str(&reference);
	result = run(&(struct run){ .argv = argv, .timeout_ms = PULL_MS }, why);
	if (result == -ENOENT)
		return fault_set(why, ENOENT,
				 "crictl is not on this node, so no image can be pulled through "
				 "CRI: add cri-tools to os.packages");
	return result < 0 ? fault_wrap(why, "containerd cannot pull %s", text_str(&reference)) : 0;
}

static bool is_silence(int code)
{
	return code == -ECONNREFUSED || code == -ETIMEDOUT || code == -ECONNRESET ||
	       code == -ENXIO || code == -EHOSTUNREACH || code == -ENETUNREACH;
}

/* What the registries came to, each after the other. */
struct findings {
	struct text proven; /* who served what */
	struct text names;  /* of those in trouble, for a wait */
	struct text causes; /* and theirs */
	int code;	    /* of the first that is more than silence, else of the first; 0: none */
};

static void findings_done(struct findings *f)
{
	text_done(&f->proven);
	text_done(&f->names);
	text_done(&f->causes);
}

static void add_trouble(struct findings *f, const struct model_registry *r, int code,
			const char *cause)
{
	if (f->code == 0 || (is_silence(f->code) && !is_silence(code)))
		f->code = code;
	text_addf(&f->names, "%s'%s'", f->names.len ? ", " : "", r->host);
	text_addf(&f->causes, "%s%s: %s", f->causes.len ? "; " : "", r->host, cause);
}

static int push(struct node *node, const struct model_registry *r, struct fault *why)
{
	const struct depot_secrets secrets = { .read = registry_secret, .data = node };
	scoped(depot_done) struct depot depot = { 0 };
	int result = depot_open(&node->model, r->host, &secrets, &depot, why);

	return result < 0 ? result : depot_push_proof(&depot, why);
}

static int prove(struct node *node, const struct model_registry *r, struct findings *f,
		 struct fault *why)
{
	scoped(proof_done) struct proof proof = { 0 };
	scoped(text_done) struct text passed = { 0 };
	const char *image;
	const char *place = r->host;
	int result;

	choose(r, &proof);
	image = text_str(&proof.image);
	result = find_server(node, r, image, &place, &passed, why);
	if (result == -ENOENT && proof.is_ours) {
		text_done(&passed);
		result = push(node, r, why);
		if (result == 0)
			result = find_server(node, r, image, &place, &passed, why);
	}
	if (result >= 0 && *image)
		result = pull(r, image, why);
	if (result < 0)
		return result;
	text_addf(&f->proven, "%s%s: ", f->proven.len ? "; " : "", r->host);
	if (*image)
		text_addf(&f->proven, "%s pulled%s %s", image,
			  place == r->host ? " from" : ", answered by", place);
	else
		text_addf(&f->proven, "%s lets us in; without probe: no image is pulled", place);
	if (passed.len > 0)
		text_addf(&f->proven, " (%s)", text_str(&passed));
	return 0;
}

/* Somebody else's registry without credentials or an image to try is none of our promises. */
static bool is_promised(const struct model_registry *r)
{
	return strcmp(r->host, "_default") != 0 &&
	       (r->node || r->probe || (r->user && r->password_file));
}

/* As the runner shows it: who is waited for, or what is wrong; and what is well all the same. */
static int tell(const struct findings *f, struct fault *why)
{
	if (f->code == 0)
		return f->proven.len ? step_say(why, STEP_SAME, "%s", text_str(&f->proven))
				     : STEP_SAME;
	fault_set(why, f->code, "%s%s%s", text_str(&f->causes), f->proven.len ? "; " : "",
		  text_str(&f->proven));
	return is_silence(f->code)
		       ? step_wait(why, "%s %s",
				   strchr(text_str(&f->names), ',') ? "registries" : "registry",
				   text_str(&f->names))
		       : -why->code;
}

int task_registries(struct node *node, struct fault *why)
{
	scoped(findings_done) struct findings f = { 0 };
	size_t i;

	if (!model_is_kubernetes(node->self))
		return STEP_SAME;
	for (i = 0; i < node->model.n_registries; i++) {
		struct fault found = { 0 };
		int r;

		if (!is_promised(&node->model.registries[i]))
			continue;
		if (!node->alive(node->data))
			return fault_set(why, ECANCELED, "stopped");
		r = prove(node, &node->model.registries[i], &f, &found);
		if (r < 0)
			add_trouble(&f, &node->model.registries[i], r, found.text);
	}
	return tell(&f, why);
}
