/* SPDX-License-Identifier: MIT */
#include "cluster/plan_registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/plan_parts.h"
#include "registry/server.h"

/* ---- what clients and servers share ---- */

/* Nothing that could end a place early; HTTP itself knows no user with a colon. */
static bool is_credential(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f || *s == ':')
			return false;
	return true;
}

int plan_secret_source(const char *file, const char **ret_source, struct fault *why)
{
	static const char prefix[] = "secrets/";

	file = strncmp(file, "./", 2) == 0 ? file + 2 : file;
	*ret_source = file;
	if (!is_credential(file) || strncmp(file, prefix, strlen(prefix)) != 0)
		return fault_set(why, EINVAL, "'%s' must be a plain word and lie in secrets/",
				 file);
	*ret_source = file + strlen(prefix);
	return 0;
}

int plan_credentials(const struct model_registry *r, const char *form, struct text *out,
		     struct fault *why)
{
	scoped(text_done) struct text whose = { 0 };
	const char *source;

	if (!is_credential(r->user) || plan_secret_source(r->password_file, &source, why) < 0)
		return fault_set(why, EINVAL,
				 "registry '%s': user and passwordFile must be plain words, and "
				 "the file lie in secrets/",
				 r->host);
	text_addf(&whose, "%s%s", form, r->user);
	text_inherit(out, &whose);
	plan_place(text_str(&whose), source, out);
	return 0;
}

int plan_auths_collect(const struct model *m, struct plan_auths *ret, struct fault *why)
{
	size_t i;
	int r;

	ret->list = calloc(m->n_registries + 1, sizeof(*ret->list));
	ret->words = calloc(m->n_registries + 1, sizeof(*ret->words));
	if (!ret->list || !ret->words)
		return fault_errno(why, ENOMEM, "registries");
	for (i = 0; i < m->n_registries; i++) {
		const struct model_registry *g = &m->registries[i];
		struct text *words = &ret->words[ret->n];

		if (!g->user || !g->password_file)
			continue;
		r = plan_credentials(g, "basic:", words, why);
		if (r == 0 && text_error(words) < 0)
			r = fault_errno(why, ENOMEM, "registries");
		ret->list[ret->n++] =
			(struct registry_auth){ .host = g->host, .basic = text_str(words) };
		if (r < 0)
			return r;
	}
	return 0;
}

void plan_auths_done(struct plan_auths *auths)
{
	size_t i;

	for (i = 0; i < auths->n; i++)
		text_done(&auths->words[i]);
	free(auths->words);
	free(auths->list);
}

void plan_put_registry_ca(struct plan_work *w, enum plan_step step)
{
	size_t i;

	for (i = 0; i < w->m->n_registries; i++)
		if (model_serves_tls(&w->m->registries[i]))
			break;
	if (i < w->m->n_registries)
		plan_put(w->plan, &(struct plan_item){ .step = step,
						       .kind = PLAN_SECRET,
						       .mode = 0644,
						       .path = PLAN_REGISTRY_CA,
						       .source = "pki/registry/ca.crt" });
}

/* ---- the server ---- */

/* What one instance is made of: texts that the config's struct points into. */
struct instance {
	struct text folder, upstream, password;
};

static void instance_done(struct instance *i)
{
	text_done(&i->folder);
	text_done(&i->upstream);
	text_done(&i->password);
}

static int upstream(const struct plan_work *w, const struct model_registry *r, struct instance *i,
		    struct registry_server *server, struct fault *why)
{
	const struct model_registry *up = model_registry(w->m, r->upstream);
	const char *source;

	text_addf(&i->upstream, "%s://%s", up && up->insecure ? "http" : "https",
		  registry_real_host(r->upstream));
	server->upstream = text_str(&i->upstream);
	if (up && up->ca_file && !up->insecure) {
		scoped(text_done) struct text path = { 0 };

		if (plan_secret_source(up->ca_file, &source, why) < 0)
			return fault_wrap(why, "registry '%s': caFile", up->host);
		text_addf(&path, PLAN_REGISTRY_TRUST "%u.crt", server->port);
		text_inherit(&i->upstream, &path);
		plan_put(w->plan, &(struct plan_item){ .step = PLAN_REGISTRY,
						       .kind = PLAN_SECRET,
						       .mode = 0644,
						       .path = text_str(&path),
						       .source = source });
	}
	if (!up || !up->user || !up->password_file)
		return 0;
	if (plan_secret_source(up->password_file, &source, why) < 0)
		return fault_wrap(why, "registry '%s': passwordFile", up->host);
	plan_place("yaml", source, &i->password);
	server->upstream_user = up->user;
	server->upstream_password = text_str(&i->password);
	return 0;
}

static void put(struct plan_work *w, enum plan_kind kind, mode_t mode, const struct text *path,
		const struct text *content)
{
	if (text_error(path) < 0 || text_error(content) < 0)
		w->plan->error = -ENOMEM;
	plan_put(w->plan, &(struct plan_item){ .step = PLAN_REGISTRY,
					       .kind = kind,
					       .mode = mode,
					       .path = text_str(path),
					       .content = text_str(content) });
}

static int users(struct plan_work *w, const struct model_registry *r, unsigned port,
		 struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text content = { 0 };
	const char *source;

	if (!is_credential(r->user))
		return fault_set(why, EINVAL, "user must be a plain word");
	if (plan_secret_source(r->password_file, &source, why) < 0)
		return fault_wrap(why, "passwordFile");
	text_addf(&path, PLAN_REGISTRY_DIR "%u.htpasswd", port);
	text_addf(&content, "%s:%s\n", r->user, source);
	put(w, PLAN_HTPASSWD, 0600, &path, &content);
	return 0;
}

/* systemd starts it at every boot by this link, whether rackseed-firstboot runs or not. */
static void wanted(struct plan_work *w, const char *target, const char *unit, unsigned port,
		   const char *kind)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text template = { 0 };

	text_addf(&path, "/etc/systemd/system/%s.wants/%s@%u.%s", target, unit, port, kind);
	text_addf(&template, "/usr/lib/systemd/system/%s@.%s", unit, kind);
	put(w, PLAN_LINK, 0, &path, &template);
}

static int instance(struct plan_work *w, const struct model_registry *r, struct fault *why)
{
	scoped(instance_done) struct instance i = { 0 };
	struct registry_server server = { .port = model_registry_port(r),
					  .tls = !r->insecure,
					  .login = r->user && r->password_file };
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text content = { 0 };
	int result = r->upstream ? upstream(w, r, &i, &server, why) : 0;

	if (result == 0 && server.login)
		result = users(w, r, server.port, why);
	if (result < 0)
		return fault_wrap(why, "registry '%s'", r->host);
	text_addf(&i.folder, PLAN_REGISTRY_DATA "/%u", server.port);
	text_inherit(&content, &i.folder);
	text_inherit(&content, &i.upstream);
	text_inherit(&content, &i.password);
	server.folder = text_str(&i.folder);
	registry_server_config(&server, &content);
	text_addf(&path, PLAN_REGISTRY_DIR "%u.yml", server.port);
	put(w, server.upstream_user ? PLAN_TEMPLATE : PLAN_FILE, server.upstream_user ? 0600 : 0644,
	    &path, &content);
	wanted(w, "multi-user.target", "rackseed-registry", server.port, "service");
	/* A cache forgets by itself what nobody asks for. */
	if (!r->upstream)
		wanted(w, "timers.target", "rackseed-registry-gc", server.port, "timer");
	return 0;
}

static void certificate(struct plan_work *w)
{
	static const struct {
		const char *path, *extension;
		mode_t mode;
	} rows[] = { { PLAN_REGISTRY_DIR "tls.crt", "crt", 0644 },
		     { PLAN_REGISTRY_DIR "tls.key", "key", 0600 } };
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		scoped(text_done) struct text source = { 0 };

		text_addf(&source, "pki/registry/%s.%s", w->node->name, rows[i].extension);
		plan_put(w->plan, &(struct plan_item){ .step = PLAN_REGISTRY,
						       .kind = PLAN_SECRET,
						       .mode = rows[i].mode,
						       .path = rows[i].path,
						       .source = text_str(&source) });
		if (text_error(&source) < 0)
			w->plan->error = -ENOMEM;
	}
}

int plan_registry(struct plan_work *w, struct fault *why)
{
	bool has_certificate = false;
	size_t i;
	int result = 0;

	for (i = 0; i < w->m->n_registries && result == 0; i++) {
		const struct model_registry *r = &w->m->registries[i];

		if (!r->node || strcmp(r->node, w->node->name) != 0)
			continue;
		if (!r->insecure && !has_certificate) {
			/* A member has it from the step containerd. */
			if (!model_is_kubernetes(w->node))
				plan_put_registry_ca(w, PLAN_REGISTRY);
			certificate(w);
			has_certificate = true;
		}
		result = instance(w, r, why);
	}
	return result;
}
