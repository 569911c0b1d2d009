/* SPDX-License-Identifier: MIT */
#include "cluster/plan_parts.h"

#include "base/macros.h"
#include "base/text.h"
#include "cluster/kubeadm.h"

/* The steps firewall and cluster. */

/* ---- firewall ---- */

int plan_firewall(struct plan_work *w, struct fault *why)
{
	scoped(text_done) struct text out = { 0 };

	(void)why;
	firewall_ruleset(w->m, w->node, &out);
	plan_put_file(w->plan, PLAN_FIREWALL, "/etc/rackseed/firewall.nft", &out);
	return 0;
}

/* ---- cluster ---- */

/* kubeadm takes what lies there as its own, on the first control plane as on the others. */
static void certificates(struct plan *p)
{
	static const struct {
		const char *path, *source;
		mode_t mode;
	} rows[] = {
		{ "/etc/kubernetes/pki/ca.crt", "pki/ca.crt", 0600 },
		{ "/etc/kubernetes/pki/ca.key", "pki/ca.key", 0600 },
		{ "/etc/kubernetes/pki/etcd/ca.crt", "pki/etcd/ca.crt", 0600 },
		{ "/etc/kubernetes/pki/etcd/ca.key", "pki/etcd/ca.key", 0600 },
		{ "/etc/kubernetes/pki/front-proxy-ca.crt", "pki/front-proxy-ca.crt", 0600 },
		{ "/etc/kubernetes/pki/front-proxy-ca.key", "pki/front-proxy-ca.key", 0600 },
		{ "/etc/kubernetes/pki/sa.pub", "pki/sa.pub", 0600 },
		{ "/etc/kubernetes/pki/sa.key", "pki/sa.key", 0600 },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		plan_put(p, &(struct plan_item){ .step = PLAN_CLUSTER,
						 .kind = PLAN_SECRET,
						 .mode = rows[i].mode,
						 .path = rows[i].path,
						 .source = rows[i].source });
}

static void audit_policy(struct plan *p)
{
	plan_put(p, &(struct plan_item){ .step = PLAN_CLUSTER,
					 .kind = PLAN_FILE,
					 .mode = 0600,
					 .path = KUBEADM_AUDIT_PATH,
					 .content = kubeadm_audit_policy });
}

static void put_template(struct plan *p, const char *path, const struct text *content)
{
	if (text_error(content) < 0)
		p->error = text_error(content);
	plan_put(p, &(struct plan_item){ .step = PLAN_CLUSTER,
					 .kind = PLAN_TEMPLATE,
					 .mode = 0600,
					 .path = path,
					 .content = content->data });
}

/* Kubelet's own certificate would be signed by itself, and the API server could not tell it. */
static void kubelet_certificate(struct plan_work *w)
{
	static const struct {
		const char *path, *extension;
	} halves[] = { { KUBEADM_KUBELET_CRT, "crt" }, { KUBEADM_KUBELET_KEY, "key" } };
	size_t i;

	for (i = 0; i < COUNT(halves); i++) {
		scoped(text_done) struct text source = { 0 };

		text_addf(&source, "pki/status/%s.%s", w->node->name, halves[i].extension);
		if (text_error(&source) < 0)
			w->plan->error = text_error(&source);
		plan_put(w->plan, &(struct plan_item){ .step = PLAN_CLUSTER,
						       .kind = PLAN_SECRET,
						       .mode = 0600,
						       .path = halves[i].path,
						       .source = source.data });
	}
}

int plan_cluster(struct plan_work *w, struct fault *why)
{
	bool inits =
		w->node == model_first(w->m, MODEL_CONTROL_PLANE) && !w->facts.control_plane_ready;
	scoped(text_done) struct text discovery = { 0 };
	scoped(text_done) struct text document = { 0 };
	scoped(text_done) struct text token = { 0 };
	scoped(text_done) struct text ca = { 0 };

	(void)why;
	plan_place("word", "token", &token);
	plan_place("base64", "pki/ca.crt", &ca);
	text_inherit(&document, &token);
	text_inherit(&discovery, &ca);
	kubelet_certificate(w);
	if (w->node->roles & MODEL_CONTROL_PLANE) {
		certificates(w->plan);
		audit_policy(w->plan);
	}
	if (inits) {
		kubeadm_init_document(w->m, w->node, &w->facts.kubernetes, text_str(&token),
				      &document);
	} else {
		kubeadm_discovery(w->m, text_str(&ca), &discovery);
		put_template(w->plan, KUBEADM_DISCOVERY_PATH, &discovery);
		kubeadm_join_document(w->m, w->node, &w->facts.kubernetes, text_str(&token),
				      &document);
	}
	put_template(w->plan, "/etc/rackseed/kubeadm.yaml", &document);
	return 0;
}
