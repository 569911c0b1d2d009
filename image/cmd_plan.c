/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/plan.h"
#include "image/command.h"
#include "netplan/netplan.h"

enum { FACTS_MAX = 16 << 20 };

static const struct command_option options[] = {
	{ "diff", "OLDFILE", "what changes against an older file" },
	{ "out", "DIR",
	  "where build.json of an earlier build lies (default: out beside the file)" },
	{ NULL, NULL, NULL },
};

/* What one run works on. */
struct job {
	const struct invocation *in;
	struct model *m;
	struct plan_facts facts;
	struct model *old; /* or NULL: no --diff */
	struct plan_facts old_facts;
	size_t n_shown;
	struct text out;
};

/* ---- facts ---- */

static bool is_same_version(const struct model *m, const struct model_version *v)
{
	return model_version_cmp(&m->kubernetes, v->major, v->minor) == 0 &&
	       (m->kubernetes.patch < 0 || m->kubernetes.patch == v->patch);
}

/* What the last build found; nothing when there was none, or it was of another version. */
static int built_facts(const struct invocation *in, const struct model *m, struct plan_facts *ret,
		       struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text json = { 0 };
	struct plan_facts facts = { .kubernetes.patch = -1 };
	int r;

	command_out(in, &path);
	text_add(&path, "/build.json");
	r = fs_read(AT_FDCWD, text_str(&path), FACTS_MAX, &json, why);
	if (r == -ENOENT) {
		*why = (struct fault){ 0 };
		return 0;
	}
	if (r == 0)
		r = plan_facts_parse(text_str(&json), json.len, &facts, why);
	if (r < 0)
		return fault_wrap(why, "%s", text_str(&path));
	if (is_same_version(m, &facts.kubernetes))
		*ret = facts;
	return 0;
}

/* Says what is assumed, since another image may lead to another plan. */
static int find_facts(const struct invocation *in, const struct model *m, struct plan_facts *ret,
		      struct fault *why)
{
	bool knew;
	int r;

	*ret = (struct plan_facts){ .kubernetes.patch = -1 };
	r = built_facts(in, m, ret, why);
	if (r < 0)
		return r;
	knew = ret->kubernetes.major != 0 && ret->containerd_major != 0;
	plan_facts_assume(m, ret);
	if (!knew)
		fprintf(stderr,
			"rackseed: no build of this version is known: assuming Kubernetes "
			"%d.%d.%d, containerd %d.%d, %s\n",
			ret->kubernetes.major, ret->kubernetes.minor, ret->kubernetes.patch,
			ret->containerd_major, ret->containerd_minor, ret->pause);
	return 0;
}

/* ---- plans ---- */

/* netplan's own library is here on the host; the node has only its generator. */
static int lint(const struct plan *plan, const char *node, struct fault *why)
{
	static const char prefix[] = "/etc/netplan/";
	size_t i;
	int r = 0;

	for (i = 0; i < plan->n && r == 0; i++)
		if (plan->actions[i].kind == PLAN_FILE &&
		    strncmp(plan->actions[i].path, prefix, strlen(prefix)) == 0)
			r = netplan_lint(plan->actions[i].content, why);
	return r < 0 ? fault_wrap(why, "node '%s': network", node) : 0;
}

static void show_plan(struct job *job, const char *node, const struct plan *plan)
{
	if (job->in->json) {
		text_add(&job->out, job->n_shown++ ? ", {\"node\": " : "[{\"node\": ");
		quote_json(&job->out, node);
		text_add(&job->out, ", \"actions\": ");
		plan_json(plan, &job->out);
		text_add(&job->out, "}");
		return;
	}
	text_addf(&job->out, "%s==== node %s\n\n", job->n_shown++ ? "\n" : "", node);
	plan_print(plan, &job->out);
}

static void show_diff(struct job *job, const char *node, const struct plan *before,
		      const struct plan *after)
{
	scoped(text_done) struct text diff = { 0 };

	plan_diff(before, after, &diff);
	if (diff.len == 0)
		return;
	if (job->in->json) {
		text_add(&job->out, job->n_shown++ ? ", {\"node\": " : "[{\"node\": ");
		quote_json(&job->out, node);
		text_add(&job->out, ", \"diff\": ");
		quote_json(&job->out, text_str(&diff));
		text_add(&job->out, "}\n");
		return;
	}
	text_addf(&job->out, "%s==== node %s\n\n%s", job->n_shown++ ? "\n" : "", node,
		  text_str(&diff));
}

/* The plan of the node in a model; an empty one when the model has no such node. */
static int plan_of(const struct model *m, const struct plan_facts *facts, const char *name,
		   struct plan *ret, struct fault *why)
{
	const struct model_node *node = model_node(m, name);

	return node ? plan_make(m, node, facts, ret, why) : 0;
}

static int show_node(struct job *job, const char *name, struct fault *why)
{
	scoped(plan_done) struct plan now = { 0 };
	scoped(plan_done) struct plan old = { 0 };
	int r = plan_of(job->m, &job->facts, name, &now, why);

	if (r == 0)
		r = lint(&now, name, why);
	if (r < 0)
		return r;
	if (!job->old) {
		show_plan(job, name, &now);
		return 0;
	}
	r = plan_of(job->old, &job->old_facts, name, &old, why);
	if (r < 0)
		return fault_wrap(why, "%s", command_value(job->in, "diff"));
	show_diff(job, name, &old, &now);
	return 0;
}

static int show_all(struct job *job, struct fault *why)
{
	size_t i;
	int r = 0;

	for (i = 0; i < job->in->n_args && r == 0; i++)
		r = show_node(job, job->in->args[i], why);
	for (i = 0; job->in->n_args == 0 && i < job->m->n_nodes && r == 0; i++)
		r = show_node(job, job->m->nodes[i].name, why);
	/* Nodes that are no more: without --diff there is no old document. */
	for (i = 0; job->in->n_args == 0 && job->old && i < job->old->n_nodes && r == 0; i++)
		if (!model_node(job->m, job->old->nodes[i].name))
			r = show_node(job, job->old->nodes[i].name, why);
	return r;
}

static int load_old(struct job *job, struct model *old, struct fault *why)
{
	struct invocation in = *job->in;
	int r;

	in.file = command_value(job->in, "diff");
	if (!in.file)
		return 0;
	r = command_load(&in, old, NULL, why);
	if (r != 0)
		return r;
	job->old = old;
	return find_facts(job->in, old, &job->old_facts, why);
}

static int write_out(struct job *job, struct fault *why)
{
	if (job->in->json)
		text_add(&job->out, job->n_shown ? "]\n" : "[]\n");
	else if (job->n_shown == 0)
		text_add(&job->out, "no node changes\n");
	if (text_error(&job->out) < 0)
		return fault_errno(why, ENOMEM, "plan");
	fputs(text_str(&job->out), stdout);
	return EXIT_DONE;
}

static int plan(const struct invocation *in, struct fault *why)
{
	scoped(model_done) struct model m = { 0 };
	scoped(model_done) struct model old = { 0 };
	struct job job = { .in = in, .m = &m };
	int r = command_load(in, &m, NULL, why);

	if (r == 0)
		r = command_nodes(in, &m, why);
	if (r == 0)
		r = find_facts(in, &m, &job.facts, why);
	if (r == 0)
		r = load_old(&job, &old, why);
	if (r == 0)
		r = show_all(&job, why);
	if (r == 0)
		r = write_out(&job, why);
	text_done(&job.out);
	return r;
}

const struct command cmd_plan = {
	.name = "plan",
	.synopsis = "[NODE...]",
	.help = "prints exactly what a node will be: files, secrets by name, links and objects",
	.options = options,
	.max_args = COMMAND_MANY,
	.uses_files = true,
	.run = plan,
};
