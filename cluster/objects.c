/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/gpu.h"
#include "cluster/plan_parts.h"

/* "key":"value" of a mapping that has more or not. */
static void pair(const char *key, const char *value, bool *more, struct text *out)
{
	text_add(out, *more ? "," : "");
	quote_json(out, key);
	text_add(out, ":");
	quote_json(out, value);
	*more = true;
}

static void begin(const char *version, const char *kind, const char *name, const char *namespace,
		  struct text *out)
{
	bool more = false;

	text_add(out, "{");
	pair("apiVersion", version, &more, out);
	pair("kind", kind, &more, out);
	text_add(out, ",\"metadata\":{");
	more = false;
	pair("name", name, &more, out);
	if (namespace)
		pair("namespace", namespace, &more, out);
}

/* The same for an object that is ours as a whole. */
static void begin_made(const char *version, const char *kind, const char *name,
		       const char *namespace, struct text *out)
{
	begin(version, kind, name, namespace, out);
	text_add(out, ",\"labels\":{\"" PLAN_MADE_LABEL "\":\"" PLAN_MANAGER "\"}}");
}

static void labels(const struct model_node *node, struct text *out)
{
	bool more = false;
	size_t i;

	text_add(out, ",\"labels\":{");
	if (node->roles & MODEL_WORKER)
		pair("node-role.kubernetes.io/worker", "", &more, out);
	for (i = 0; i < node->n_labels; i++)
		pair(node->labels[i].key, node->labels[i].value, &more, out);
	text_add(out, "}");
}

static void taints_note(const struct model_node *node, struct text *out)
{
	scoped(text_done) struct text note = { 0 };
	bool more = false;
	size_t i;

	for (i = 0; i < node->n_taints; i++)
		text_addf(&note, "%s%s:%s", i ? "," : "", node->taints[i].key,
			  node->taints[i].effect);
	if (gpu_vendor_of(node))
		text_addf(&note, "%s" GPU_TAINT ":" GPU_TAINT_EFFECT, note.len ? "," : "");
	if (text_error(&note) < 0)
		out->error = text_error(&note);
	if (note.len == 0)
		return;
	text_add(out, ",\"annotations\":{");
	pair(PLAN_TAINTS_NOTE, text_str(&note), &more, out);
	text_add(out, "}");
}

static void taints(const struct model_node *node, struct text *out)
{
	size_t i;

	text_add(out, ",\"spec\":{\"taints\":[");
	for (i = 0; i < node->n_taints; i++) {
		bool more = false;

		text_add(out, i ? ",{" : "{");
		pair("key", node->taints[i].key, &more, out);
		if (node->taints[i].value && node->taints[i].value[0])
			pair("value", node->taints[i].value, &more, out);
		pair("effect", node->taints[i].effect, &more, out);
		text_add(out, "}");
	}
	/* Last, here and in the note: the control plane leaves it out where they are tested. */
	if (gpu_vendor_of(node))
		text_addf(out,
			  "%s{\"key\":\"" GPU_TAINT "\",\"effect\":\"" GPU_TAINT_EFFECT "\"}",
			  i ? "," : "");
	text_add(out, "]}");
}

void objects_node(const struct model_node *node, struct text *out)
{
	begin("v1", "Node", node->name, NULL, out);
	labels(node, out);
	taints_note(node, out);
	text_add(out, "}");
	taints(node, out);
	text_add(out, "}\n");
}

void objects_own(const struct model *m, const struct model_node *node, struct text *out)
{
	const struct gpu_vendor *vendor = gpu_vendor_of(node);
	bool more = false;
	size_t i;

	begin("v1", "Node", node->name, NULL, out);
	text_add(out, ",\"labels\":{");
	for (i = 0; i < m->n_shares; i++) {
		if (m->shares[i].volume_bytes == 0)
			continue;
		text_addf(out, "%s\"" PLAN_SHARE_LABEL "%s\":\"mounted\"", more ? "," : "",
			  m->shares[i].name);
		more = true;
	}
	if (vendor)
		pair(GPU_LABEL "vendor", vendor->name, &more, out);
	text_add(out, "}}}\n");
}

/* place becomes base64, which needs no quoting, and so must not be quoted now. */
void objects_pull_secret(const char *name, const char *namespace, const char *place,
			 struct text *out)
{
	begin_made("v1", "Secret", name, namespace, out);
	text_addf(out,
		  ",\"type\":\"kubernetes.io/dockerconfigjson\","
		  "\"data\":{\".dockerconfigjson\":\"%s\"}}\n",
		  place);
}

void objects_account(const char *namespace, const char *const *secrets, struct text *out)
{
	scoped(text_done) struct text note = { 0 };
	bool more = false;
	size_t i;

	for (i = 0; secrets[i]; i++)
		text_addf(&note, "%s%s", i ? "," : "", secrets[i]);
	begin("v1", "ServiceAccount", "default", namespace, out);
	text_add(out, ",\"labels\":{\"" PLAN_PULL_LABEL "\":\"attached\"},\"annotations\":{");
	pair(PLAN_PULL_NOTE, text_str(&note), &more, out);
	text_add(out, "}},\"imagePullSecrets\":[");
	for (i = 0; secrets[i]; i++) {
		text_add(out, i ? ",{" : "{");
		more = false;
		pair("name", secrets[i], &more, out);
		text_add(out, "}");
	}
	text_add(out, "]}\n");
	if (text_error(&note) < 0)
		out->error = text_error(&note);
}

/* As the API server writes it, or every look would find a difference. */
static void size(uint64_t bytes, struct text *out)
{
	static const char *const binary[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
	static const char *const decimal[] = { "", "k", "M", "G", "T", "P", "E" };
	unsigned base = bytes % 1024 == 0 ? 1024 : 1000;
	size_t i = 0;

	for (; bytes && bytes % base == 0; i++) /* 2^64 is 16 Ei */
		bytes /= base;
	text_addf(out, "\"%" PRIu64 "%s\"", bytes, base == 1024 ? binary[i] : decimal[i]);
}

/* Nobody provisions: what there is are the shares of the file. */
void objects_class(const struct model_share *share, struct text *out)
{
	begin_made("storage.k8s.io/v1", "StorageClass", share->name, NULL, out);
	text_add(out, ",\"provisioner\":\"kubernetes.io/no-provisioner\","
		      "\"volumeBindingMode\":\"Immediate\"}\n");
}

static void spec(const struct model_share *share, struct text *out)
{
	bool more = true;

	text_add(out, ",\"spec\":{\"accessModes\":[\"ReadWriteMany\"]");
	pair("storageClassName", share->name, &more, out);
}

/*
 * A bare mount point is a folder, too, and a pod would write onto the node's own disk. So the
 * volume wants the label that a node bears while it has the share, at which the scheduler looks,
 * and a path that is there only then, for the pods that a power cut found on the node. Retain: the
 * files belong to the share, not to whoever claimed it.
 */
void objects_volume(const struct model_share *share, struct text *out)
{
	scoped(text_done) struct text path = { 0 };

	text_addf(&path, PLAN_MOUNTED_D "%s", share->name);
	if (text_error(&path) < 0)
		out->error = text_error(&path);
	begin_made("v1", "PersistentVolume", share->name, NULL, out);
	spec(share, out);
	text_add(out, ",\"capacity\":{\"storage\":");
	size(share->volume_bytes, out);
	text_add(out, "},\"persistentVolumeReclaimPolicy\":\"Retain\",\"hostPath\":{\"path\":");
	quote_json(out, text_str(&path));
	text_add(out, ",\"type\":\"Directory\"},\"nodeAffinity\":{\"required\":"
		      "{\"nodeSelectorTerms\":[{\"matchExpressions\":[{\"key\":");
	text_addf(out, "\"" PLAN_SHARE_LABEL "%s\"", share->name);
	text_add(out, ",\"operator\":\"In\",\"values\":[\"mounted\"]}]}]}}}}\n");
}

void objects_claim(const struct model_share *share, struct text *out)
{
	const char *slash = strchr(share->claim, '/');
	scoped(text_done) struct text namespace = { 0 };
	bool more = true;

	text_add_n(&namespace, share->claim, (size_t)(slash - share->claim));
	if (text_error(&namespace) < 0)
		out->error = text_error(&namespace);
	begin_made("v1", "PersistentVolumeClaim", slash + 1, text_str(&namespace), out);
	spec(share, out);
	pair("volumeName", share->name, &more, out);
	text_add(out, ",\"resources\":{\"requests\":{\"storage\":");
	size(share->volume_bytes, out);
	text_add(out, "}}}}\n");
}
