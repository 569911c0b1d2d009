/* SPDX-License-Identifier: MIT */
#include "firstboot/node.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "firstboot/apply.h"
#include "firstboot/seeddisk.h"

enum { IMAGE_JSON_MAX = 64 << 10 };

static int read_seed(struct node *node, struct fault *why)
{
	scoped(drop_fd) int fd = -1;
	int r;

	seed_done(&node->seed);
	if (!node->seed_dir) {
		r = seeddisk_read(node->root, &node->seed, why);
	} else {
		fd = open(node->seed_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return fault_errno(why, errno, "%s", node->seed_dir);
		r = seed_read(fd, &node->seed, why);
	}
	if (r < 0)
		return r;
	r = seed_verify(&node->seed, why);
	return r < 0 ? fault_wrap(why, "the seed is damaged") : 0;
}

/* The first error of the document; the whole list was shown when the disk was built. */
static int first_error(const struct complaints *c, struct fault *why)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->list[i].severity == COMPLAINT_ERROR)
			return fault_set(why, EINVAL, "cluster.yaml:%u:%u: %s",
					 c->list[i].mark.line, c->list[i].mark.column,
					 c->list[i].message);
	return fault_set(why, EINVAL, "cluster.yaml has errors");
}

static int read_document(struct node *node, struct fault *why)
{
	const struct seed_file *file = seed_find(&node->seed, "cluster.yaml");
	scoped(complaints_done) struct complaints complaints = { 0 };
	int r;

	if (!file)
		return fault_set(why, ENOENT, "the seed holds no cluster.yaml");
	model_done(&node->model);
	r = document_parse("cluster.yaml", file->data, file->len, &node->model, &complaints, why);
	if (r < 0)
		return r;
	document_check(&node->model, &complaints);
	if (complaints.n_errors)
		return first_error(&complaints, why);
	return 0;
}

/* A static token stands in the document only; what fills templates looks for it in the seed. */
static int add_static_token(struct node *node, struct fault *why)
{
	const char *token = node->model.token;

	if (!token || seed_find(&node->seed, "secrets/token"))
		return 0;
	return seed_add(&node->seed, "secrets/token", token, strlen(token), why);
}

static int find_self(struct node *node, struct fault *why)
{
	const struct seed_file *file = seed_find(&node->seed, "node");
	scoped(text_done) struct text name = { 0 };

	if (!file)
		return fault_set(why, ENOENT, "the seed holds no file 'node'");
	text_add_n(&name, file->data, file->len);
	while (name.len > 0 && isspace((unsigned char)name.data[name.len - 1]))
		name.data[--name.len] = '\0';
	node->self = model_node(&node->model, text_str(&name));
	if (!node->self)
		return fault_set(why, ENOENT, "cluster.yaml has no node '%s'", text_str(&name));
	if (node->named)
		node->named(node->data, node->self->name);
	return 0;
}

int node_image_facts(int root, struct plan_facts *ret, struct fault *why)
{
	scoped(text_done) struct text bytes = { 0 };
	int r = fs_read(root, NODE_IMAGE_PATH, IMAGE_JSON_MAX, &bytes, why);

	*ret = (struct plan_facts){ .kubernetes.patch = -1 };
	if (r == -ENOENT)
		return 0;
	if (r >= 0)
		r = plan_facts_parse(text_str(&bytes), bytes.len, ret, why);
	return r < 0 ? fault_wrap(why, NODE_IMAGE_PATH) : 0;
}

static int make_plan(struct node *node, bool joins, struct fault *why)
{
	node->facts.control_plane_ready = joins;
	plan_done(&node->plan);
	return plan_make(&node->model, node->self, &node->facts, &node->plan, why);
}

/* The first control plane of the file begins the cluster, unless it once had to join. */
static int plan_node(struct node *node, struct fault *why)
{
	bool first = node->self == model_first(&node->model, MODEL_CONTROL_PLANE);
	int r = node_image_facts(node->root, &node->facts, why);

	if (r < 0)
		return r;
	plan_facts_assume(&node->model, &node->facts);
	return make_plan(node, !first || node->state.join_started, why);
}

int node_replan(struct node *node, bool joins, struct fault *why)
{
	return node->facts.control_plane_ready == joins ? 0 : make_plan(node, joins, why);
}

static int load_state(struct node *node, struct fault *why)
{
	int r = state_load(node->root, &node->state, why);

	return r < 0 ? r : 0;
}

int node_load(struct node *node, struct fault *why)
{
	static int (*const parts[])(struct node *, struct fault *) = {
		read_seed, read_document, add_static_token, find_self, load_state, plan_node,
	};
	size_t i;
	int r;

	for (i = 0; !node->loaded && i < COUNT(parts); i++) {
		r = parts[i](node, why);
		if (r < 0)
			return r;
	}
	node->loaded = true;
	return 0;
}

void node_done(struct node *node)
{
	plan_done(&node->plan);
	model_done(&node->model);
	seed_done(&node->seed);
	text_done(&node->admin_crt);
	text_wipe(&node->admin_key);
	free(node->gpu_memory);
	node->gpu_memory = NULL;
	free(node->shares);
	node->shares = NULL;
	node->self = NULL;
	node->loaded = false;
}

const char *node_secret(const struct node *node, const char *path)
{
	scoped(text_done) struct text full = { 0 };
	const struct seed_file *file;

	text_addf(&full, "secrets/%s", path);
	if (text_error(&full) < 0)
		return NULL;
	file = seed_find(&node->seed, text_str(&full));
	/* seed_add keeps a NUL behind the bytes; one within would end the PEM early and be refused.
	 */
	return file ? file->data : NULL;
}

int node_token(const struct node *node, struct text *out, struct fault *why)
{
	const char *token = node_secret(node, "token");

	if (!token)
		return fault_set(why, ENOENT, "the seed holds no bootstrap token");
	text_add_n(out, token, strcspn(token, "\r\n"));
	return text_error(out) < 0 ? fault_errno(why, text_error(out), "token") : 0;
}

int node_apply(struct node *node, enum plan_step step, struct fault *why)
{
	return apply_step(node->root, &node->plan, step, &node->seed, why);
}
