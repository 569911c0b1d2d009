/* SPDX-License-Identifier: MIT */
#include "cluster/plan_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/gpu.h"
#include "cluster/plan_registry.h"
#include "registry/registry.h"

/* The step containerd: its configuration, and where each registry's images come from. */

/* A registry's name becomes a folder's. */
static bool is_folder(const char *host)
{
	return host[0] && host[0] != '.' && !strchr(host, '/');
}

/* One server of a hosts.toml with the words it points into. */
struct server {
	struct registry_host host;
	struct text name, path, ca, basic, client_cert, client_key;
};

static void server_done(struct server *s)
{
	text_done(&s->name);
	text_done(&s->path);
	text_done(&s->ca);
	text_done(&s->basic);
	text_done(&s->client_cert);
	text_done(&s->client_key);
}

/* Where the CA certificate of a registry lies on a node; nothing when the system's count. */
static void ca_path(const struct model_registry *r, struct text *out)
{
	if (model_serves_tls(r))
		text_add(out, PLAN_REGISTRY_CA);
	else if (r->ca_file && !r->insecure)
		text_addf(out, PLAN_CERTS_D "%s/ca.crt", r->host);
}

/* Whether it is shown a certificate. */
static bool has_client(const struct model_registry *r)
{
	return r->client_cert_file && r->client_key_file && !r->insecure;
}

static int server_error(const struct server *s, struct fault *why)
{
	const struct text *const texts[] = { &s->name,	&s->path,	 &s->ca,
					     &s->basic, &s->client_cert, &s->client_key };
	size_t i;

	for (i = 0; i < COUNT(texts); i++)
		if (text_error(texts[i]) < 0)
			return fault_errno(why, ENOMEM, "registries");
	return 0;
}

/* A host as the file describes it, if it does; name is "host[:port][/prefix]". */
static int describe(const struct model *m, const char *name, struct server *s, struct fault *why)
{
	size_t n = strcspn(name, "/");
	const struct model_registry *r;
	int result = 0;

	text_add_n(&s->name, name, n);
	r = model_registry(m, text_str(&s->name));
	s->host.host = text_str(&s->name);
	s->host.insecure = r && r->insecure;
	if (name[n]) {
		text_addf(&s->path, "/v2%s", name + n);
		s->host.path = text_str(&s->path);
	}
	if (r)
		ca_path(r, &s->ca);
	s->host.ca = s->ca.len ? text_str(&s->ca) : NULL;
	if (r && has_client(r)) {
		text_addf(&s->client_cert, PLAN_CERTS_D "%s/client.cert", r->host);
		text_addf(&s->client_key, PLAN_CERTS_D "%s/client.key", r->host);
		s->host.client_cert = text_str(&s->client_cert);
		s->host.client_key = text_str(&s->client_key);
	}
	if (r && r->user && r->password_file)
		result = plan_credentials(r, "basic:", &s->basic, why);
	s->host.basic = s->basic.len ? text_str(&s->basic) : NULL;
	return result < 0 ? result : server_error(s, why);
}

static void put_hosts(struct plan_work *w, const char *registry, const struct text *content,
		      bool has_places)
{
	scoped(text_done) struct text path = { 0 };

	text_addf(&path, PLAN_CERTS_D "%s/hosts.toml", registry);
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

/* The files that its hosts.toml, and those of which it is a mirror, name. */
static int registry_files(struct plan_work *w, const struct model_registry *r, struct fault *why)
{
	const struct {
		const char *file, *name;
		mode_t mode;
		bool wanted;
	} rows[] = {
		{ r->ca_file, "ca.crt", 0644, r->ca_file && !r->insecure && !r->node },
		{ r->client_cert_file, "client.cert", 0644, has_client(r) },
		{ r->client_key_file, "client.key", 0600, has_client(r) },
	};
	const char *source;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		scoped(text_done) struct text path = { 0 };

		if (!rows[i].wanted)
			continue;
		if (plan_secret_source(rows[i].file, &source, why) < 0)
			return fault_wrap(why, "registry '%s'", r->host);
		text_addf(&path, PLAN_CERTS_D "%s/%s", r->host, rows[i].name);
		if (text_error(&path) < 0)
			return fault_errno(why, ENOMEM, "registries");
		plan_put(w->plan, &(struct plan_item){ .step = PLAN_CONTAINERD,
						       .kind = PLAN_SECRET,
						       .mode = rows[i].mode,
						       .path = text_str(&path),
						       .source = source });
	}
	return 0;
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
	if (result == 0)
		result = registry_files(w, r, why);
	for (i = 0; i <= n; i++)
		server_done(&servers[i]);
	free(servers);
	return result;
}

static int registries(struct plan_work *w, struct fault *why)
{
	size_t i;
	int r = 0;

	plan_put_registry_ca(w, PLAN_CONTAINERD);
	for (i = 0; i < w->m->n_registries && r == 0; i++)
		r = registry(w, &w->m->registries[i], why);
	return r;
}

/* config.toml with the credentials of all registries that have some. */
static int config(struct plan_work *w, struct fault *why)
{
	struct plan_auths auths = { 0 };
	struct registry_containerd containerd = { .major = w->facts.containerd_major,
						  .minor = w->facts.containerd_minor,
						  .pause = w->facts.pause,
						  .cni_bin_dir = "/usr/lib/cni" };
	const struct gpu_vendor *vendor = gpu_vendor_of(w->node);
	const struct registry_runtime runtime = {
		.name = vendor ? vendor->runtime : NULL,
		.binary = vendor ? vendor->runtime_binary : NULL,
	};
	scoped(text_done) struct text out = { 0 };
	int r = plan_auths_collect(w->m, &auths, why);
	bool has_places = auths.n > 0;

	if (r == 0) {
		containerd.runtime = runtime.name ? &runtime : NULL;
		containerd.auths = auths.list;
		containerd.n_auths = auths.n;
		registry_containerd_config(&containerd, &out);
		plan_put(w->plan,
			 &(struct plan_item){ .step = PLAN_CONTAINERD,
					      .kind = has_places ? PLAN_TEMPLATE : PLAN_FILE,
					      .mode = has_places ? 0600 : 0644,
					      .path = "/etc/containerd/config.toml",
					      .content = text_str(&out) });
		if (text_error(&out) < 0)
			w->plan->error = -ENOMEM;
	}
	plan_auths_done(&auths);
	return r;
}

int plan_containerd(struct plan_work *w, struct fault *why)
{
	scoped(text_done) struct text crictl = { 0 };
	scoped(text_done) struct text cni = { 0 };
	struct net_cidr pods;
	int r = config(w, why);

	if (r == 0)
		r = registries(w, why);
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
