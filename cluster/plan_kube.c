/* SPDX-License-Identifier: MIT */
#include "cluster/plan_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/kubeadm.h"
#include "registry/registry.h"

/* The steps of Kubernetes nodes: containerd, firewall and cluster. */

#define CERTS_D "/etc/containerd/certs.d/"

/* ---- containerd ---- */

/* A registry's name becomes a folder's. */
static bool is_folder(const char *host)
{
	return host[0] && host[0] != '.' && !strchr(host, '/');
}

static const struct model_registry *find_registry(const struct model *m, const char *host)
{
	size_t i;

	for (i = 0; i < m->n_registries; i++)
		if (strcmp(m->registries[i].host, host) == 0)
			return &m->registries[i];
	return NULL;
}

/* One server of a hosts.toml with the words it points into. */
struct server {
	struct registry_host host;
	struct text name, path, basic;
};

static void server_done(struct server *s)
{
	text_done(&s->name);
	text_done(&s->path);
	text_done(&s->basic);
}

/* Nothing that could end a place early; HTTP itself knows no user with a colon. */
static bool is_credential(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f || *s == ':')
			return false;
	return true;
}

int plan_credentials(const struct model_registry *r, const char *form, struct text *out,
		     struct fault *why)
{
	static const char prefix[] = "secrets/";
	scoped(text_done) struct text whose = { 0 };
	const char *file = r->password_file;

	file = strncmp(file, "./", 2) == 0 ? file + 2 : file;
	if (!is_credential(r->user) || !is_credential(file) ||
	    strncmp(file, prefix, strlen(prefix)) != 0)
		return fault_set(
			why, EINVAL,
			"registry '%s': user and passwordFile must be plain words, and the "
			"file lie in secrets/",
			r->host);
	text_addf(&whose, "%s%s", form, r->user);
	plan_place(text_str(&whose), file + strlen(prefix), out);
	return 0;
}

/* A host as the file describes it, if it does; name is "host[:port][/prefix]". */
static int describe(const struct model *m, const char *name, struct server *s, struct fault *why)
{
	size_t n = strcspn(name, "/");
	const struct model_registry *r;
	int result = 0;

	text_add_n(&s->name, name, n);
	r = find_registry(m, text_str(&s->name));
	s->host.host = text_str(&s->name);
	s->host.insecure = r && r->insecure;
	if (name[n]) {
		text_addf(&s->path, "/v2%s", name + n);
		s->host.path = text_str(&s->path);
	}
	if (r && r->user && r->password_file)
		result = plan_credentials(r, "basic:", &s->basic, why);
	s->host.basic = s->basic.len ? text_str(&s->basic) : NULL;
	return result;
}

static void put_hosts(struct plan_work *w, const char *registry, const struct text *content,
		      bool has_places)
{
	scoped(text_done) struct text path = { 0 };

	text_addf(&path, CERTS_D "%s/hosts.toml", registry);
	plan_put(w->plan, &(struct plan_item){ .step = PLAN_CONTAINERD,
					       .kind = has_places ? PLAN_TEMPLATE : PLAN_FILE,
					       .mode = has_places ? 0600 : 0644,
					       .path = path.data,
					       .content = content->data });
	if (text_error(&path) < 0 || text_error(content) < 0)
		w->plan->error = -ENOMEM;
}

/* All of one registry; servers[0] is itself, the mirrors follow. */
static int registry_file(struct plan_work *w, const struct model_registry *r,
			 struct server *servers, size_t n_mirrors, struct fault *why)
{
	struct registry_host *hosts = calloc(n_mirrors + 1, sizeof(*hosts));
	scoped(text_done) struct text out = { 0 };
	bool is_default = strcmp(r->host, "_default") == 0;
	bool has_places = false;
	int result = hosts ? 0 : fault_errno(why, ENOMEM, "registries");
	size_t i;

	for (i = 0; i <= n_mirrors && result == 0; i++) {
		result = describe(w->m, i == 0 ? r->host : r->mirrors[i - 1], &servers[i], why);
		if (hosts)
			hosts[i] = servers[i].host;
		has_places = has_places || servers[i].host.basic;
	}
	if (result == 0) {
		registry_hosts(is_default ? NULL : &hosts[0], hosts + 1, n_mirrors, &out);
		put_hosts(w, r->host, &out, has_places);
	}
	free(hosts);
	return result;
}

static int registry(struct plan_work *w, const struct model_registry *r, struct fault *why)
{
	struct server *servers;
	size_t n = 0, i;
	int result;

	if (!is_folder(r->host))
		return fault_set(why, EINVAL, "registry '%s' is no name of a host", r->host);
	while (r->mirrors && r->mirrors[n])
		n++;
	servers = calloc(n + 1, sizeof(*servers));
	if (!servers)
		return fault_errno(why, ENOMEM, "registries");
	result = registry_file(w, r, servers, n, why);
	for (i = 0; i <= n; i++)
		server_done(&servers[i]);
	free(servers);
	return result;
}

int plan_containerd(struct plan_work *w, struct fault *why)
{
	const struct registry_containerd containerd = { .major = w->facts.containerd_major,
							.minor = w->facts.containerd_minor,
							.pause = w->facts.pause,
							.cni_bin_dir = "/usr/lib/cni" };
	scoped(text_done) struct text config = { 0 };
	scoped(text_done) struct text crictl = { 0 };
	scoped(text_done) struct text cni = { 0 };
	struct net_cidr pods;
	size_t i;
	int r = 0;

	registry_containerd_config(&containerd, &config);
	plan_put_file(w->plan, PLAN_CONTAINERD, "/etc/containerd/config.toml", &config);
	for (i = 0; i < w->m->n_registries && r == 0; i++)
		r = registry(w, &w->m->registries[i], why);
	text_add(&crictl, "runtime-endpoint: unix:///run/containerd/containerd.sock\n"
			  "image-endpoint: unix:///run/containerd/containerd.sock\n"
			  "timeout: 10\n");
	plan_put_file(w->plan, PLAN_CONTAINERD, "/etc/crictl.yaml", &crictl);
	if (r < 0 || w->m->pod_network != MODEL_PODS_ROUTED)
		return r;
	r = model_pod_cidr(w->m, w->node, &pods);
	if (r < 0)
		return fault_errno(why, r, "no part of podSubnet for this node");
	cni_conflist(&pods, &cni);
	plan_put(w->plan, &(struct plan_item){ .step = PLAN_CONTAINERD,
					       .kind = PLAN_FILE,
					       .mode = 0600,
					       .path = "/etc/cni/net.d/10-rackseed.conflist",
					       .content = cni.data });
	return text_error(&cni) < 0 ? fault_errno(why, text_error(&cni), "CNI") : 0;
}

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
