/* SPDX-License-Identifier: MIT */
#include "firstboot/probe.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/pki.h"
#include "firstboot/endpoint.h"
#include "firstboot/node.h"

enum { PEM_MAX = 1 << 20, API_MS = 5000, API_PORT = 6443 };

/*
 * The very right that `kubeadm init` grants last to joining nodes: that their certificate requests
 * are approved without a person.
 */
static const char may_join[] =
	"{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\","
	"\"spec\":{\"resourceAttributes\":{\"group\":\"certificates.k8s.io\","
	"\"resource\":\"certificatesigningrequests\",\"subresource\":\"nodeclient\","
	"\"verb\":\"create\"}}}";

void probe_server(const struct node *node, struct text *out)
{
	const char *host = node->model.endpoint_host;
	bool is_ipv6 = strchr(host, ':');

	text_addf(out, "https://%s%s%s:%u", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
		  node->model.endpoint_port);
}

/* One call to the cluster's endpoint, pinned to the CA of our seed. The HTTP status. */
static int ask(const struct node *node, const char *method, const char *path, const char *token,
	       const char *body, struct text *answer, struct fault *why)
{
	scoped(text_done) struct text server = { 0 };
	struct api api = { .ca = node_secret(node, "pki/ca.crt"),
			   .token = token,
			   .timeout_ms = API_MS };

	if (!api.ca)
		return fault_set(why, ENOENT, "the seed holds no pki/ca.crt");
	probe_server(node, &server);
	api.server = text_str(&server);
	return api_call(&api, method, path, body, answer, why);
}

struct caller {
	struct text server, crt, key;
	struct api api;
};

static void caller_done(struct caller *c)
{
	text_done(&c->server);
	text_done(&c->crt);
	text_wipe(&c->key);
}

/* To another control plane, as the node that this one is. */
static int call_peer(const struct node *node, struct caller *c, const struct model_node *peer,
		     int port, const char *path, struct text *answer)
{
	struct fault ignored = { 0 };
	char ip[NET_IP_LEN];

	net_ip_text(&peer->address, ip);
	text_done(&c->server);
	text_addf(&c->server, strchr(ip, ':') ? "https://[%s]:%d" : "https://%s:%d", ip, port);
	c->api = (struct api){ .server = text_str(&c->server),
			       .ca = node_secret(node, "pki/ca.crt"),
			       .crt = c->crt.len ? text_str(&c->crt) : NULL,
			       .key = c->key.len ? text_str(&c->key) : NULL,
			       .timeout_ms = API_MS };
	return c->api.ca ? api_call(&c->api, "GET", path, NULL, answer, &ignored) : -ENOENT;
}

/* What one control plane says: its API server first, then its own service about its disk. */
static enum decide_peers ask_peer(const struct node *node, struct caller *c,
				  const struct model_node *peer)
{
	scoped(text_done) struct text answer = { 0 };
	scoped(yaml_done) struct yaml status = { 0 };
	struct yaml_error error = { 0 };
	const char *has_data;
	int code = call_peer(node, c, peer, API_PORT, "/healthz", &answer);

	if (code == 200 || code == 401 || code == 403)
		return DECIDE_PEER_SERVES;
	text_done(&answer);
	if (call_peer(node, c, peer, ENDPOINT_PORT, "/v1/status", &answer) != 200 ||
	    yaml_parse(text_str(&answer), answer.len, &status, &error) < 0)
		return DECIDE_PEER_SILENT;
	has_data = yaml_text(yaml_get(&status, "etcdData"));
	/* One that has data is booting, and will serve. */
	return has_data && strcmp(has_data, "false") == 0 ? DECIDE_PEERS_EMPTY : DECIDE_PEER_SILENT;
}

/* All of them: one that serves is enough, and one that is silent too. */
static enum decide_peers ask_peers(const struct node *node)
{
	const struct model_node *n = node->model.nodes;
	const struct model_node *end = n + node->model.n_nodes;
	const char *ca = node_secret(node, "pki/ca.crt"), *key = node_secret(node, "pki/ca.key");
	scoped(caller_done) struct caller caller = { 0 };
	enum decide_peers all = DECIDE_PEERS_EMPTY;
	scoped(text_done) struct text name = { 0 };
	struct fault ignored = { 0 };

	text_addf(&name, "system:node:%s", node->self->name);
	if (ca && key &&
	    pki_client(ca, key, text_str(&name), "system:nodes", (int64_t)time(NULL), &caller.crt,
		       &caller.key, &ignored) < 0)
		all = DECIDE_PEER_SILENT; /* they tell strangers nothing */
	for (; n < end; n++) {
		enum decide_peers one;

		if (n == node->self || !(n->roles & MODEL_CONTROL_PLANE))
			continue;
		one = ask_peer(node, &caller, n);
		if (one == DECIDE_PEER_SERVES)
			return one;
		all = one == DECIDE_PEER_SILENT ? one : all;
	}
	return all;
}

bool probe_node_is_ready(const struct node *node)
{
	scoped(text_wipe) struct text token = { 0 };
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text answer = { 0 };
	scoped(yaml_done) struct yaml object = { 0 };
	struct yaml_error error = { 0 };
	struct fault ignored = { 0 };
	const struct yaml *conditions;
	size_t i;

	text_addf(&path, "/api/v1/nodes/%s", node->self->name);
	if (node_token(node, &token, &ignored) < 0 ||
	    ask(node, "GET", text_str(&path), text_str(&token), NULL, &answer, &ignored) != 200 ||
	    yaml_parse(text_str(&answer), answer.len, &object, &error) < 0)
		return false;
	conditions = yaml_get(yaml_get(&object, "status"), "conditions");
	for (i = 0; conditions && conditions->kind == YAML_SEQUENCE && i < conditions->n_items;
	     i++) {
		const char *type = yaml_text(yaml_get(&conditions->items[i], "type"));
		const char *is = yaml_text(yaml_get(&conditions->items[i], "status"));

		if (type && is && strcmp(type, "Ready") == 0)
			return strcmp(is, "True") == 0;
	}
	return false;
}

/* What the API server says to this kubelet that asks for its own Node. */
static int ask_as_kubelet(const struct node *node, const struct text *pem)
{
	scoped(text_done) struct text server = { 0 };
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text answer = { 0 };
	struct fault ignored = { 0 };
	struct api api = { .ca = node_secret(node, "pki/ca.crt"), .timeout_ms = API_MS };

	if (!api.ca)
		return -ENOENT;
	probe_server(node, &server);
	text_addf(&path, "/api/v1/nodes/%s", node->self->name);
	api.server = text_str(&server);
	api.crt = api.key = text_str(pem);
	return api_call(&api, "GET", text_str(&path), NULL, &answer, &ignored);
}

bool probe_node_is_unknown(const struct node *node)
{
	scoped(text_wipe) struct text pem = { 0 };
	struct fault ignored = { 0 };

	return fs_read(node->root, PROBE_KUBELET_CERT, PEM_MAX, &pem, &ignored) == 0 &&
	       ask_as_kubelet(node, &pem) == 404;
}

/* The API server's clock counts: what was signed while that ran ahead is of no use to it now. */
static bool is_refused(const struct node *node)
{
	scoped(text_wipe) struct text pem = { 0 };
	struct fault ignored = { 0 };

	return fs_read(node->root, PROBE_KUBELET_CERT, PEM_MAX, &pem, &ignored) == 0 &&
	       probe_is_early(text_str(&pem)) && ask_as_kubelet(node, &pem) == 401;
}

static bool is_wait(const struct decision *d)
{
	return d->action == DECIDE_WAIT_API || d->action == DECIDE_WAIT_PEERS;
}

struct decision probe_decide(const struct node *node, struct decide_facts *f, struct fault *api)
{
	struct decision d;

	if (!f->control_plane && f->has_kubelet_conf && is_refused(node)) {
		f->has_kubelet_conf = false;
		f->expired = true;
	}
	d = decide(f);
	if (!is_wait(&d) && !d.reset)
		return d;
	f->api_serves = (f->control_plane ? probe_api(node, api) : probe_join(node, api)) == 0;
	if (f->peers != DECIDE_NO_PEERS)
		f->peers = f->api_serves ? DECIDE_PEER_SERVES : ask_peers(node);
	return decide(f);
}

int probe_api(const struct node *node, struct fault *why)
{
	scoped(text_done) struct text answer = { 0 };
	int status = ask(node, "GET", "/healthz", NULL, NULL, &answer, why);

	if (status < 0)
		return status;
	/* 401 and 403: it serves, and anonymous requests are turned off. */
	if (status == 200 || status == 401 || status == 403)
		return 0;
	return fault_set(why, EAGAIN, "it says %d to /healthz", status);
}

int probe_join(const struct node *node, struct fault *why)
{
	scoped(text_wipe) struct text token = { 0 };
	scoped(text_done) struct text answer = { 0 };
	scoped(yaml_done) struct yaml review = { 0 };
	struct yaml_error error = { 0 };
	const char *allowed;
	int status = node_token(node, &token, why);

	if (status >= 0)
		status = ask(node, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
			     text_str(&token), may_join, &answer, why);
	if (status < 0)
		return status;
	if (status == 401)
		return fault_set(why, EAGAIN, "it does not know our token yet");
	if (status != 201)
		return api_fault(status, text_str(&answer), why);
	if (yaml_parse(text_str(&answer), answer.len, &review, &error) < 0)
		return fault_set(why, EBADMSG, "its answer is no JSON: %s", error.message);
	allowed = yaml_text(yaml_get(yaml_get(&review, "status"), "allowed"));
	if (!allowed || strcmp(allowed, "true") != 0)
		return fault_set(why, EAGAIN, "its init has not come to the end yet");
	return 0;
}

static const struct {
	const char *name;
	size_t offset;
} rows[] = {
	{ "control plane", offsetof(struct decide_facts, control_plane) },
	{ "first control plane", offsetof(struct decide_facts, first) },
	{ "init or join completed", offsetof(struct decide_facts, completed) },
	{ "init or join started", offsetof(struct decide_facts, started) },
	{ "valid kubelet certificate", offsetof(struct decide_facts, has_kubelet_conf) },
	{ "kubelet certificate over", offsetof(struct decide_facts, expired) },
	{ "kubelet of another CA", offsetof(struct decide_facts, foreign) },
	{ "etcd data", offsetof(struct decide_facts, has_etcd_data) },
	{ "etcd data damaged", offsetof(struct decide_facts, etcd_damaged) },
	{ "etcd snapshot at hand", offsetof(struct decide_facts, has_snapshot) },
	{ "snapshots out of sight", offsetof(struct decide_facts, snapshots_silent) },
	{ "snapshot was restored", offsetof(struct decide_facts, restored) },
	{ "init forced by operator", offsetof(struct decide_facts, forced) },
	{ "API server was healthy", offsetof(struct decide_facts, was_healthy) },
	{ "kubelet active", offsetof(struct decide_facts, kubelet_active) },
	{ "API server takes joins", offsetof(struct decide_facts, api_serves) },
	{ "clock outside CA's time", offsetof(struct decide_facts, clock_off) },
};

static const char *const peer_names[DECIDE_N_PEERS] = {
	[DECIDE_NO_PEERS] = "none in the file",
	[DECIDE_PEER_SERVES] = "a cluster answers",
	[DECIDE_PEERS_EMPTY] = "all answer, none has etcd data",
	[DECIDE_PEER_SILENT] = "at least one is silent",
};

void probe_print(const struct decide_facts *facts, struct text *out)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		text_addf(out, "%-26s %s\n", rows[i].name,
			  *(const bool *)((const char *)facts + rows[i].offset) ? "yes" : "no");
	if (facts->control_plane)
		text_addf(out, "%-26s %s\n", "other control planes", peer_names[facts->peers]);
}
