/* SPDX-License-Identifier: MIT */
#include "image/lint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/complaint.h"
#include "cluster/model.h"
#include "netplan/netplan.h"

#define HINT "so says libnetplan of this machine; that of a newer node may know more"

struct lint {
	const struct text *source;
	struct complaints *c;
	enum complaint_severity severity;
	struct yaml document; /* read again when there is something to point at */
};

/* ---- where it stands in the file ---- */

static bool is_beyond(const struct yaml *y, unsigned line, unsigned column)
{
	return y->line != line ? y->line > line : y->column > column;
}

/* Two trees of the same values: *ret is the one of b whose place in a is the last before the flaw.
 */
static void seek(const struct yaml *a, const struct yaml *b, const struct netplan_flaw *flaw,
		 const struct yaml **ret)
{
	size_t i;

	if (is_beyond(a, flaw->line, flaw->column) || a->n_items != b->n_items)
		return;
	*ret = b;
	for (i = 0; i < a->n_items; i++)
		seek(&a->items[i], &b->items[i], flaw, ret);
}

static const struct yaml *find_network(struct lint *l, const struct model_node *node)
{
	struct yaml_error error;
	const struct yaml *nodes, *own;
	size_t i;

	if (!l->document.n_items &&
	    yaml_parse(text_str(l->source), l->source->len, &l->document, &error) < 0)
		return NULL;
	nodes = yaml_get(&l->document, "nodes");
	for (i = 0; nodes && i + 1 < nodes->n_items; i += 2) {
		own = yaml_get(&nodes->items[i + 1], "network");
		if (own && own->line == node->network_mark.line &&
		    own->column == node->network_mark.column)
			return own;
	}
	return NULL;
}

/* The flaw's place in the text that was judged, as one of the file. */
static struct model_mark find_mark(struct lint *l, const struct model_node *node,
				   const struct text *judged, const struct netplan_flaw *flaw)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error;
	const struct yaml *own = flaw->line ? find_network(l, node) : NULL;
	const struct yaml *at = NULL;

	if (own && yaml_parse(text_str(judged), judged->len, &tree, &error) == 0 &&
	    yaml_get(&tree, "network"))
		seek(yaml_get(&tree, "network"), own, flaw, &at);
	return at ? (struct model_mark){ .line = at->line, .column = at->column }
		  : node->network_mark;
}

/* ---- each node ---- */

/* The parser knows the worst mistakes itself, in better words: none is told twice. */
static bool is_told(const struct complaints *c, const struct model_node *node)
{
	static const char *const codes[] = { "network-own", "key-unknown", "key-twice", "type",
					     "value-missing" };
	size_t i, k;

	for (i = 0; i < c->n; i++)
		for (k = 0; k < COUNT(codes); k++)
			if (c->list[i].node && c->list[i].mark.line >= node->network_mark.line &&
			    strcmp(c->list[i].node, node->name) == 0 &&
			    strcmp(c->list[i].code, codes[k]) == 0)
				return true;
	return false;
}

/* The text has each value on one line, so that it may be moved in line by line. */
static void wrap(const char *own, struct text *out)
{
	text_add(out, "network:\n");
	while (*own) {
		size_t n = strcspn(own, "\n");

		text_add(out, "  ");
		text_add_n(out, own, n);
		text_add(out, "\n");
		own += n + (own[n] == '\n');
	}
}

static int lint_node(struct lint *l, const struct model_node *node, struct fault *why)
{
	scoped(text_done) struct text yaml = { 0 };
	struct netplan_flaw flaw;
	int r;

	wrap(node->network, &yaml);
	if (text_error(&yaml) < 0)
		return fault_errno(why, text_error(&yaml), "network");
	r = netplan_judge(text_str(&yaml), &flaw, why);
	if (r <= 0)
		return r;
	complaint_add(l->c, l->severity, find_mark(l, node, &yaml, &flaw), "network-own",
		      node->name, HINT, "netplan: %s", flaw.reason);
	return 0;
}

/* The library writes its own remarks to stderr, which is for complaints with a place. */
static int mute(void)
{
	scoped(drop_fd) int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (saved >= 0 && null >= 0)
		dup2(null, STDERR_FILENO);
	return saved;
}

static void unmute(int saved)
{
	if (saved < 0)
		return;
	dup2(saved, STDERR_FILENO);
	close(saved);
}

int lint_networks(const struct model *m, const struct text *source, bool makes,
		  struct complaints *c, struct fault *why)
{
	struct lint l = { .source = source,
			  .c = c,
			  .severity = makes ? COMPLAINT_ERROR : COMPLAINT_WARNING };
	int saved = mute();
	size_t i;
	int r = 0;

	for (i = 0; i < m->n_nodes && r == 0 && !c->truncated; i++)
		if (m->nodes[i].network && !is_told(c, &m->nodes[i]))
			r = lint_node(&l, &m->nodes[i], why);
	unmute(saved);
	yaml_done(&l.document);
	return r;
}
