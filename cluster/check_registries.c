/* SPDX-License-Identifier: MIT */
#include "cluster/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

enum { HOST_MAX = 270 };

/* The registries' hosts, sorted, to look references up in. */
struct hosts {
	const char **list;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool known(const struct hosts *hosts, const char *host)
{
	return bsearch(&host, hosts->list, hosts->n, sizeof(const char *), compare);
}

/* "host" of "host:port"; an IPv6 address keeps its brackets and is nobody's name. */
static void bare_host(const char *s, char out[static HOST_MAX])
{
	snprintf(out, HOST_MAX, "%.*s", (int)strcspn(s, ":"), s);
}

/*
 * A reference to an image or mirror may name a registry of ours, which then must be in the file.
 * Ours is one that bears a node's name, or a name that only our hosts file could resolve.
 */
static void check_mention(struct check *k, const struct hosts *hosts, const char *reference,
			  struct model_mark mark, const char *what)
{
	char place[HOST_MAX], host[HOST_MAX], hint[HOST_MAX + 32];
	struct complaint_guess guess = { .word = place };
	bool is_node;
	size_t i;

	snprintf(place, sizeof(place), "%.*s", (int)strcspn(reference, "/"), reference);
	bare_host(place, host);
	is_node = model_node(k->m, host) != NULL;
	if (known(hosts, place) || strchr(host, '.') || strchr(host, '[') ||
	    strcmp(host, "localhost") == 0)
		return;
	for (i = 0; i < k->m->n_registries && i < COMPLAINT_GUESSES && !k->c->truncated; i++)
		complaint_guess_try(&guess, k->m->registries[i].host);
	if (guess.best)
		snprintf(hint, sizeof(hint), "did you mean '%.128s'?", guess.best);
	else
		snprintf(hint, sizeof(hint), "write it under registries:%s",
			 is_node ? ", with node:" : "");
	complaint_add(k->c, COMPLAINT_ERROR, mark, "registry-unknown", NULL, hint,
		      "%s: there is no registry '%.128s'", what, place);
}

static void check_mirrors(struct check *k, const struct hosts *hosts,
			  const struct model_registry *r)
{
	char **mirror;
	size_t i;

	for (mirror = r->mirrors, i = 0; mirror && *mirror; mirror++, i++) {
		struct model_mark mark = r->mirror_marks[i];

		if (strcmp(*mirror, r->host) == 0)
			complaint_add(k->c, COMPLAINT_ERROR, mark, "mirror-itself", NULL, NULL,
				      "registry '%.128s' is its own mirror", r->host);
		else
			check_mention(k, hosts, *mirror, mark, "mirrors");
	}
}

/* Images name the host that serves them; if that is no name of the node, who resolves it? */
static void check_host(struct check *k, const struct model_registry *r)
{
	const struct model_node *node = r->node ? model_node(k->m, r->node) : NULL;
	char host[HOST_MAX], address[NET_IP_LEN];

	if (!node || strcmp(r->host, "docker.io") == 0)
		return;
	bare_host(r->host, host);
	if (strcmp(host, node->name) == 0 ||
	    strcmp(host, net_ip_text(&node->address, address)) == 0 || r->host[0] == '[')
		return;
	complaint_add(k->c, COMPLAINT_WARNING, r->mark, "registry-host", NULL,
		      "every node must be able to resolve it",
		      "registry '%.128s': this is not the name of node '%.64s', which serves it",
		      r->host, r->node);
}

static void wrong(struct check *k, const struct model_registry *r, struct model_mark mark,
		  const char *code, const char *what)
{
	complaint_add(k->c, COMPLAINT_ERROR, mark.line ? mark : r->mark, code, NULL, NULL,
		      "registry '%.128s': %s", r->host, what);
}

static void check_client(struct check *k, const struct model_registry *r)
{
	struct model_mark mark = r->client_cert_file ? r->client_cert_mark : r->client_key_mark;

	if (!r->client_cert_file && !r->client_key_file)
		return;
	if (!r->client_cert_file || !r->client_key_file)
		wrong(k, r, mark, "registry-client",
		      "clientCertFile and clientKeyFile belong together");
	if (r->node)
		wrong(k, r, mark, "registry-client",
		      "a registry of ours asks for passwords, not for certificates");
	if (r->insecure)
		wrong(k, r, mark, "registry-client", "plain HTTP shows nobody a certificate");
}

static void check_default(struct check *k, const struct model_registry *r)
{
	if (strcmp(r->host, "_default") != 0)
		return;
	if (r->node || r->user || r->ca_file || r->probe || r->upstream || r->client_cert_file ||
	    r->client_key_file)
		wrong(k, r, r->mark, "registry-default",
		      "_default stands for all other registries, and has mirrors only");
	if (r->insecure)
		wrong(k, r, r->insecure_mark, "registry-default",
		      "insecure has no effect here: give each registry that speaks plain HTTP an "
		      "entry of its own");
	if (r->namespaces)
		wrong(k, r, r->namespaces_mark, "registry-default",
		      "namespaces has no effect here: a pull secret is for one registry");
}

/* What only a registry of ours, or only somebody else's, can have. */
static void check_source(struct check *k, const struct model_registry *r)
{
	if (r->node && strcmp(r->host, "docker.io") == 0)
		wrong(k, r, r->node_mark, "registry-host",
		      "nodes ask registry-1.docker.io for these images, and would show it the "
		      "password of ours: name the registry after its node, and make it a mirror of "
		      "docker.io");
	if (r->upstream && !r->node)
		wrong(k, r, r->upstream_mark, "registry-upstream",
		      "a cache of upstream is served by a node of ours: node is missing");
	if (r->upstream && strcmp(r->upstream, "_default") == 0)
		wrong(k, r, r->upstream_mark, "registry-upstream", "_default is no upstream");
	if (r->upstream && strcmp(r->upstream, r->host) == 0)
		wrong(k, r, r->upstream_mark, "registry-upstream", "it is its own upstream");
	if (r->ca_file && r->node)
		wrong(k, r, r->ca_mark, "registry-ca",
		      "caFile is for somebody else's registry; ours have the registry CA");
	if (r->ca_file && r->insecure)
		wrong(k, r, r->ca_mark, "registry-ca", "caFile counts for nothing in plain HTTP");
	check_client(k, r);
	if (r->probe && (model_image_is_file(r->probe) || r->probe[0] == '/'))
		wrong(k, r, r->probe_mark, "registry-probe",
		      "probe is an image of this registry, such as busybox:1.36");
}

/* Ours have an image of ours by which nodes prove them; the others need one named. */
static void check_proof(struct check *k, const struct model_registry *r)
{
	bool is_promised = r->node ? r->upstream != NULL : r->user && r->password_file;

	if (!is_promised || r->probe || strcmp(r->host, "_default") == 0)
		return;
	complaint_add(k->c, COMPLAINT_WARNING, r->mark, "registry-unproven", NULL,
		      "name a small image of it with probe:",
		      "registry '%.128s': nodes can log in to it, but have no image to pull as a "
		      "proof",
		      r->host);
}

/* Each is an instance of its own, and a port has one. */
static void check_port(struct check *k, const struct model_registry *r)
{
	const struct model_registry *other = k->m->registries;

	for (; r->node && other < r; other++)
		if (other->node && strcmp(other->node, r->node) == 0 &&
		    model_registry_port(other) == model_registry_port(r)) {
			complaint_add(k->c, COMPLAINT_ERROR, r->mark, "registry-port", NULL,
				      "give it another port, as HOST:PORT",
				      "registry '%.128s': node '%.64s' serves '%.128s' on port %u",
				      r->host, r->node, other->host, model_registry_port(r));
			return;
		}
}

enum { MEMBER = MODEL_CONTROL_PLANE | MODEL_WORKER, ANY = MEMBER | MODEL_STORAGE | MODEL_REGISTRY };

/* Who listens there already, on nodes of these roles; port 0 is the API server's. */
static const struct {
	unsigned port, roles;
	const char *who;
} taken[] = {
	{ 0, MODEL_CONTROL_PLANE, "the API server" },
	{ 22, ANY, "SSH" },
	{ 445, MODEL_STORAGE, "Samba" },
	{ 2379, MODEL_CONTROL_PLANE, "etcd" },
	{ 2380, MODEL_CONTROL_PLANE, "etcd" },
	{ 2381, MODEL_CONTROL_PLANE, "etcd" },
	{ 10248, MEMBER, "kubelet" },
	{ 10249, MEMBER, "kube-proxy" },
	{ 10250, MEMBER, "kubelet" },
	{ 10256, MEMBER, "kube-proxy" },
	{ 10257, MODEL_CONTROL_PLANE, "kube-controller-manager" },
	{ 10259, MODEL_CONTROL_PLANE, "kube-scheduler" },
	{ 10270, ANY, "the node's status" },
};

static void check_taken(struct check *k, const struct model_registry *r)
{
	const struct model_node *node = r->node ? model_node(k->m, r->node) : NULL;
	unsigned port = r->node ? model_registry_port(r) : 0;
	size_t i;

	for (i = 0; node && i < COUNT(taken); i++)
		if (port == (taken[i].port ? taken[i].port : k->m->endpoint_port) &&
		    (node->roles & taken[i].roles))
			complaint_add(k->c, COMPLAINT_ERROR, r->mark, "registry-port", NULL,
				      "give it another port, as HOST:PORT",
				      "registry '%.128s': %s has port %u of node '%.64s'", r->host,
				      taken[i].who, port, r->node);
}

static void check_registry(struct check *k, const struct hosts *hosts,
			   const struct model_registry *r)
{
	struct check_reference to_node = { .part = "registry",
					   .name = r->host,
					   .node = r->node,
					   .mark = r->node_mark,
					   .role = MODEL_REGISTRY,
					   .role_name = "registry" };
	bool is_default = strcmp(r->host, "_default") == 0;

	if (r->node)
		check_reference(k, &to_node);
	if (!r->user != !r->password_file && !r->user_meant)
		complaint_add(k->c, COMPLAINT_ERROR, r->mark, "credentials-half", NULL, NULL,
			      "registry '%.128s': user and passwordFile belong together", r->host);
	if (r->namespaces && r->namespaces[0] && !r->user && !r->user_meant && !is_default)
		complaint_add(k->c, COMPLAINT_WARNING, r->namespaces_mark, "namespaces-unused",
			      NULL, "give user: and passwordFile:, or leave out namespaces:",
			      "registry '%.128s': without a user there is no pull secret", r->host);
	if (r->insecure && !is_default)
		complaint_add(k->c, COMPLAINT_WARNING,
			      r->insecure_mark, "registry-insecure", NULL, NULL,
			      "registry '%.128s': plain HTTP: who is on the way can read the "
			      "password and change images",
			      r->host);
	check_default(k, r);
	check_source(k, r);
	check_proof(k, r);
	check_port(k, r);
	check_taken(k, r);
	check_host(k, r);
	check_mirrors(k, hosts, r);
}

/* "registry:5000/tools/x:1" names a registry, "busybox:1.36" and "library/busybox" do not. */
static bool has_registry(const char *image)
{
	size_t n = strcspn(image, "/");

	return image[n] && memchr(image, ':', n);
}

void check_registries(struct check *k)
{
	const struct model *m = k->m;
	struct hosts hosts = { .list = calloc(m->n_registries + 1, sizeof(const char *)) };
	size_t i;

	if (!hosts.list) {
		complaints_exhausted(k->c);
		return;
	}
	for (i = 0; i < m->n_registries; i++)
		hosts.list[hosts.n++] = m->registries[i].host;
	qsort(hosts.list, hosts.n, sizeof(const char *), compare);
	for (i = 0; i < m->n_registries; i++)
		check_registry(k, &hosts, &m->registries[i]);
	if (m->image_repository && m->mark.image_repository.line &&
	    has_registry(m->image_repository))
		check_mention(k, &hosts, m->image_repository, m->mark.image_repository,
			      "imageRepository");
	for (i = 0; m->images && m->images[i]; i++)
		if (!model_image_is_file(m->images[i]) && has_registry(m->images[i]))
			check_mention(k, &hosts, m->images[i], m->mark.images[i], "images");
	free(hosts.list);
}
