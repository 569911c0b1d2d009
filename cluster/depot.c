/* SPDX-License-Identifier: MIT */
#include "cluster/depot.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "cluster/depot_page.h"
#include "cluster/model.h"
#include "cluster/pki_crypto.h"
#include "cluster/seed.h"
#include "registry/registry.h"

enum { PAGES_MAX = 10000, TIMEOUT_MS = 10000 };

#define MANIFESTS                                                                                  \
	"Accept: application/vnd.oci.image.index.v1+json, "                                        \
	"application/vnd.oci.image.manifest.v1+json, "                                             \
	"application/vnd.docker.distribution.manifest.list.v2+json, "                              \
	"application/vnd.docker.distribution.manifest.v2+json, application/json"

void depot_done(struct depot *d)
{
	text_done(&d->server);
	text_wipe(&d->login);
	text_wipe(&d->basic);
	text_done(&d->ca);
	text_done(&d->crt);
	text_wipe(&d->key);
}

static const char *source(const char *file)
{
	static const char prefix[] = "secrets/";

	file = strncmp(file, "./", 2) == 0 ? file + 2 : file;
	return strncmp(file, prefix, strlen(prefix)) == 0 ? file + strlen(prefix) : file;
}

static int read_login(const struct model_registry *r, const struct depot_secrets *secrets,
		      struct depot *d, struct fault *why)
{
	scoped(text_wipe) struct text password = { 0 };
	int result = secrets->read(secrets->data, source(r->password_file), &password, why);

	if (result < 0)
		return result;
	text_addf(&d->login, "%s:", r->user);
	text_add_n(&d->login, text_str(&password), strcspn(text_str(&password), "\r\n"));
	pki_base64(text_str(&d->login), d->login.len, &d->basic);
	return text_error(&d->basic) < 0 ? fault_errno(why, ENOMEM, "%s", r->host) : 0;
}

static int read_trust(const struct model_registry *r, const struct depot_secrets *secrets,
		      struct depot *d, struct fault *why)
{
	const char *path = model_serves_tls(r)		? "pki/registry/ca.crt"
			   : r->ca_file && !r->insecure ? source(r->ca_file)
							: NULL;

	return path ? secrets->read(secrets->data, path, &d->ca, why) : 0;
}

static int read_client(const struct model_registry *r, const struct depot_secrets *secrets,
		       struct depot *d, struct fault *why)
{
	int result;

	if (!r->client_cert_file || !r->client_key_file || r->insecure)
		return 0;
	result = secrets->read(secrets->data, source(r->client_cert_file), &d->crt, why);
	if (result < 0)
		return result;
	return secrets->read(secrets->data, source(r->client_key_file), &d->key, why);
}

int depot_open(const struct model *m, const char *host, const struct depot_secrets *secrets,
	       struct depot *ret, struct fault *why)
{
	const struct model_registry *r = model_registry(m, host);
	struct depot d = { 0 };
	int result = 0;

	text_addf(&d.server, "%s://%s", r && r->insecure ? "http" : "https",
		  registry_real_host(host));
	if (r && r->user && r->password_file)
		result = read_login(r, secrets, &d, why);
	if (r && result == 0)
		result = read_trust(r, secrets, &d, why);
	if (r && result >= 0)
		result = read_client(r, secrets, &d, why);
	if (result >= 0 && (text_error(&d.server) < 0 || text_error(&d.login) < 0))
		result = fault_errno(why, ENOMEM, "registry '%s'", host);
	if (result < 0) {
		depot_done(&d);
		return result;
	}
	d.api = (struct api){ .server = text_str(&d.server),
			      .ca = d.ca.len ? text_str(&d.ca) : NULL,
			      .crt = d.crt.len ? text_str(&d.crt) : NULL,
			      .key = d.key.len ? text_str(&d.key) : NULL,
			      .login = d.login.len ? text_str(&d.login) : NULL,
			      .registry = true,
			      .timeout_ms = TIMEOUT_MS };
	*ret = d;
	return 0;
}

void depot_place(const struct model *m, const char *host, struct text *out)
{
	const struct model_registry *r = model_registry(m, host);
	const struct model_node *node = r && r->node ? model_node(m, r->node) : NULL;
	char ip[NET_IP_LEN];

	if (!node) {
		text_add(out, registry_real_host(host));
		return;
	}
	net_ip_text(&node->address, ip);
	text_addf(out, strchr(ip, ':') ? "[%s]:%u" : "%s:%u", ip, model_registry_port(r));
}

int depot_by_address(struct depot *d, const struct model *m, const char *host, struct fault *why)
{
	const struct model_registry *r = model_registry(m, host);

	text_done(&d->server);
	text_addf(&d->server, "%s://", r && r->insecure ? "http" : "https");
	depot_place(m, host, &d->server);
	d->api.server = text_str(&d->server);
	return text_error(&d->server) < 0 ? fault_errno(why, ENOMEM, "registry '%s'", host) : 0;
}

/* What a status other than 200 means. */
static int refuse(const struct depot *d, int status, struct fault *why)
{
	static const struct {
		int status, code;
		const char *with, *without; /* credentials */
	} rows[] = {
		{ 401, EACCES, "401: wrong user or password", "401: it wants a user and password" },
		{ 403, EPERM, "403: this user may not", "403: nobody may" },
		{ 404, EPROTO, "404: no registry is there", "404: no registry is there" },
		{ 429, EAGAIN, "429: too many requests", "429: too many requests" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		if (rows[i].status == status)
			return fault_set(why, rows[i].code, "%s: %s", d->api.server,
					 d->api.login ? rows[i].with : rows[i].without);
	return fault_set(why, EPROTO, "%s: HTTP status %d", d->api.server, status);
}

/* DEPOT_YES with the body in *out, DEPOT_TOKEN, or what kept it; *head is that of the answer. */
static int get(const struct depot *d, const char *path, const char *accept, struct text *out,
	       struct text *head, struct fault *why)
{
	struct api api = d->api;
	int status;

	api.head = head;
	api.accept = accept;
	status = api_call(&api, "GET", path, NULL, out, why);
	if (status < 0 || status == 200)
		return status < 0 ? status : DEPOT_YES;
	if (status == 401 && depot_page_wants_token(text_str(head)))
		return DEPOT_TOKEN;
	return refuse(d, status, why);
}

int depot_login(const struct depot *d, struct fault *why)
{
	scoped(text_done) struct text out = { 0 };
	scoped(text_done) struct text head = { 0 };

	return get(d, "/v2/", NULL, &out, &head, why);
}

int depot_has(const struct depot *d, const char *image, struct fault *why)
{
	const char *slash = strrchr(image, '/');
	const char *tag = strchr(image, '@');
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text out = { 0 };
	scoped(text_done) struct text head = { 0 };
	int r;

	if (!tag)
		tag = strchr(slash ? slash : image, ':');
	text_addf(&path, "/v2/%.*s/manifests/%s", tag ? (int)(tag - image) : (int)strlen(image),
		  image, tag ? tag + 1 : "latest");
	if (text_error(&path) < 0)
		return fault_errno(why, ENOMEM, "%s", image);
	r = get(d, text_str(&path), MANIFESTS, &out, &head, why);
	if (r == -EPROTO && strstr(why->text, ": 404"))
		return fault_set(why, ENOENT, "%s: there is no image '%s'", d->api.server, image);
	return r;
}

static int pages(const struct depot *d, const char *first, const char *key,
		 struct depot_names *names, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	int n;

	text_add(&path, first);
	for (n = 0; n < PAGES_MAX; n++) {
		scoped(text_done) struct text out = { 0 };
		scoped(text_done) struct text head = { 0 };
		int r = get(d, text_str(&path), NULL, &out, &head, why);

		if (r != DEPOT_YES)
			return r;
		r = depot_page_names(text_str(&out), out.len, key, names, why);
		if (r < 0)
			return fault_wrap(why, "%s", d->api.server);
		text_done(&path);
		if (!depot_page_next(text_str(&head), &path))
			return DEPOT_YES;
	}
	return fault_set(why, EPROTO, "%s: its list has no end", d->api.server);
}

int depot_repositories(const struct depot *d, struct depot_names *names, struct fault *why)
{
	return pages(d, "/v2/_catalog?n=100", "repositories", names, why);
}

int depot_tags(const struct depot *d, const char *repository, struct depot_names *names,
	       struct fault *why)
{
	scoped(text_done) struct text path = { 0 };

	text_addf(&path, "/v2/%s/tags/list?n=100", repository);
	if (text_error(&path) < 0)
		return fault_errno(why, ENOMEM, "%s", repository);
	return pages(d, text_str(&path), "tags", names, why);
}

#define OCI "application/vnd.oci.image."
#define PROOF_REPOSITORY "rackseed/proof"

/* A tar archive in which there is nothing: two blocks of zeroes. */
static const char proof_layer[1024];

struct body {
	const char *type; /* "Content-Type: …" */
	const char *bytes;
	size_t len;
};

/* One request of a push: POST where there is no body, which begins one. *head is the answer's. */
static int put(const struct depot *d, const char *path, const struct body *body, int expected,
	       struct text *head, struct fault *why)
{
	scoped(text_done) struct text out = { 0 };
	struct api api = d->api;
	int status;

	api.head = head;
	api.content_type = body->type;
	api.body_len = body->len;
	status = api_call(&api, body->len ? "PUT" : "POST", path, body->bytes, &out, why);
	if (status < 0 || status == expected)
		return status < 0 ? status : 0;
	return refuse(d, status, why);
}

static int push_blob(const struct depot *d, const char *bytes, size_t len, const char *digest,
		     struct fault *why)
{
	static const char octets[] = "Content-Type: application/octet-stream";
	const struct body nothing = { .type = octets, .bytes = "" };
	const struct body blob = { .type = octets, .bytes = bytes, .len = len };
	scoped(text_done) struct text head = { 0 };
	scoped(text_done) struct text path = { 0 };
	int r = put(d, "/v2/" PROOF_REPOSITORY "/blobs/uploads/", &nothing, 202, &head, why);

	if (r < 0)
		return r;
	if (!depot_page_location(text_str(&head), &path))
		return fault_set(why, EPROTO, "%s: it does not say where a push goes on",
				 d->api.server);
	text_addf(&path, "%cdigest=sha256:%s", strchr(text_str(&path), '?') ? '&' : '?', digest);
	if (text_error(&path) < 0)
		return fault_errno(why, ENOMEM, PROOF_REPOSITORY);
	return put(d, text_str(&path), &blob, 201, NULL, why);
}

/* A blob, and what a manifest says of it added to *entry. */
static int push_entry(const struct depot *d, const char *type, const char *bytes, size_t len,
		      struct text *entry, struct fault *why)
{
	char digest[SEED_DIGEST];
	int r = seed_digest(bytes, len, digest, why);

	if (r == 0)
		r = push_blob(d, bytes, len, digest, why);
	text_addf(entry,
		  "{\"mediaType\":\"" OCI "%s\",\"digest\":\"sha256:%s\",\"size\":%zu}", type,
		  digest, len);
	return r;
}

int depot_push_proof(const struct depot *d, struct fault *why)
{
	scoped(text_done) struct text config = { 0 };
	scoped(text_done) struct text manifest = { 0 };
	struct body body = { .type = "Content-Type: " OCI "manifest.v1+json" };
	char layer[SEED_DIGEST];
	int r = seed_digest(proof_layer, sizeof(proof_layer), layer, why);

	if (r < 0)
		return r;
	text_addf(&config,
		  "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},"
		  "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:%s\"]}}",
		  layer);
	text_add(&manifest, "{\"schemaVersion\":2,\"mediaType\":\"" OCI "manifest.v1+json\","
			    "\"config\":");
	r = push_entry(d, "config.v1+json", text_str(&config), config.len, &manifest, why);
	text_add(&manifest, ",\"layers\":[");
	if (r == 0)
		r = push_entry(d, "layer.v1.tar", proof_layer, sizeof(proof_layer), &manifest, why);
	text_add(&manifest, "]}");
	if (r == 0 && (text_error(&config) < 0 || text_error(&manifest) < 0))
		r = fault_errno(why, ENOMEM, PROOF_REPOSITORY);
	body.bytes = text_str(&manifest);
	body.len = manifest.len;
	if (r == 0)
		r = put(d, "/v2/" PROOF_REPOSITORY "/manifests/1", &body, 201, NULL, why);
	return r < 0 ? fault_wrap(why, "pushing " DEPOT_PROOF) : 0;
}
